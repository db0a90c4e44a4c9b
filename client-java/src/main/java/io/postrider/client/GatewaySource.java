package io.postrider.client;

import java.io.IOException;
import java.util.List;

/** Asks where to connect, where none of the gateways that are known answers any more. May block. */
public interface GatewaySource {
    /** In the order in which they should be tried. */
    List<Gateway> gateways() throws IOException;
}
