package io.postrider.bench.micro;

import io.postrider.protocol.JsonFrames;
import io.postrider.protocol.MalformedFrameException;
import io.postrider.protocol.v1.Ack;
import io.postrider.protocol.v1.ClientFrame;
import io.postrider.protocol.v1.Push;
import io.postrider.protocol.v1.ServerFrame;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** A push with 256 bytes of data is written; an ack of one message is read. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class FramesBenchmark {
    private static final long ID = 117_994_720_772_227_072L;

    private final ServerFrame push =
            ServerFrame.newBuilder()
                    .setPush(
                            Push.newBuilder()
                                    .setId(ID)
                                    .setData('"' + "x".repeat(256) + '"')
                                    .setCreatedAt(1_795_000_000_000L)
                                    .setExpiresAt(1_795_000_600_000L))
                    .build();
    private final ClientFrame ack =
            ClientFrame.newBuilder().setAck(Ack.newBuilder().addIds(ID)).build();
    private final byte[] ackInProtobuf = ack.toByteArray();
    private final byte[] ackInJson = JsonFrames.write(ack);

    @Benchmark
    public byte[] writePushInProtobuf() {
        return push.toByteArray();
    }

    @Benchmark
    public byte[] writePushInJson() {
        return JsonFrames.write(push);
    }

    @Benchmark
    public ClientFrame readAckInProtobuf() throws IOException {
        return ClientFrame.parseFrom(ackInProtobuf);
    }

    @Benchmark
    public ClientFrame readAckInJson() throws MalformedFrameException {
        return JsonFrames.readClient(ackInJson);
    }
}
