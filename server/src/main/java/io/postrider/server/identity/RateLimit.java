package io.postrider.server.identity;

import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.LoadingCache;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.TimeMeter;
import io.postrider.server.clock.Clock;
import java.time.Duration;

/** So many of something, each key for itself. Thread-safe; forgets keys that have been quiet. */
public final class RateLimit {
    private static final long MOST_KEYS = 100_000;

    private final LoadingCache<String, Bucket> buckets;

    /** Allows {@code capacity} at once, refilled evenly over {@code period}. */
    public RateLimit(long capacity, Duration period, Clock clock) {
        TimeMeter meter =
                new TimeMeter() {
                    @Override
                    public long currentTimeNanos() {
                        return clock.ticks() * 1_000_000;
                    }

                    @Override
                    public boolean isWallClockBased() {
                        return false;
                    }
                };
        this.buckets =
                Caffeine.newBuilder()
                        .maximumSize(MOST_KEYS)
                        .ticker(meter::currentTimeNanos)
                        .expireAfterAccess(period.multipliedBy(2))
                        .build(key ->
                                Bucket.builder()
                                        .withCustomTimePrecision(meter)
                                        .addLimit(limit ->
                                                limit.capacity(capacity)
                                                        .refillGreedy(capacity, period))
                                        .build());
    }

    /** Takes one. Answers 0 when it was there, else the seconds until one will be. */
    public long secondsToWait(String key) {
        var probe = buckets.get(key).tryConsumeAndReturnRemaining(1);
        return probe.isConsumed() ? 0 : 1 + probe.getNanosToWaitForRefill() / 1_000_000_000;
    }

    /** Puts one back that was taken and not used. */
    public void giveBack(String key) {
        buckets.get(key).addTokens(1);
    }
}
