package io.postrider.server.metrics;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BooleanSupplier;
import java.util.function.IntSupplier;

/** What this node counts. Counting is an addition, and nothing else. */
public final class Metrics {
    private final PrometheusMeterRegistry registry =
            new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final LongAdder commits = counter("store.commits", "Flushed transactions");
    private final LongAdder writes = counter("store.writes", "Pieces of work in them");
    private final LongAdder accepted = counter("messages.accepted", "Stored publishes");
    private final LongAdder targeted = counter("messages.targeted", "Devices they were for");
    private final LongAdder pushes = counter("pushes.first", "First presentations written");
    private final LongAdder repeats = counter("pushes.repeated", "Further presentations written");
    private final LongAdder acks = counter("acks", "Acks taken from devices");
    private final LongAdder opened = counter("sessions.opened", "Sessions that became ready");
    private final LongAdder refused = counter("sessions.refused", "Connections closed before that");
    private final LongAdder slow = counter("sessions.slow", "Sessions closed for not reading");

    public Metrics() {
        new JvmMemoryMetrics().bindTo(registry);
        new ProcessorMetrics().bindTo(registry);
    }

    private LongAdder counter(String name, String description) {
        LongAdder adder = new LongAdder();
        FunctionCounter.builder("postrider." + name, adder, LongAdder::sum)
                .description(description)
                .register(registry);
        return adder;
    }

    /** Shows how many sessions there are. */
    public void sessions(IntSupplier count) {
        Gauge.builder("postrider.sessions", count, IntSupplier::getAsInt)
                .description("Live sessions")
                .strongReference(true)
                .register(registry);
    }

    /** Shows, as 1 or 0, whether something works. */
    public void health(String name, String description, BooleanSupplier works) {
        Gauge.builder("postrider." + name, works, each -> each.getAsBoolean() ? 1 : 0)
                .description(description)
                .strongReference(true)
                .register(registry);
    }

    public void committed(long pieces) {
        commits.increment();
        writes.add(pieces);
    }

    public void accepted(int devices) {
        accepted.increment();
        targeted.add(devices);
    }

    public void pushed() {
        pushes.increment();
    }

    public void repeated() {
        repeats.increment();
    }

    public void acked(int count) {
        acks.add(count);
    }

    public void sessionOpened() {
        opened.increment();
    }

    public void sessionRefused() {
        refused.increment();
    }

    public void sessionSlow() {
        slow.increment();
    }

    /** Everything, in Prometheus' text format 0.0.4. */
    public String scrape() {
        return registry.scrape();
    }
}
