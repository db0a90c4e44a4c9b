package io.postrider.server.legacy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.postrider.protocol.v1.Notification;
import io.postrider.protocol.v1.Push;
import io.postrider.server.delivery.Message;
import java.time.Duration;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TillFramesTest {
    private static long id(String messageIdJson) {
        return TillFrames.read(
                        "{\"action\":\"gotMessage\",\"req\":{\"message_id\":"
                                + messageIdJson
                                + "}}")
                .map(request -> TillFrames.messageId(request.body()))
                .orElse(-1L);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "\"375176\"|375176",
                "375176|375176",
                "\"375176.0\"|375176",
                "375176.0|375176",
                "3.75176E5|375176",
                "\" 375176 \"|375176",
                "\"9223372036854775807\"|9223372036854775807",
                "9223372036854775807.0|9223372036854775807",
                "\"1.18158944043532288E17\"|118158944043532288",
                "1.18158944043532288E17|118158944043532288",
                "\"375176.00\"|375176"
            })
    void anIdIsReadInEveryForm(String json, long expected) {
        assertThat(id(json)).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"\"",
                "\"375176.5\"",
                "375176.5",
                "-1",
                "\"-1\"",
                "9223372036854775808",
                "\"9223372036854775808\"",
                "1e999999999",
                "\"1e99999999999\"",
                "\"1e999999999\"",
                "\"1e-999999999\"",
                "null",
                "{}",
                "[375176]",
                "true",
                "\"x\"",
                "0"
            })
    void whatIsNoIdIsNone(String json) {
        Assertions.assertTimeoutPreemptively(
                Duration.ofSeconds(5), () -> assertThat(id(json)).isZero());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "null",
                "[]",
                "{",
                "{}",
                "{\"action\":7}",
                "\u0000",
                "7",
                "\"x\"",
                "{\"action\":\"gotMessage\",\"req\":{\"message_id\":1e99999999999}}"
            })
    void whatIsNoFrameIsNone(String text) {
        assertThat(TillFrames.read(text)).isEmpty();
    }

    @Property
    void noTextBreaksTheReader(@ForAll String text) {
        assertThatCode(() -> TillFrames.read(text)).doesNotThrowAnyException();
        assertThatCode(() -> TillFrames.read("{\"action\":\"" + text + "\"}"))
                .doesNotThrowAnyException();
    }

    private static Message message(Push push) {
        return new Message(7, 1, 0, 0, true, false, true, push.toByteArray());
    }

    @Test
    void whatAPublisherLeavesOutIsZeroOrEmpty() {
        String bare =
                "{\"message_id\":\"7\",\"title\":\"\",\"content\":\"\",\"priority\":3,\"type\":0,"
                        + "\"group\":\"\",\"group_oid\":\"\",\"receive_type\":0}";
        String frame =
                "{\"resp_event\":20,\"action\":\"newMessage\",\"resp\":{\"code\":0,"
                        + "\"msg\":\"success\",\"data_type\":0,\"data\":"
                        + bare
                        + "}}";
        for (String data :
                List.of(
                        "null",
                        "7",
                        "[]",
                        "{}",
                        "{\"type\":\"x\",\"group\":null}",
                        "{\"type\":1e400,\"receive_type\":1e999999999}",
                        "{\"type\":1,\"x\":1e99999999999}")) {
            assertThat(TillFrames.newMessage(message(Push.newBuilder().setData(data).build())))
                    .isEqualTo(frame);
        }
        assertThat(TillFrames.newMessage(message(Push.getDefaultInstance()))).isEqualTo(frame);
        assertThat(TillFrames.offLineMessage(List.of(message(Push.getDefaultInstance()))))
                .isEqualTo(
                        "{\"resp_event\":20,\"action\":\"offLineMessage\",\"resp\":{\"code\":0,"
                                + "\"msg\":\"success\",\"data_type\":1,\"data\":["
                                + bare
                                + "]}}");
    }

    @Test
    void whatAPublisherSaysIsThere() {
        Push push =
                Push.newBuilder()
                        .setNotification(Notification.newBuilder().setTitle("T").setBody("C"))
                        .setData(
                                "{\"type\":2,\"group\":\"oto_order@presale\",\"group_oid\":26001,"
                                        + "\"receive_type\":1,\"more\":[]}")
                        .setPriority(1)
                        .build();
        assertThat(TillFrames.newMessage(message(push)))
                .contains(
                        "{\"message_id\":\"7\",\"title\":\"T\",\"content\":\"C\",\"priority\":1,"
                                + "\"type\":2,\"group\":\"oto_order@presale\","
                                + "\"group_oid\":\"26001\",\"receive_type\":1}");
    }
}
