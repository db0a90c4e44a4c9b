package io.postrider.server.publish;

import io.postrider.server.identity.Platform;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import org.roaringbitmap.RoaringBitmap;

/** One app's devices by tag and platform. Confined to its user's lock. */
final class TagSets {
    private static final RoaringBitmap NOBODY = new RoaringBitmap();

    private final RoaringBitmap live = new RoaringBitmap();
    private final Map<Platform, RoaringBitmap> byPlatform = new EnumMap<>(Platform.class);
    private final Map<String, RoaringBitmap> byTag = new HashMap<>();

    RoaringBitmap live() {
        return live;
    }

    RoaringBitmap tagged(String tag) {
        return byTag.getOrDefault(tag, NOBODY);
    }

    RoaringBitmap on(Platform platform) {
        return byPlatform.getOrDefault(platform, NOBODY);
    }

    void apply(AudienceLog.Change change) {
        int number = change.number();
        if (change.oldPlatform() != null) {
            on(change.oldPlatform()).remove(number);
        }
        if (change.newPlatform() == null) {
            live.remove(number);
        } else {
            live.add(number);
            byPlatform
                    .computeIfAbsent(change.newPlatform(), platform -> new RoaringBitmap())
                    .add(number);
        }
        for (String tag : change.removedTags()) {
            RoaringBitmap tagged = byTag.get(tag);
            if (tagged != null) {
                tagged.remove(number);
                if (tagged.isEmpty()) {
                    byTag.remove(tag);
                }
            }
        }
        for (String tag : change.addedTags()) {
            byTag.computeIfAbsent(tag, name -> new RoaringBitmap()).add(number);
        }
    }

    byte[] write() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            live.serialize(out);
            out.writeInt(byPlatform.size());
            for (Map.Entry<Platform, RoaringBitmap> entry : byPlatform.entrySet()) {
                out.writeUTF(entry.getKey().word());
                entry.getValue().serialize(out);
            }
            out.writeInt(byTag.size());
            for (Map.Entry<String, RoaringBitmap> entry : byTag.entrySet()) {
                out.writeUTF(entry.getKey());
                entry.getValue().serialize(out);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory failed", e);
        }
        return bytes.toByteArray();
    }

    static TagSets read(byte[] bytes) {
        TagSets sets = new TagSets();
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
            sets.live.deserialize(in);
            int platforms = in.readInt();
            for (int i = 0; i < platforms; i++) {
                Platform platform = Platform.of(in.readUTF()).orElseThrow();
                sets.byPlatform.put(platform, bitmap(in));
            }
            int tags = in.readInt();
            for (int i = 0; i < tags; i++) {
                String tag = in.readUTF();
                sets.byTag.put(tag, bitmap(in));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("a snapshot of an audience cannot be read", e);
        }
        return sets;
    }

    private static RoaringBitmap bitmap(DataInputStream in) throws IOException {
        RoaringBitmap bitmap = new RoaringBitmap();
        bitmap.deserialize(in);
        return bitmap;
    }
}
