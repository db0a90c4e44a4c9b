/**
 * The Java SDK: {@link io.postrider.client.DeviceClient} keeps one device connected and hands it
 * its messages, {@link io.postrider.client.Publisher} publishes from an app's server, {@link
 * io.postrider.client.Registrar} registers devices.
 *
 * <p>Runs on Java 11 and on Android from API 26. A device connection takes one thread, made by the
 * caller's factory; timers are shared by all. Must not know the server.
 */
@NullMarked
package io.postrider.client;

import org.jspecify.annotations.NullMarked;
