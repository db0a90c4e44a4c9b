package io.postrider.server.identity;

import com.password4j.Argon2Function;
import com.password4j.types.Argon2;
import java.util.concurrent.Semaphore;

/**
 * Argon2id for developers' passwords (RFC 9106): 19 MiB, 2 passes, 1 lane, 32 bytes, 16 letters of
 * salt. Blocks for about 50 ms; at most two at once, so that logins cannot take the machine.
 */
public final class Passwords {
    /** Of no password: its bytes are 1 to 32. */
    static final String DUMMY =
            "$argon2id$v=19$m=19456,t=2,p=1$cG9zdHJpZGVyIGR1bW15IQ$"
                    + "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA";

    private final Semaphore slots = new Semaphore(2);

    /** Made when the first password comes: it keeps 19 MiB. */
    private static Argon2Function argon2() {
        return Argon2Function.getInstance(19 * 1024, 2, 1, 32, Argon2.ID);
    }

    public String hash(String password) {
        slots.acquireUninterruptibly();
        try {
            return argon2().hash(password, Secrets.letters(16)).getResult();
        } finally {
            slots.release();
        }
    }

    public boolean matches(String password, String hash) {
        slots.acquireUninterruptibly();
        try {
            return Argon2Function.getInstanceFromHash(hash).check(password, hash);
        } finally {
            slots.release();
        }
    }

    /** Whether a hash was made with the parameters in force. */
    public boolean isCurrent(String hash) {
        return argon2().equals(Argon2Function.getInstanceFromHash(hash));
    }

    /** Takes as long as a check and fails: for names that do not exist. */
    public boolean refuse(String password) {
        matches(password, DUMMY);
        return false;
    }
}
