package io.postrider.server.identity;

import static org.assertj.core.api.Assertions.assertThat;

import com.password4j.Argon2Function;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class PasswordsTest {
    private final Passwords passwords = new Passwords();

    @Test
    void aPasswordMatchesItsHashOnly() {
        String hash = passwords.hash("a password");
        assertThat(passwords.matches("a password", hash)).isTrue();
        assertThat(passwords.matches("a passwore", hash)).isFalse();
        assertThat(passwords.hash("a password")).isNotEqualTo(hash);
        assertThat(passwords.isCurrent(hash)).isTrue();
    }

    @Test
    void aNameThatDoesNotExistCostsWhatACheckCosts() {
        assertThat(passwords.isCurrent(Passwords.DUMMY)).isTrue();
        String salt = Passwords.DUMMY.split("\\$")[4];
        assertThat(Arrays.asList(passwords.hash("any").split("\\$")).get(4)).hasSameSizeAs(salt);
        assertThat(Argon2Function.getInstanceFromHash(Passwords.DUMMY).getMemory())
                .isEqualTo(19 * 1024);
        assertThat(passwords.refuse("any")).isFalse();
    }
}
