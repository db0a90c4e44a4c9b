package io.postrider.bench.peer;

import io.postrider.bench.Progress;
import java.nio.file.Path;
import java.util.List;

/** A server that runs here, in a folder that goes with it. By itself it keeps nothing. */
abstract class LocalServer implements Peer {
    private final String name;
    private final boolean java;
    private final Path folder;
    private final ServerProcess process;
    private final int port;

    /**
     * @param folder of its files, deleted at the end
     * @param port where devices connect
     */
    LocalServer(String name, boolean java, Path folder, ServerProcess process, int port) {
        this.name = name;
        this.java = java;
        this.folder = folder;
        this.process = process;
        this.port = port;
    }

    Path folder() {
        return folder;
    }

    @Override
    public final String name() {
        return name;
    }

    @Override
    public List<Long> pids() {
        return List.of(process.pid());
    }

    @Override
    public final boolean isJava() {
        return java;
    }

    final int port() {
        return port;
    }

    @Override
    public int port(int device) {
        return port;
    }

    @Override
    public void prepare(int devices, Progress progress) throws Exception {
        // Whoever subscribes is a device.
    }

    @Override
    public void prepareAbsent(int devices, Loops loops, Progress progress) throws Exception {
        throw new UnsupportedOperationException(name + " keeps nothing for those who are away");
    }

    @Override
    public void close() {
        process.close();
        Folders.delete(folder);
    }
}
