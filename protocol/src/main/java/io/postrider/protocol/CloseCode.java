package io.postrider.protocol;

import org.jspecify.annotations.Nullable;

/**
 * Why a server closed a connection. The number's range says what a client does next, so that a
 * client need not know every code:
 *
 * <ul>
 *   <li>below 4200, and every code of RFC 6455: connect again, with back-off;
 *   <li>4200 to 4499: get a new device token or credentials first, then connect again;
 *   <li>4500 to 4999: do not connect again by yourself.
 * </ul>
 */
public enum CloseCode {
    /** The server is stopping; a {@code goaway} said when to come back. */
    SHUTDOWN(4000, "shutdown"),
    /** Nothing was heard for one and a half heartbeats. */
    HEARTBEAT_MISSED(4001, "heartbeat_missed"),
    /** The device did not read what it was sent. */
    SLOW_READER(4002, "slow_reader"),
    /** No {@code connect} within 10 seconds. */
    CONNECT_TIMEOUT(4003, "connect_timeout"),
    /** Something broke on the server; nothing accepted is lost. */
    INTERNAL_ERROR(4004, "internal_error"),
    /** The app has as many connections as it may. */
    QUOTA_EXCEEDED(4005, "quota_exceeded"),

    /** The token is malformed, forged, expired, revoked, or of a device that was deleted. */
    TOKEN_REFUSED(4200, "token_refused"),
    /** The app's credentials are wrong, or were rotated since they were shown. */
    CREDENTIALS_REFUSED(4201, "credentials_refused"),

    /** A frame could not be read. */
    MALFORMED_FRAME(4500, "malformed_frame"),
    /** A frame came before {@code connect} was accepted, or {@code connect} came twice. */
    OUT_OF_ORDER(4501, "out_of_order"),
    /** A frame is longer than the limit. */
    FRAME_TOO_LARGE(4502, "frame_too_large"),
    /** A newer connection of the same device took over. */
    TAKEN_OVER(4503, "taken_over"),
    /** The page's origin is not among those that the app allows. */
    ORIGIN_REFUSED(4504, "origin_refused"),
    /** More pings in a second than any client needs. */
    FLOOD(4505, "flood");

    private final int number;
    private final String reason;

    CloseCode(int number, String reason) {
        this.number = number;
        this.reason = reason;
    }

    /** The number in WebSocket's close frame and in the {@code close} frame on TCP. */
    public int number() {
        return number;
    }

    /** The stable word that goes with the number. */
    public String reason() {
        return reason;
    }

    /** The catalogue's entry for a number, or null for one that this version does not know. */
    public static @Nullable CloseCode of(int number) {
        for (CloseCode code : values()) {
            if (code.number == number) {
                return code;
            }
        }
        return null;
    }

    /** Whether a Postrider server says this number, and not the network or WebSocket. */
    public static boolean isOwn(int number) {
        return number >= SHUTDOWN.number;
    }

    /** Whether a client that was closed with this number may connect again by itself. */
    public static boolean reconnects(int number) {
        return number < 4500;
    }

    /** Whether a client that was closed with this number needs a new token first. */
    public static boolean needsNewToken(int number) {
        return number >= 4200 && number < 4500;
    }
}
