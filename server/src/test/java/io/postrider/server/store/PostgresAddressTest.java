package io.postrider.server.store;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PostgresAddressTest {
    @Test
    void partsAreDecodedAndThePasswordIsNotInItsText() {
        PostgresAddress address =
                PostgresAddress.of("postgres://ann:p%40ss+w%2Ford@db:5433/push?sslmode=require")
                        .orElseThrow();
        assertThat(address.jdbc()).isEqualTo("jdbc:postgresql://db:5433/push?sslmode=require");
        assertThat(address.user()).contains("ann");
        assertThat(address.password()).contains("p@ss+w/ord");
        assertThat(address).hasToString("db:5433/push");
    }

    @Test
    void aHostMayBeAnAddress() {
        assertThat(PostgresAddress.of("postgres://[::1]:5433,10.0.0.1:1/push").orElseThrow())
                .hasToString("[::1]:5433,10.0.0.1:1/push");
    }

    @Test
    void ofSeveralHostsThePrimaryIsLookedFor() {
        assertThat(PostgresAddress.of("postgresql://a,b:1/push").orElseThrow().jdbc())
                .isEqualTo("jdbc:postgresql://a,b:1/push?targetServerType=primary");
        assertThat(
                        PostgresAddress.of("postgres://a,b/push?targetServerType=any")
                                .orElseThrow()
                                .jdbc())
                .isEqualTo("jdbc:postgresql://a,b/push?targetServerType=any");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "push",
                "mysql://a/b",
                "postgres://",
                "postgres://a",
                "postgres://a/",
                "jdbc:postgresql://a/b",
                "postgres:///b",
                "postgres://u:p@q@a/b",
                "postgres://u:p/q@a/b",
                "postgres://u:p?q@a/b",
                "postgres://u:50%zz@a/b",
                "postgres://a:x/b",
                "postgres://a:0/b",
                "postgres://a,b:65536/b?password=p",
                "postgres://a/b/c"
            })
    void whatIsNoAddressIsNone(String uri) {
        assertThat(PostgresAddress.of(uri)).isEmpty();
    }
}
