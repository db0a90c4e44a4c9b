package io.postrider.server.demo;

import java.util.List;
import java.util.Map;

/** What a run is made on, and what happens to it meanwhile. */
interface Stage extends AutoCloseable {
    /** Starts it, and waits until it takes traffic. */
    void start();

    /** Where the nodes' REST is. The first of them lives to the end. */
    List<String> http();

    /** To happen in this order, with about as much published before each as after it. */
    List<Disaster> disasters();

    /** How often what has happened, by the name in the last line. */
    Map<String, Integer> happened();

    /** Ends everything at once. */
    @Override
    void close();

    /**
     * @param what in a few words
     */
    record Disaster(String what, Runnable happening) {}
}
