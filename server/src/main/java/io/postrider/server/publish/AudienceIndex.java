package io.postrider.server.publish;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.postrider.server.delivery.Recipients;
import io.postrider.server.identity.DeviceFilter;
import io.postrider.server.identity.DeviceStore;
import io.postrider.server.identity.GroupStore;
import io.postrider.server.identity.Platform;
import io.postrider.server.publish.AudienceLog.Change;
import io.postrider.server.publish.AudienceLog.Snapshot;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;
import org.roaringbitmap.RoaringBitmap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Resolves audiences from sets in memory, one for each tag and platform, that follow the audience's
 * log. Each resolve first catches up with the log as far as this node knows that it has gone on;
 * the store, which knows for certain when it accepts a message, has it done again where others were
 * faster. So a change that was answered is seen by the next publish, and the log is read when there
 * is something in it. Devices, users and groups are looked up in the store, which has an index.
 * Thread-safe; blocks.
 */
public final class AudienceIndex {
    private static final Logger LOG = LoggerFactory.getLogger(AudienceIndex.class);
    private static final int CHANGES_PER_SNAPSHOT = 10_000;
    private static final int MOST_NAMES = 100_000;

    /** Of a snapshot, each while others keep two. */
    private static final int MOST_LOADS = 3;

    private final AudienceLog log;
    private final DeviceStore devices;
    private final GroupStore groups;
    private final Map<Long, AppIndex> byApp = new ConcurrentHashMap<>();

    /** A number is never given again: while it is live, it is that of the deviceId. */
    private final Cache<Name, Integer> numberOf =
            Caffeine.newBuilder().maximumSize(MOST_NAMES).build();

    private record Name(long appId, String deviceId) {}

    public AudienceIndex(AudienceLog log, DeviceStore devices, GroupStore groups) {
        this.groups = groups;
        this.log = log;
        this.devices = devices;
    }

    /**
     * @param logEnd where the audience's log stood
     * @param namesUsers these are its devices only while they are their users'
     */
    public record Resolved(Recipients recipients, long logEnd, boolean namesUsers) {}

    /** The devices that an audience stands for, as far as is known here. */
    public Resolved resolve(long appId, Audience audience) {
        AppIndex index = index(appId);
        LongPredicate isBehind = seq -> log.mayGoOnAfter(appId, seq);
        if (index.isBehind(isBehind)) {
            // What many look for at once is read once.
            synchronized (index.reading) {
                if (index.isBehind(isBehind)) {
                    catchUp(appId, index);
                }
            }
        }
        Resolved found = resolve(appId, index, audience);
        keepSnapshotIfDue(appId, index);
        return found;
    }

    /**
     * The same when the log stood at this end or later. Waits for nobody who reads: the store asks
     * inside a transaction.
     */
    public Resolved resolveAsOf(long appId, Audience audience, long logEnd) {
        AppIndex index = index(appId);
        if (index.isBehind(seq -> seq < logEnd)) {
            catchUp(appId, index);
        }
        return resolve(appId, index, audience);
    }

    /** The same now, whatever others have changed. */
    public Resolved resolveAnew(long appId, Audience audience) {
        return resolveAsOf(appId, audience, Long.MAX_VALUE);
    }

    private AppIndex index(long appId) {
        return byApp.computeIfAbsent(appId, id -> new AppIndex());
    }

    /**
     * What the store is asked for may be as of a later moment than the log's end that is answered,
     * never of an earlier one.
     */
    private Resolved resolve(long appId, AppIndex index, Audience audience) {
        DeviceFilter filter = audience.filter();
        long end = index.end();
        List<String> users = filter.users();
        RoaringBitmap ofUsers =
                users == null ? null : bitmapOf(devices.numbersOfUsers(appId, users));
        List<String> deviceIds = filter.devices();
        RoaringBitmap named = deviceIds == null ? null : numbers(appId, index, deviceIds);
        GroupStore.Devices members =
                audience.groups() == null ? null : groups.devicesOf(appId, audience.groups());

        RoaringBitmap found = index.among(both(named, ofUsers), filter);
        boolean namesUsers = users != null;
        if (members != null) {
            found.and(bitmapOf(members.numbers()));
            namesUsers |= members.byUser();
        }
        return new Resolved(Recipients.of(found), end, namesUsers);
    }

    private static @Nullable RoaringBitmap both(
            @Nullable RoaringBitmap one, @Nullable RoaringBitmap other) {
        if (one == null || other == null) {
            return one == null ? other : one;
        }
        return RoaringBitmap.and(one, other);
    }

    /** Forgets an app that was deleted. */
    public void forget(long appId) {
        byApp.remove(appId);
    }

    /** Its lock is held for what is done in memory only. */
    private static final class AppIndex {
        /** Held by who reads the log; not by the store, for which everybody waits. */
        final Object reading = new Object();

        private TagSets sets = new TagSets();
        private boolean isLoaded;
        private long seq;
        private long snapshotSeq;

        synchronized boolean isBehind(LongPredicate test) {
            return !isLoaded || test.test(seq);
        }

        synchronized boolean isLoaded() {
            return isLoaded;
        }

        synchronized long end() {
            return seq;
        }

        synchronized void load(TagSets kept, long keptSeq) {
            if (!isLoaded || keptSeq > seq) {
                sets = kept;
                seq = keptSeq;
                snapshotSeq = keptSeq;
                isLoaded = true;
            }
        }

        /** Answers false where a change is missing. */
        synchronized boolean apply(List<Change> changes) {
            for (Change change : changes) {
                if (change.seq() > seq + 1) {
                    return false;
                }
                if (change.seq() > seq) {
                    sets.apply(change);
                    seq = change.seq();
                }
            }
            return true;
        }

        synchronized boolean isLive(int number) {
            return sets.live().contains(number);
        }

        /** Those of some, or of all if null, who are live and pass a filter: a set of its own. */
        synchronized RoaringBitmap among(@Nullable RoaringBitmap some, DeviceFilter filter) {
            RoaringBitmap found =
                    some == null ? sets.live().clone() : RoaringBitmap.and(some, sets.live());
            if (filter.tags() != null) {
                found.and(union(sets, filter.tags()));
            }
            if (filter.tagsAll() != null) {
                filter.tagsAll().forEach(tag -> found.and(sets.tagged(tag)));
            }
            if (filter.tagsNot() != null) {
                found.andNot(union(sets, filter.tagsNot()));
            }
            if (filter.platforms() != null) {
                RoaringBitmap any = new RoaringBitmap();
                for (Platform platform : filter.platforms()) {
                    any.or(sets.on(platform));
                }
                found.and(any);
            }
            return found;
        }

        /** Null unless so many changes came since the last one. */
        synchronized @Nullable Snapshot snapshotAfter(int changes) {
            if (seq - snapshotSeq < changes) {
                return null;
            }
            snapshotSeq = seq;
            return new Snapshot(seq, sets.write());
        }
    }

    /** Others may keep snapshots meanwhile, and delete what this index has not read. */
    private void catchUp(long appId, AppIndex index) {
        if (!index.isLoaded()) {
            load(appId, index);
        }
        for (int i = 0; i < MOST_LOADS; i++) {
            if (index.apply(log.changesAfter(appId, index.end()))) {
                return;
            }
            load(appId, index);
        }
        throw new IllegalStateException("the audience's log of app " + appId + " has a gap");
    }

    private void load(long appId, AppIndex index) {
        Optional<Snapshot> kept = log.snapshot(appId);
        index.load(
                kept.map(snapshot -> TagSets.read(snapshot.bits())).orElseGet(TagSets::new),
                kept.map(Snapshot::seq).orElse(0L));
    }

    /**
     * Where publishes come in, and not in {@link #resolveAsOf}, for which the store stands still.
     */
    private void keepSnapshotIfDue(long appId, AppIndex index) {
        Snapshot due = index.snapshotAfter(CHANGES_PER_SNAPSHOT);
        if (due != null) {
            log.keepSnapshot(appId, due)
                    .whenComplete((kept, failure) -> {
                        if (failure != null) {
                            LOG.warn("a snapshot was not kept: {}", failure.getMessage());
                        }
                    });
        }
    }

    private RoaringBitmap numbers(long appId, AppIndex index, List<String> deviceIds) {
        RoaringBitmap numbers = new RoaringBitmap();
        List<String> unknown = new ArrayList<>();
        for (String deviceId : deviceIds) {
            Integer number = numberOf.getIfPresent(new Name(appId, deviceId));
            if (number != null && index.isLive(number)) {
                numbers.add(number);
            } else {
                unknown.add(deviceId);
            }
        }
        if (unknown.isEmpty()) {
            return numbers;
        }
        devices.numbers(appId, unknown)
                .forEach((deviceId, number) -> {
                    numberOf.put(new Name(appId, deviceId), number);
                    numbers.add(number);
                });
        return numbers;
    }

    private static RoaringBitmap union(TagSets sets, List<String> tags) {
        List<RoaringBitmap> tagged = new ArrayList<>();
        tags.forEach(tag -> tagged.add(sets.tagged(tag)));
        return RoaringBitmap.or(tagged.iterator());
    }

    private static RoaringBitmap bitmapOf(List<Integer> numbers) {
        RoaringBitmap bitmap = new RoaringBitmap();
        numbers.forEach(bitmap::add);
        return bitmap;
    }
}
