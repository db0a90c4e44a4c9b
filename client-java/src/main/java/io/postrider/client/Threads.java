package io.postrider.client;

import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import okhttp3.Dispatcher;
import okhttp3.OkHttpClient;

/** The threads and the HTTP client that clients of one process share. */
public final class Threads {
    private static final Threads SHARED = new Threads(daemons());

    private final ThreadFactory factory;
    private final ScheduledExecutorService timers;
    private final OkHttpClient http;

    private Threads(ThreadFactory factory) {
        this.factory = factory;
        ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1, daemons());
        timer.setRemoveOnCancelPolicy(true);
        this.timers = timer;
        ThreadPoolExecutor connections =
                new ThreadPoolExecutor(
                        0,
                        Integer.MAX_VALUE,
                        1,
                        TimeUnit.SECONDS,
                        new SynchronousQueue<>(),
                        factory);
        Dispatcher dispatcher = new Dispatcher(connections);
        dispatcher.setMaxRequests(Integer.MAX_VALUE);
        dispatcher.setMaxRequestsPerHost(Integer.MAX_VALUE);
        this.http =
                new OkHttpClient.Builder()
                        .dispatcher(dispatcher)
                        .fastFallback(false)
                        .retryOnConnectionFailure(false)
                        .connectTimeout(10, TimeUnit.SECONDS)
                        .build();
    }

    /** Daemon threads; what is used where nothing else is said. */
    public static Threads shared() {
        return SHARED;
    }

    /** Connections on threads of the caller's making; virtual ones will do. */
    public static Threads of(ThreadFactory factory) {
        return new Threads(factory);
    }

    private static ThreadFactory daemons() {
        ThreadFactory plain = Executors.defaultThreadFactory();
        return task -> {
            Thread thread = plain.newThread(task);
            thread.setName("postrider-" + thread.getId());
            thread.setDaemon(true);
            return thread;
        };
    }

    ThreadFactory factory() {
        return factory;
    }

    ScheduledExecutorService timers() {
        return timers;
    }

    OkHttpClient http() {
        return http;
    }
}
