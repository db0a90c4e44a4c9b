package io.postrider.server.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.postrider.server.delivery.NodeRegistry.Node;
import io.postrider.server.delivery.NodeRegistry.Self;
import io.postrider.server.delivery.Placement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

class MembersTest {
    private static final int DEVICES = 20_000;

    private static Node node(int number, int capacity) {
        String gateway = "tcp://node" + number + ":7700";
        return new Node(number, new Self("local", "1", List.of(gateway), capacity), number);
    }

    private static Map<Long, Integer> firsts(List<Node> nodes) {
        Map<Long, Integer> firsts = new HashMap<>();
        for (int i = 0; i < DEVICES; i++) {
            firsts.merge(
                    Members.inOrder(nodes, Placement.of("device-" + i)).get(0).number(),
                    1,
                    Integer::sum);
        }
        return firsts;
    }

    @Test
    void eachNodeHasAsManyDevicesAsItsCapacitySays() {
        Map<Long, Integer> firsts = firsts(List.of(node(1, 100), node(2, 100), node(3, 200)));
        assertThat(firsts.get(1L)).isCloseTo(DEVICES / 4, Percentage.withPercentage(5));
        assertThat(firsts.get(2L)).isCloseTo(DEVICES / 4, Percentage.withPercentage(5));
        assertThat(firsts.get(3L)).isCloseTo(DEVICES / 2, Percentage.withPercentage(5));
    }

    @Test
    void aNodeThatLeavesMovesItsOwnDevicesOnly() {
        List<Node> all = List.of(node(1, 100), node(2, 100), node(3, 100));
        List<Node> left = List.of(node(3, 100), node(1, 100));
        for (int i = 0; i < 1_000; i++) {
            List<Node> before = new ArrayList<>(Members.inOrder(all, Placement.of("d" + i)));
            before.removeIf(node -> node.number() == 2);
            assertThat(Members.inOrder(left, Placement.of("d" + i))).isEqualTo(before);
        }
    }

    @Test
    void aNodesNextRunHasTheSameDevices() {
        Node again = new Node(77, node(1, 100).self(), 9);
        for (int i = 0; i < 1_000; i++) {
            boolean first =
                    Members.inOrder(List.of(node(1, 100), node(2, 100)), Placement.of("d" + i))
                                    .get(0)
                                    .number()
                            == 1;
            boolean firstAgain =
                    Members.inOrder(List.of(again, node(2, 100)), Placement.of("d" + i))
                                    .get(0)
                                    .number()
                            == 77;
            assertThat(firstAgain).isEqualTo(first);
        }
    }

    @Test
    void aNodeThatHasNotSaidWhereItIsGetsNoDevices() {
        Node starting = new Node(1, new Self("local", "", List.of(), 0), 1);
        assertThat(Members.inOrder(List.of(starting, node(2, 1)), Placement.of("d")))
                .containsExactly(node(2, 1));
    }
}
