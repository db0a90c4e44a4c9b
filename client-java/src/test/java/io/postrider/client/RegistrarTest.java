package io.postrider.client;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;

class RegistrarTest {
    @Test
    void gatewaysOfAKindOfTheFutureAreLeftOut() throws IOException {
        String answer =
                "{\"deviceId\":\"d\",\"gateways\":["
                        + "{\"transport\":\"quic\",\"address\":\"quic://a:1\"},"
                        + "{\"transport\":\"tcp\",\"address\":\"tcp://a:2\",\"weight\":[1]}],"
                        + "\"address\":\"tcp://b:1\"}";
        assertThat(Registrar.listed(answer)).containsExactly(Gateway.of("tcp://a:2"));
    }
}
