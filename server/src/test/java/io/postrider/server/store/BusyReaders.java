package io.postrider.server.store;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** All readers of a PostgreSQL database, at work until this is closed. */
final class BusyReaders implements AutoCloseable {
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final CountDownLatch free = new CountDownLatch(1);

    /** Returns when all are. */
    BusyReaders(Database database) throws InterruptedException {
        CountDownLatch busy = new CountDownLatch(PostgresEngine.READERS);
        for (int i = 0; i < PostgresEngine.READERS; i++) {
            threads.execute(() ->
                    database.read(sql -> {
                        busy.countDown();
                        return isFree();
                    }));
        }
        busy.await();
    }

    private boolean isFree() {
        try {
            return free.await(1, TimeUnit.MINUTES);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        free.countDown();
        threads.close();
    }
}
