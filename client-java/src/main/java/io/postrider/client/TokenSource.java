package io.postrider.client;

import java.io.IOException;

/** Gets a new device token where the old one is refused, by registering again. May block. */
public interface TokenSource {
    String newToken() throws IOException;
}
