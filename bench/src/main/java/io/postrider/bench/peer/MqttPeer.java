package io.postrider.bench.peer;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.mqtt.MqttConnAckMessage;
import io.netty.handler.codec.mqtt.MqttDecoder;
import io.netty.handler.codec.mqtt.MqttEncoder;
import io.netty.handler.codec.mqtt.MqttFixedHeader;
import io.netty.handler.codec.mqtt.MqttMessage;
import io.netty.handler.codec.mqtt.MqttMessageBuilders;
import io.netty.handler.codec.mqtt.MqttMessageIdVariableHeader;
import io.netty.handler.codec.mqtt.MqttMessageType;
import io.netty.handler.codec.mqtt.MqttPubAckMessage;
import io.netty.handler.codec.mqtt.MqttPublishMessage;
import io.netty.handler.codec.mqtt.MqttQoS;
import io.netty.handler.codec.mqtt.MqttSubAckMessage;
import io.netty.handler.codec.mqtt.MqttVersion;
import io.netty.util.ReferenceCountUtil;
import io.postrider.bench.Progress;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** A broker that speaks MQTT 3.1.1: each device has a topic of its own, and all have one. */
final class MqttPeer extends LocalServer {
    private static final int MOST_BYTES = 1 << 20;
    private static final int IDS = 65_535;

    private volatile boolean keepsSessions;

    /** See {@link LocalServer}. */
    MqttPeer(String name, boolean java, Path folder, ServerProcess process, int port) {
        super(name, java, folder, process, port);
    }

    /** Each subscribes once in a session that the broker keeps, and goes. */
    @Override
    public void prepareAbsent(int devices, Loops loops, Progress progress) throws Exception {
        keepsSessions = true;
        for (int i = 0; i < devices; i++) {
            CompletableFuture<Boolean> subscribed = new CompletableFuture<>();
            int device = i;
            Listener listener =
                    new Listener() {
                        @Override
                        public void ready(int number) {
                            subscribed.complete(true);
                        }

                        @Override
                        public void message(int number, long sentNanos) {}

                        @Override
                        public void gone(int number) {}
                    };
            Channel channel =
                    loops.open(i, port(), opened -> speakFor(device, opened, listener))
                            .sync()
                            .channel();
            subscribed.get();
            channel.close().sync();
        }
    }

    private static void addCodec(Channel channel) {
        channel.pipeline().addLast(new MqttDecoder(MOST_BYTES), MqttEncoder.INSTANCE);
    }

    private static MqttMessage connect(String client, boolean clean) {
        return MqttMessageBuilders.connect()
                .clientId(client)
                .protocolVersion(MqttVersion.MQTT_3_1_1)
                .cleanSession(clean)
                .keepAlive(300)
                .build();
    }

    private static MqttPubAckMessage acknowledge(int id) {
        return new MqttPubAckMessage(
                new MqttFixedHeader(MqttMessageType.PUBACK, false, MqttQoS.AT_MOST_ONCE, false, 2),
                MqttMessageIdVariableHeader.from(id));
    }

    @Override
    public void speakFor(int device, Channel channel, Listener listener) {
        addCodec(channel);
        channel.pipeline()
                .addLast(
                        new ChannelInboundHandlerAdapter() {
                            private boolean acked;

                            @Override
                            public void channelActive(ChannelHandlerContext ctx) {
                                ctx.writeAndFlush(
                                        connect("d" + device, !keepsSessions), ctx.voidPromise());
                            }

                            @Override
                            public void channelRead(ChannelHandlerContext ctx, Object in) {
                                try {
                                    switch (in) {
                                        case MqttConnAckMessage connected ->
                                                ctx.writeAndFlush(
                                                        MqttMessageBuilders.subscribe()
                                                                .messageId(1)
                                                                .addSubscription(
                                                                        MqttQoS.AT_LEAST_ONCE,
                                                                        "all")
                                                                .addSubscription(
                                                                        MqttQoS.AT_LEAST_ONCE,
                                                                        "d/" + device)
                                                                .build(),
                                                        ctx.voidPromise());
                                        case MqttSubAckMessage subscribed -> listener.ready(device);
                                        case MqttPublishMessage message -> message(ctx, message);
                                        default -> {}
                                    }
                                } finally {
                                    ReferenceCountUtil.release(in);
                                }
                            }

                            private void message(
                                    ChannelHandlerContext ctx, MqttPublishMessage message) {
                                if (message.fixedHeader().qosLevel() == MqttQoS.AT_LEAST_ONCE) {
                                    ctx.write(
                                            acknowledge(message.variableHeader().packetId()),
                                            ctx.voidPromise());
                                    acked = true;
                                }
                                ByteBuf payload = message.payload();
                                listener.message(
                                        device, Payload.nanos(payload, payload.readerIndex()));
                            }

                            @Override
                            public void channelReadComplete(ChannelHandlerContext ctx) {
                                if (acked) {
                                    acked = false;
                                    ctx.flush();
                                }
                            }

                            @Override
                            public void channelInactive(ChannelHandlerContext ctx) {
                                listener.gone(device);
                            }
                        });
    }

    @Override
    public Publishing publishing(Loops loops, Delivery delivery) throws Exception {
        MqttQoS qos = delivery == Delivery.ONLINE ? MqttQoS.AT_MOST_ONCE : MqttQoS.AT_LEAST_ONCE;
        Map<Integer, Runnable> waiting = new ConcurrentHashMap<>();
        CompletableFuture<Boolean> ready = new CompletableFuture<>();
        Channel channel =
                loops.open(
                                0,
                                port(),
                                opened -> {
                                    addCodec(opened);
                                    opened.pipeline().addLast(new Publisher(ready, waiting));
                                })
                        .sync()
                        .channel();
        ready.get();
        AtomicInteger ids = new AtomicInteger();
        return (device, sentNanos, taken) -> {
            int id = 1 + Math.floorMod(ids.getAndIncrement(), IDS);
            if (qos == MqttQoS.AT_LEAST_ONCE) {
                waiting.put(id, taken);
            }
            channel.writeAndFlush(
                    MqttMessageBuilders.publish()
                            .topicName(device == Publishing.ALL ? "all" : "d/" + device)
                            .qos(qos)
                            .messageId(id)
                            .payload(Unpooled.wrappedBuffer(Payload.at(sentNanos)))
                            .build(),
                    channel.voidPromise());
            if (qos == MqttQoS.AT_MOST_ONCE) {
                taken.run();
            }
        };
    }

    private static final class Publisher extends ChannelInboundHandlerAdapter {
        private final CompletableFuture<Boolean> ready;
        private final Map<Integer, Runnable> waiting;

        Publisher(CompletableFuture<Boolean> ready, Map<Integer, Runnable> waiting) {
            this.ready = ready;
            this.waiting = waiting;
        }

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            ctx.writeAndFlush(connect("publisher", true), ctx.voidPromise());
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object in) {
            if (in instanceof MqttConnAckMessage) {
                ready.complete(true);
            } else if (in instanceof MqttPubAckMessage acked) {
                Runnable taken = waiting.remove(acked.variableHeader().messageId());
                if (taken != null) {
                    taken.run();
                }
            }
            ReferenceCountUtil.release(in);
        }
    }
}
