package io.postrider.server.config;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.regex.Pattern;

/** Addresses that have their first bits in common. */
public final class Network {
    private static final String BYTE = "(25[0-5]|2[0-4]\\d|1?\\d?\\d)";
    private static final Pattern ADDRESS =
            Pattern.compile(BYTE + "(\\." + BYTE + "){3}|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*");

    private final byte[] address;
    private final int bits;

    private Network(byte[] address, int bits) {
        this.address = address;
        this.bits = bits;
    }

    /**
     * @param text an address, or an address with the number of common bits, as 10.0.0.0/8
     * @throws SettingsException if it is neither
     */
    public static Network of(String text) {
        String[] parts = text.split("/", 2);
        if (isAddress(parts[0])) {
            byte[] address = parse(parts[0]).getAddress();
            int most = 8 * address.length;
            if (parts.length == 1) {
                return new Network(address, most);
            }
            if (parts[1].matches("\\d{1,3}") && Integer.parseInt(parts[1]) <= most) {
                return new Network(address, Integer.parseInt(parts[1]));
            }
        }
        throw new SettingsException(
                "trusted-proxies has '"
                        + text
                        + "'; each is an address, or a network as 10.0.0.0/8 or fd00::/8");
    }

    static boolean isAddress(String text) {
        return ADDRESS.matcher(text).matches();
    }

    static InetAddress parse(String address) {
        try {
            return InetAddress.getByName(address);
        } catch (UnknownHostException e) {
            throw new SettingsException("'" + address + "' is no address");
        }
    }

    public boolean contains(InetAddress other) {
        byte[] theirs = other.getAddress();
        if (theirs.length != address.length) {
            return false;
        }
        for (int bit = 0; bit < bits; bit++) {
            int mask = 0x80 >> (bit % 8);
            if ((theirs[bit / 8] & mask) != (address[bit / 8] & mask)) {
                return false;
            }
        }
        return true;
    }
}
