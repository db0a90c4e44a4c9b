package io.postrider.client;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import okhttp3.Credentials;
import org.jspecify.annotations.Nullable;

/** Registers devices of one app, from the device itself or from the app's server. Thread-safe. */
public final class Registrar {
    private final Rest rest;
    private final String appKey;
    private final @Nullable String authorization;

    private Registrar(Rest rest, String appKey, @Nullable String authorization) {
        this.rest = rest;
        this.appKey = appKey;
        this.authorization = authorization;
    }

    /** A registrar like this one with other threads, or another trust. */
    public Registrar using(Threads threads) {
        return new Registrar(rest.using(threads), appKey, authorization);
    }

    private static Rest rest(String server) {
        return new Rest(Threads.shared(), server);
    }

    /** On a device, which knows the app's key only. */
    public static Registrar onDevice(String server, String appKey) {
        return new Registrar(rest(server), appKey, null);
    }

    /** On a device that was registered before, which proves it by its token. */
    public static Registrar onDevice(String server, String appKey, String deviceToken) {
        return new Registrar(rest(server), appKey, "Bearer " + deviceToken);
    }

    /** On the app's server, whose word is enough for any device. */
    public static Registrar onServer(String server, String appKey, String masterSecret) {
        return new Registrar(rest(server), appKey, Credentials.basic(appKey, masterSecret));
    }

    /** What a device says of itself. */
    public static final class Profile {
        private final String platform;
        private @Nullable String deviceId;
        private @Nullable String user;
        private @Nullable List<String> tags;

        /**
         * @param platform android, ios, web, desktop or iot
         */
        public Profile(String platform) {
            this.platform = platform;
        }

        /** Without one, the server makes one up. */
        public Profile deviceId(String id) {
            this.deviceId = id;
            return this;
        }

        public Profile user(String name) {
            this.user = name;
            return this;
        }

        public Profile tags(String... names) {
            this.tags = Arrays.asList(names);
            return this;
        }
    }

    /** A registered device: what it needs to connect. */
    public static final class Registered {
        final Rest rest;
        private final String deviceId;
        private final String deviceToken;
        private final List<Gateway> gateways;

        Registered(Rest rest, String deviceId, String deviceToken, List<Gateway> gateways) {
            this.rest = rest;
            this.deviceId = deviceId;
            this.deviceToken = deviceToken;
            this.gateways = Collections.unmodifiableList(gateways);
        }

        public String deviceId() {
            return deviceId;
        }

        public String deviceToken() {
            return deviceToken;
        }

        /** In the order in which they should be tried. */
        public List<Gateway> gateways() {
            return gateways;
        }

        List<Gateway> gatewaysByNow() throws IOException {
            return Registrar.gateways(rest, deviceId);
        }
    }

    /**
     * Registers a device, new or known.
     *
     * @throws PostriderException if the server refuses
     */
    public Registered register(Profile profile) throws IOException {
        String body =
                Rest.json(out -> {
                    out.writeStringField("appKey", appKey);
                    out.writeStringField("platform", profile.platform);
                    if (profile.deviceId != null) {
                        out.writeStringField("deviceId", profile.deviceId);
                    }
                    if (profile.user != null) {
                        out.writeStringField("user", profile.user);
                    }
                    if (profile.tags != null) {
                        out.writeArrayFieldStart("tags");
                        for (String tag : profile.tags) {
                            out.writeString(tag);
                        }
                        out.writeEndArray();
                    }
                });
        Rest.Answer answer = rest.post("/v1/devices", authorization, Collections.emptyMap(), body);
        if (answer.status != 200 && answer.status != 201) {
            throw answer.refusal();
        }
        return new Registered(
                rest, answer.field("deviceId"), answer.field("deviceToken"), listed(answer.text));
    }

    /**
     * Where a device is to connect by now, in the order in which it should try them.
     *
     * @throws PostriderException if the server refuses
     */
    public List<Gateway> gateways(String deviceId) throws IOException {
        return gateways(rest, deviceId);
    }

    private static List<Gateway> gateways(Rest rest, String deviceId) throws IOException {
        Rest.Answer answer = rest.get("/v1/gateways", "device", deviceId);
        if (answer.status != 200) {
            throw answer.refusal();
        }
        return listed(answer.text);
    }

    static List<Gateway> listed(String answer) throws IOException {
        List<Gateway> gateways = new ArrayList<>();
        try (JsonParser in = Rest.JSON.createParser(answer)) {
            boolean inside = false;
            for (JsonToken token = in.nextToken(); token != null; token = in.nextToken()) {
                String name = in.currentName();
                if (token == JsonToken.START_ARRAY && "gateways".equals(name)) {
                    inside = true;
                } else if (token == JsonToken.END_ARRAY) {
                    inside = false;
                } else if (inside && token == JsonToken.VALUE_STRING && "address".equals(name)) {
                    Gateway gateway = Gateway.known(in.getText());
                    if (gateway != null) {
                        gateways.add(gateway);
                    }
                }
            }
        }
        return gateways;
    }
}
