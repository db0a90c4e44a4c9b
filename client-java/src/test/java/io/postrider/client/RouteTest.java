package io.postrider.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.postrider.protocol.v1.GoAway;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class RouteTest {
    private static Route route(String... addresses) {
        return new Route(gateways(addresses), Backoff.random());
    }

    private static List<Gateway> gateways(String... addresses) {
        return Stream.of(addresses).map(Gateway::of).collect(Collectors.toList());
    }

    private static GoAway naming(String... addresses) {
        return GoAway.newBuilder().addAllGateways(Arrays.asList(addresses)).build();
    }

    /** Where it goes on one loss after the other. */
    private static List<String> onLosses(Route route, int losses) {
        return Stream.generate(
                        () -> {
                            route.leaving();
                            route.afterLoss();
                            return route.gateway().address();
                        })
                .limit(losses)
                .collect(Collectors.toList());
    }

    private static String asked(Route route, GoAway frame) {
        route.asked(frame);
        route.afterLoss();
        return route.gateway().address();
    }

    @Test
    void lossesLeadFromGatewayToGateway() {
        assertThat(onLosses(route("tcp://a:1", "tcp://b:1"), 3))
                .containsExactly("tcp://b:1", "tcp://a:1", "tcp://b:1");
    }

    @Test
    void itGoesWhereTheServerSaysAndKnowsThoseFromThenOn() {
        Route route = route("tcp://a:1", "tcp://b:1");
        assertThat(asked(route, naming("ws://c:1/gateway", "tcp://c:1", "tcp://b:1")))
                .isEqualTo("tcp://c:1");
        assertThat(onLosses(route, 3)).containsExactly("tcp://b:1", "tcp://a:1", "tcp://c:1");
    }

    @Test
    void whatTheServerNamedBeforeIsForgottenAndTheRegisteredNever() {
        Route route = route("tcp://a:1");
        assertThat(asked(route, naming("tcp://b:1"))).isEqualTo("tcp://b:1");
        assertThat(asked(route, naming("tcp://c:1"))).isEqualTo("tcp://c:1");
        assertThat(onLosses(route, 2)).containsExactly("tcp://a:1", "tcp://c:1");
    }

    @Test
    void whatTheServerNamedCanBeForgotten() {
        Route route = route("tcp://a:1", "tcp://b:1");
        asked(route, naming("tcp://c:1", "tcp://d:1", "tcp://b:1"));
        assertThat(route.forgetNamed()).isTrue();
        assertThat(onLosses(route, 1)).containsExactly("tcp://d:1");
        assertThat(route.forgetNamed()).isTrue();
        assertThat(onLosses(route, 3)).containsExactly("tcp://b:1", "tcp://a:1", "tcp://b:1");
        assertThat(route.forgetNamed()).isFalse();
    }

    @Test
    void itStaysWhereNoneIsNamedThatItCanUse() {
        Route route = route("tls://a:1", "tls://b:1");
        assertThat(asked(route, GoAway.getDefaultInstance())).isEqualTo("tls://a:1");
        assertThat(asked(route, naming("wss://b:1/gateway", "quic://b:1", "not an address")))
                .isEqualTo("tls://a:1");
    }

    @Test
    void nothingLeadsFromAnEncryptedGatewayToOneInTheClear() {
        assertThat(asked(route("tls://a:1"), naming("tcp://b:1"))).isEqualTo("tls://a:1");
        assertThat(asked(route("wss://a:1/g"), naming("ws://b:1/g"))).isEqualTo("wss://a:1/g");
        assertThat(asked(route("tcp://a:1"), naming("tls://b:1"))).isEqualTo("tls://b:1");
        assertThat(asked(route("ws://a:1/g"), naming("wss://b:1/g"))).isEqualTo("wss://b:1/g");
    }

    @Test
    void itIsLostWithEachFifthAttemptThatMeetsSilence() {
        Route route = route("tcp://a:1", "tcp://b:1");
        List<Integer> lost =
                IntStream.rangeClosed(1, 11)
                        .filter(loss -> {
                            route.leaving();
                            route.afterLoss();
                            return route.isLost();
                        })
                        .boxed()
                        .collect(Collectors.toList());
        assertThat(lost).containsExactly(5, 10);
    }

    @Test
    void whoIsRefusedOrSentElsewhereIsNotLost() {
        Route route = route("tcp://a:1");
        for (int i = 0; i < 5; i++) {
            route.heard();
            onLosses(route, 1);
            assertThat(route.isLost()).isFalse();
        }
        onLosses(route, 4);
        assertThat(route.isLost()).isTrue();
        route.heard();
        asked(route, GoAway.getDefaultInstance());
        assertThat(route.isLost()).isFalse();
    }

    @Test
    void onAnotherNetworkItIsNotLostYet() {
        Route route = route("tcp://a:1");
        onLosses(route, 5);
        route.afterChange();
        assertThat(route.isLost()).isFalse();
    }

    @Test
    void otherGatewaysTakeThePlaceOfTheRegistered() {
        Route route = route("tls://a:1", "tls://b:1");
        asked(route, naming("tls://c:1"));
        route.register(gateways("tcp://d:1", "wss://d:1/gateway", "tls://e:1", "tls://f:1"));
        assertThat(route.gateway().address()).isEqualTo("tls://e:1");
        assertThat(onLosses(route, 2)).containsExactly("tls://f:1", "tls://e:1");
    }

    @Test
    void theSameGatewaysOrNoneChangeNothing() {
        Route route = route("tcp://a:1", "tcp://b:1");
        onLosses(route, 1);
        route.register(gateways("tcp://a:1", "tcp://b:1"));
        route.register(gateways("ws://a:1/gateway"));
        assertThat(route.gateway().address()).isEqualTo("tcp://b:1");
    }

    @Test
    void itComesBackWhenTheServerSays() {
        Route route = route("tcp://a:1");
        route.asked(GoAway.newBuilder().setReconnectAfterMs(1_200).setSpreadMs(3_000).build());
        assertThat(route.afterLoss()).isBetween(1_200L, 4_200L);
        assertThat(route.attempt()).isEqualTo(1);
    }
}
