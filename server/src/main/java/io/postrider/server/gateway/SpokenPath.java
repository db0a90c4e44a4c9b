package io.postrider.server.gateway;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.http.websocketx.CorruptedWebSocketFrameException;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketCloseStatus;
import io.netty.util.ReferenceCountUtil;
import io.postrider.protocol.CloseCode;
import io.postrider.server.gateway.WebSocketPath.Speaker;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The last handler of a connection on another path than the devices' own. */
final class SpokenPath extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(SpokenPath.class);

    private final Socket socket;
    private final Speaker speaker;

    SpokenPath(Socket socket, Function<Socket, Speaker> path) {
        this.socket = socket;
        this.speaker = path.apply(socket);
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        speaker.opened();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object in) {
        try {
            speaker.alive();
            if (in instanceof TextWebSocketFrame frame && !socket.isClosing()) {
                speaker.heard(frame.text());
            } else if (!socket.answered(in)) {
                violated(WebSocketCloseStatus.INVALID_MESSAGE_TYPE);
            }
        } finally {
            ReferenceCountUtil.release(in);
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        socket.readIfWelcome();
        speaker.writabilityChanged();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        socket.closed();
        speaker.closed();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        switch (cause) {
            case TooLongFrameException e -> violated(WebSocketCloseStatus.MESSAGE_TOO_BIG);
            case CorruptedWebSocketFrameException e -> violated(e.closeStatus());
            case Throwable e when FirstBytes.isPeersFault(e) -> ctx.close();
            default -> {
                LOG.error("a connection failed", cause);
                socket.close(CloseCode.INTERNAL_ERROR.number(), CloseCode.INTERNAL_ERROR.reason());
            }
        }
    }

    private void violated(WebSocketCloseStatus status) {
        socket.close(status.code(), status.reasonText());
    }
}
