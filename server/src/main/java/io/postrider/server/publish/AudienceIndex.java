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
        Resolved found = resolve(appId, index, audience, seq -> log.mayGoOnAfter(appId, seq));
        keepSnapshotIfDue(appId, index);
        return found;
    }

    /** The same when the log stood at this end or later. */
    public Resolved resolveAsOf(long appId, Audience audience, long logEnd) {
        return resolve(appId, index(appId), audience, seq -> seq < logEnd);
    }

    /** The same now, whatever others have changed. */
    public Resolved resolveAnew(long appId, Audience audience) {
        return resolveAsOf(appId, audience, Long.MAX_VALUE);
    }

    private AppIndex index(long appId) {
        return byApp.computeIfAbsent(appId, this::load);
    }

    private Resolved resolve(
            long appId, AppIndex index, Audience audience, LongPredicate isBehind) {
        synchronized (index) {
            if (isBehind.test(index.seq)) {
                catchUp(appId, index);
            }
            RoaringBitmap found = resolve(appId, index.sets, audience.filter());
            boolean namesUsers = audience.filter().users() != null;
            if (audience.groups() != null) {
                GroupStore.Devices members = groups.devicesOf(appId, audience.groups());
                found.and(bitmapOf(members.numbers()));
                namesUsers |= members.byUser();
            }
            return new Resolved(Recipients.of(found), index.seq, namesUsers);
        }
    }

    /** Forgets an app that was deleted. */
    public void forget(long appId) {
        byApp.remove(appId);
    }

    private static final class AppIndex {
        TagSets sets = new TagSets();
        long seq;
        long snapshotSeq;
    }

    private AppIndex load(long appId) {
        AppIndex index = new AppIndex();
        load(appId, index);
        return index;
    }

    private void load(long appId, AppIndex index) {
        Optional<Snapshot> snapshot = log.snapshot(appId);
        index.sets = snapshot.map(kept -> TagSets.read(kept.bits())).orElseGet(TagSets::new);
        index.seq = snapshot.map(Snapshot::seq).orElse(0L);
        index.snapshotSeq = index.seq;
    }

    /** Others may keep snapshots, and delete what this index has not read. */
    private void catchUp(long appId, AppIndex index) {
        List<Change> changes = log.changesAfter(appId, index.seq);
        for (int i = 0; i < MOST_LOADS && isCutOff(index, changes); i++) {
            load(appId, index);
            changes = log.changesAfter(appId, index.seq);
        }
        if (isCutOff(index, changes)) {
            throw new IllegalStateException("the audience's log of app " + appId + " has a gap");
        }
        for (Change change : changes) {
            index.sets.apply(change);
            index.seq = change.seq();
        }
    }

    private static boolean isCutOff(AppIndex index, List<Change> changes) {
        return !changes.isEmpty() && changes.getFirst().seq() != index.seq + 1;
    }

    /**
     * Where publishes come in, and not in {@link #resolveAsOf}, for which the store stands still.
     */
    private void keepSnapshotIfDue(long appId, AppIndex index) {
        synchronized (index) {
            if (index.seq - index.snapshotSeq < CHANGES_PER_SNAPSHOT) {
                return;
            }
            index.snapshotSeq = index.seq;
            // Not waited for: the thread that writes it may wait for this index.
            log.keepSnapshot(appId, new Snapshot(index.seq, index.sets.write()))
                    .whenComplete((kept, failure) -> {
                        if (failure != null) {
                            LOG.warn("a snapshot was not kept: {}", failure.getMessage());
                        }
                    });
        }
    }

    private RoaringBitmap resolve(long appId, TagSets sets, DeviceFilter filter) {
        RoaringBitmap found = start(appId, sets.live(), filter);
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

    /** Those that are named, or everyone: a set of its own. */
    private RoaringBitmap start(long appId, RoaringBitmap live, DeviceFilter filter) {
        List<String> deviceIds = filter.devices();
        List<String> users = filter.users();
        RoaringBitmap found = deviceIds == null ? null : numbers(appId, live, deviceIds);
        if (users != null) {
            RoaringBitmap ofUsers = bitmapOf(devices.numbersOfUsers(appId, users));
            found = found == null ? ofUsers : RoaringBitmap.and(found, ofUsers);
        }
        return found == null ? live.clone() : RoaringBitmap.and(found, live);
    }

    private RoaringBitmap numbers(long appId, RoaringBitmap live, List<String> deviceIds) {
        RoaringBitmap numbers = new RoaringBitmap();
        List<String> unknown = new ArrayList<>();
        for (String deviceId : deviceIds) {
            Integer number = numberOf.getIfPresent(new Name(appId, deviceId));
            if (number != null && live.contains(number)) {
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
