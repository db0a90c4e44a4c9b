package io.postrider.bench.peer;

import io.netty.channel.Channel;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.websocketx.WebSocketClientProtocolConfig;
import io.netty.handler.codec.http.websocketx.WebSocketClientProtocolHandler;
import org.jspecify.annotations.Nullable;

/** The client's end of a WebSocket; whoever comes next in the pipeline hears frames. */
final class WebSockets {
    private static final int MOST_BYTES = 65_536;

    private WebSockets() {}

    static void addTo(Channel channel, String uri, @Nullable String subprotocol) {
        channel.pipeline()
                .addLast(
                        new HttpClientCodec(),
                        new HttpObjectAggregator(MOST_BYTES),
                        new WebSocketClientProtocolHandler(
                                WebSocketClientProtocolConfig.newBuilder()
                                        .webSocketUri(uri)
                                        .subprotocol(subprotocol)
                                        .maxFramePayloadLength(MOST_BYTES)
                                        // Pages have an origin; these are devices.
                                        .generateOriginHeader(false)
                                        .build()));
    }
}
