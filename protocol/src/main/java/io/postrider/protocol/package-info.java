/**
 * The wire between devices and gateways, version 1: frames (generated from {@code postrider.proto}
 * into {@code v1}), their JSON form, framing on TCP, and the catalogue of close codes.
 *
 * <p>Used by the server and by the SDK. Everything here is stateless or confined to its user; no
 * threads. Must not know who sends or receives, and uses nothing that Java 11 and Android API 26
 * lack.
 */
@NullMarked
package io.postrider.protocol;

import org.jspecify.annotations.NullMarked;
