package io.postrider.client;

import java.util.LinkedHashMap;
import java.util.Map;

/** The newest message ids that have come, and whether each is acknowledged. Not thread-safe. */
final class RecentIds {
    /** What is known of an id. */
    enum Known {
        NEW,
        WITH_THE_APP,
        ACKNOWLEDGED
    }

    private final LinkedHashMap<Long, Known> ids;

    RecentIds(int most) {
        this.ids =
                new LinkedHashMap<Long, Known>() {
                    private static final long serialVersionUID = 1L;

                    @Override
                    protected boolean removeEldestEntry(Map.Entry<Long, Known> eldest) {
                        return size() > most;
                    }
                };
    }

    /** What was known until now; a new id is with the app from here on. */
    Known receive(long id) {
        Known known = ids.putIfAbsent(id, Known.WITH_THE_APP);
        return known == null ? Known.NEW : known;
    }

    /** Whether that is news. */
    boolean acknowledged(long id) {
        return ids.put(id, Known.ACKNOWLEDGED) != Known.ACKNOWLEDGED;
    }

    /** The app did not take it: when it comes again, it is new. */
    void forget(long id) {
        ids.remove(id);
    }
}
