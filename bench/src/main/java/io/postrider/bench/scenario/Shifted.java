package io.postrider.bench.scenario;

import io.netty.channel.Channel;
import io.postrider.bench.Progress;
import io.postrider.bench.peer.Loops;
import io.postrider.bench.peer.Peer;
import java.util.List;

/** A peer's devices from a number on, counted from 0 again: for a second crowd. */
record Shifted(Peer peer, int by) implements Peer {
    @Override
    public String name() {
        return peer.name();
    }

    @Override
    public List<Long> pids() {
        return peer.pids();
    }

    @Override
    public boolean isJava() {
        return peer.isJava();
    }

    @Override
    public void prepare(int devices, Progress progress) throws Exception {
        peer.prepare(by + devices, progress);
    }

    @Override
    public void prepareAbsent(int devices, Loops loops, Progress progress) throws Exception {
        peer.prepareAbsent(by + devices, loops, progress);
    }

    @Override
    public void speakFor(int device, Channel channel, Listener listener) {
        peer.speakFor(
                by + device,
                channel,
                new Listener() {
                    @Override
                    public void ready(int number) {
                        listener.ready(device);
                    }

                    @Override
                    public void message(int number, long sentNanos) {
                        listener.message(device, sentNanos);
                    }

                    @Override
                    public void gone(int number) {
                        listener.gone(device);
                    }

                    @Override
                    public void settled(int number) {
                        listener.settled(device);
                    }
                });
    }

    @Override
    public int port(int device) {
        return peer.port(by + device);
    }

    @Override
    public Publishing publishing(Loops loops, Delivery delivery) throws Exception {
        return peer.publishing(loops, delivery);
    }

    @Override
    public void close() {
        peer.close();
    }
}
