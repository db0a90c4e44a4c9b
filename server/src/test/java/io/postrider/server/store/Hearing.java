package io.postrider.server.store;

import io.postrider.server.delivery.Arrival;
import io.postrider.server.delivery.Recipients;
import io.postrider.server.delivery.WakeUps;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** What sessions are told after commits, in words. */
final class Hearing implements WakeUps {
    final List<String> heard = new CopyOnWriteArrayList<>();

    @Override
    public void stored(long afterId, List<Arrival> arrivals) {
        for (Arrival arrival : arrivals) {
            long id = arrival.message().id();
            heard.add(afterId + " before " + id + " for " + arrival.recipients());
            afterId = id;
        }
    }

    @Override
    public void recalled(long appId, long messageId, Recipients recipients) {
        heard.add("recalled " + messageId + " for " + recipients);
    }

    @Override
    public void settled(long appId, long messageId, Recipients others) {
        heard.add("settled " + messageId + " for " + others);
    }

    @Override
    public void joined(long appId, int number, long messageId) {
        heard.add("joined " + number + " from " + messageId);
    }

    @Override
    public void revoked(long appId, int number) {
        heard.add("revoked " + appId + "/" + number);
    }
}
