package io.postrider.server.demo;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/** One earthquake of the feed; SOURCE.md beside it says where it is from. */
record Quake(String id, double magnitude, String place, String json) {
    static final List<String> REGIONS =
            List.of(
                    "california",
                    "alaska",
                    "nevada",
                    "caribbean",
                    "hawaii",
                    "northwest",
                    "elsewhere");

    private static final Map<String, String> REGION_BY_PLACE =
            Map.ofEntries(
                    Map.entry("CA", "california"),
                    Map.entry("California", "california"),
                    Map.entry("Alaska", "alaska"),
                    Map.entry("Gulf of Alaska", "alaska"),
                    Map.entry("Nevada", "nevada"),
                    Map.entry("Puerto Rico", "caribbean"),
                    Map.entry("Dominican Republic", "caribbean"),
                    Map.entry("British Virgin Islands", "caribbean"),
                    Map.entry("Hawaii", "hawaii"),
                    Map.entry("Washington", "northwest"),
                    Map.entry("Oregon", "northwest"),
                    Map.entry("Idaho", "northwest"),
                    Map.entry("Montana", "northwest"),
                    Map.entry("Wyoming", "northwest"),
                    Map.entry("Utah", "northwest"));

    /** From here on everyone hears of it, whatever their tags. */
    private static final double STRONGEST = 5.0;

    static List<Quake> all() {
        ObjectMapper json = new ObjectMapper();
        List<Quake> quakes = new ArrayList<>();
        try (InputStream in = Quake.class.getResourceAsStream("earthquakes.ndjson")) {
            if (in == null) {
                throw new IllegalStateException("the jar has no earthquakes.ndjson");
            }
            BufferedReader lines =
                    new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                JsonNode quake = json.readTree(line);
                quakes.add(
                        new Quake(
                                quake.path("id").asString(),
                                quake.path("mag").asDouble(),
                                quake.path("place").asString(),
                                line));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("earthquakes.ndjson cannot be read", e);
        }
        return quakes;
    }

    String region() {
        String last = place.substring(place.lastIndexOf(',') + 1).strip();
        return REGION_BY_PLACE.getOrDefault(last, "elsewhere");
    }

    boolean isForEveryone() {
        return magnitude >= STRONGEST;
    }

    /** The tags of devices that ask for earthquakes from so strong on. */
    List<String> minimumTags() {
        List<String> tags = new ArrayList<>();
        for (int minimum = 0; minimum <= Math.floor(magnitude); minimum++) {
            tags.add("min:" + minimum);
        }
        return tags.isEmpty() ? List.of("min:0") : tags;
    }
}
