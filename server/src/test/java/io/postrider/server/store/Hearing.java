package io.postrider.server.store;

import io.postrider.server.delivery.Arrival;
import io.postrider.server.delivery.Change;
import io.postrider.server.delivery.Recipients;
import io.postrider.server.delivery.WakeUps;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** What sessions are told after commits, in words. */
class Hearing implements WakeUps {
    final List<String> heard = new CopyOnWriteArrayList<>();

    @Override
    public void committed(long afterId, long upTo, List<Arrival> arrivals, List<Change> changes) {
        for (Arrival arrival : arrivals) {
            long id = arrival.message().id();
            heard.add(afterId + " before " + id + " for " + arrival.recipients());
            afterId = id;
        }
        changes.forEach(this::changed);
    }

    @Override
    public void changed(Change change) {
        if (change instanceof Change.AppChanged) {
            return;
        }
        heard.add(
                switch (change) {
                    case Change.Recalled(long app, long id, Recipients recipients) ->
                            "recalled " + id + " for " + recipients;
                    case Change.Settled(long app, long id, Recipients others) ->
                            "settled " + id + " for " + others;
                    case Change.Joined(long app, int number, long id) ->
                            "joined " + number + " from " + id;
                    case Change.Revoked(long app, int number, int generation) ->
                            "revoked " + app + "/" + number;
                    case Change.Displaced(long app, int number, int generation) ->
                            "displaced " + app + "/" + number + " to " + generation;
                    case Change.AppChanged(long app) -> "changed app " + app;
                });
    }
}
