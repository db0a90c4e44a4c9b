package io.postrider.server.api;

import io.postrider.server.delivery.AckBatch;
import io.postrider.server.delivery.AckOutcome;
import io.postrider.server.delivery.MessageStore;
import io.postrider.server.identity.Device;
import io.postrider.server.identity.DeviceStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Acks over HTTP, for devices whose connection does not get them through. Only a device's own: a
 * server's word that a device has something would make the counts a guess.
 */
final class AckRoutes {
    private static final int MOST_IDS = 1_000;

    private final DeviceStore devices;
    private final MessageStore messages;

    AckRoutes(DeviceStore devices, MessageStore messages) {
        this.devices = devices;
        this.messages = messages;
    }

    List<Route> routes() {
        return List.of(Route.post("/v1/devices/{deviceId}/acks", Access.DEVICE, this::acknowledge));
    }

    record Acks(@Nullable List<String> ids, @Nullable List<String> opened) {}

    record ResultView(String id, String outcome) {}

    record ResultsView(List<ResultView> results) {}

    private Answer acknowledge(Request request) {
        Device device = request.device(devices);
        Acks acks = request.body(Acks.class);
        AckBatch batch = new AckBatch();
        add(batch, device, acks.ids(), false, "ids");
        add(batch, device, acks.opened(), true, "opened");
        if (batch.isEmpty()) {
            throw Problem.field(
                    ErrorCode.MISSING_VALUE, "ids", "Name messages in ids, opened, or both.");
        }
        batch.setUrgent();
        List<AckOutcome> outcomes = messages.acknowledge(batch).join();
        List<ResultView> results = new ArrayList<>();
        for (int i = 0; i < batch.size(); i++) {
            results.add(
                    new ResultView(
                            Long.toString(batch.get(i).messageId()),
                            outcomes.get(i).name().toLowerCase(Locale.ROOT)));
        }
        return Answer.json(200, new ResultsView(results));
    }

    private static void add(
            AckBatch batch,
            Device device,
            @Nullable List<String> ids,
            boolean opened,
            String field) {
        if (ids == null) {
            return;
        }
        if (ids.size() > MOST_IDS) {
            throw Problem.limit(ErrorCode.INVALID_VALUE, field, MOST_IDS, "At most 1000 at once.");
        }
        for (String id : ids) {
            batch.add(device.appId(), device.number(), parse(id, field), opened);
        }
    }

    private static long parse(@Nullable String id, String field) {
        if (id == null || !id.matches("\\d{1,19}")) {
            throw notAnId(field);
        }
        try {
            return Long.parseLong(id);
        } catch (NumberFormatException e) {
            throw notAnId(field);
        }
    }

    private static Problem notAnId(String field) {
        return Problem.field(
                ErrorCode.INVALID_VALUE, field, "Each is the id of a message, a decimal string.");
    }
}
