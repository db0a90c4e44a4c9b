package io.postrider.client;

import io.postrider.protocol.v1.GoAway;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * To which gateway a client goes next, and when: as the server asked, else to the next one with a
 * jittered back-off. Confined to its client's lock.
 */
final class Route {
    /** So many that the restart of a node, or of a few, has not every device ask. */
    private static final int LOST_AFTER = 5;

    private final Backoff backoff;
    private List<Gateway> registered;
    private List<Gateway> gateways;
    private int index;
    private int silent;
    private @Nullable GoAway goAway;

    /**
     * @throws IllegalArgumentException if none of the gateways is of the transport
     */
    static Route over(Transport transport, List<Gateway> gateways, Backoff backoff) {
        List<Gateway> usable = new ArrayList<>();
        for (Gateway gateway : gateways) {
            if (gateway.isTcp() == (transport == Transport.TCP)) {
                usable.add(gateway);
            }
        }
        if (usable.isEmpty()) {
            throw new IllegalArgumentException("no gateway speaks " + transport);
        }
        return new Route(usable, backoff);
    }

    /**
     * @param gateways of one transport
     */
    Route(List<Gateway> gateways, Backoff backoff) {
        this.backoff = backoff;
        this.registered = gateways;
        this.gateways = gateways;
    }

    /** Those it was made for, or the registered ones of today. */
    List<Gateway> registered() {
        return registered;
    }

    Gateway gateway() {
        return gateways.get(index);
    }

    /** Counted from 1 since the gateway last worked. */
    int attempt() {
        return Math.max(1, backoff.failures());
    }

    /** A connection is being made. */
    void leaving() {
        goAway = null;
    }

    /** A gateway has said something, and be it no. */
    void heard() {
        silent = 0;
    }

    /** The gateway works: the next loss is a first one again. */
    void works() {
        backoff.reset();
    }

    /** The server has said when to come back, and to where. */
    void asked(GoAway frame) {
        goAway = frame;
    }

    /** Chooses where to go after a loss; answers after how long. */
    long afterLoss() {
        GoAway asked = goAway;
        if (asked != null) {
            moveTo(asked.getGatewaysList());
            return backoff.hintedMillis(asked.getReconnectAfterMs(), asked.getSpreadMs());
        }
        silent++;
        index = (index + 1) % gateways.size();
        return backoff.nextMillis();
    }

    /**
     * Forgets the gateway, unless it is registered: the next loss leads to the one after it.
     * Answers whether it did.
     */
    boolean forgetNamed() {
        if (registered.contains(gateway())) {
            return false;
        }
        gateways.remove(index);
        index = (index == 0 ? gateways.size() : index) - 1;
        return true;
    }

    /**
     * Whether so many attempts in a row again have met silence: time to ask for other gateways, for
     * nodes that were replaced while the device could not hear of it.
     */
    boolean isLost() {
        return silent > 0 && silent % LOST_AFTER == 0;
    }

    /** These are the registered ones by now; goes to the first, if they are others. */
    void register(List<Gateway> now) {
        List<Gateway> usable = new ArrayList<>();
        for (Gateway gateway : now) {
            if (isUsable(gateway)) {
                usable.add(gateway);
            }
        }
        if (!usable.isEmpty() && !usable.equals(registered)) {
            registered = usable;
            gateways = usable;
            index = 0;
        }
    }

    /** The network is another one: stays with the gateway; answers after how long. */
    long afterChange() {
        silent = 0;
        backoff.reset();
        return backoff.nextMillis();
    }

    /** Answers after how long to ask again for what was not answered. */
    long afterRefusal() {
        return backoff.nextMillis();
    }

    /**
     * Goes to the first of the named gateways that can be used here. They are known in the place of
     * those named before, so that a device finds nodes that came after it registered.
     */
    private void moveTo(List<String> named) {
        Set<Gateway> known = new LinkedHashSet<>();
        for (String address : named) {
            Gateway gateway = Gateway.known(address);
            if (gateway != null && isUsable(gateway)) {
                known.add(gateway);
            }
        }
        if (!known.isEmpty()) {
            known.addAll(registered);
            gateways = new ArrayList<>(known);
            index = 0;
        }
    }

    /** Whether it is of the same transport, and encrypted if this one is. */
    private boolean isUsable(Gateway gateway) {
        return gateway.isTcp() == gateway().isTcp()
                && (gateway.isEncrypted() || !gateway().isEncrypted());
    }
}
