package io.postrider.server.demo;

import io.postrider.client.DeviceClient;
import io.postrider.client.DeviceObserver;
import io.postrider.client.Registrar.Registered;
import io.postrider.client.Threads;
import io.postrider.client.Transport;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A device that wants the earthquakes of its regions from a magnitude on. */
final class DemoDevice {
    private static final Transport[] TRANSPORTS = Transport.values();
    private static final int MINIMUMS = 5;

    final String deviceId;
    final List<String> regions = new ArrayList<>();
    final int minimum;
    private final Transport transport;
    private @Nullable DeviceClient client;

    DemoDevice(int index) {
        this.deviceId = "device-" + index;
        this.minimum = index % MINIMUMS;
        this.transport = TRANSPORTS[index % TRANSPORTS.length];
        int region = (index / MINIMUMS) % Quake.REGIONS.size();
        regions.add(Quake.REGIONS.get(region));
        if (index % 4 == 0) {
            regions.add(Quake.REGIONS.get((region + 1) % Quake.REGIONS.size()));
        }
    }

    String[] tags() {
        List<String> tags = new ArrayList<>();
        regions.forEach(region -> tags.add("region:" + region));
        tags.add("min:" + minimum);
        return tags.toArray(new String[0]);
    }

    /** What the device should get, by its own words. */
    boolean wants(Quake quake) {
        return quake.isForEveryone()
                || (regions.contains(quake.region())
                        && minimum <= Math.max(0, Math.floor(quake.magnitude())));
    }

    void connect(
            Registered registered, Receipts receipts, DeviceObserver observer, Threads threads) {
        DeviceClient made =
                DeviceClient.builder(
                                registered.gateways(),
                                registered.deviceToken(),
                                message -> receipts.received(deviceId, message))
                        .transport(transport)
                        .observer(observer)
                        .threads(threads)
                        .build();
        client = made;
        made.start();
    }

    void cut() {
        if (client != null) {
            client.dropConnection();
        }
    }

    void close() {
        if (client != null) {
            client.close();
        }
    }
}
