package io.postrider.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.postrider.protocol.v1.ClientFrame;
import io.postrider.protocol.v1.ServerFrame;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonFramesTest {
    private static ClientFrame client(String json) throws MalformedFrameException {
        return JsonFrames.readClient(json.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
    }

    private static ServerFrame server(String json) throws MalformedFrameException {
        return JsonFrames.readServer(json.getBytes(StandardCharsets.UTF_8));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "{",
                "}",
                "1",
                "'x'",
                "[]",
                "null",
                "{}x",
                "{}{}",
                "{'connect':{}",
                "{'connect':null}",
                "{'connect':[]}",
                "{'connect':{'token':1}}",
                "{'connect':{'token':null}}",
                "{'connect':{'token':'a','token':'b'}}",
                "{'ack':{'ids':'1'}}",
                "{'ack':{'ids':[1]}}",
                "{'ack':{'ids':['']}}",
                "{'ack':{'ids':['-1']}}",
                "{'ack':{'ids':['+1']}}",
                "{'ack':{'ids':['1.0']}}",
                "{'ack':{'ids':['0x1']}}",
                "{'ack':{'ids':['9223372036854775808']}}",
                "{'ack':{'ids':['99999999999999999999']}}",
                "{'ack':{'ids':['１']}}",
                "{'ping':1}",
                "{'ping':{},'ack':{'ids':['1']}}",
            })
    void whatIsNoFrameIsRefused(String json) {
        assertThatThrownBy(() -> client(json)).isInstanceOf(MalformedFrameException.class);
    }

    @Test
    void unknownFramesAndFieldsAreSkipped() throws MalformedFrameException {
        assertThat(client("{'hello':{'deep':[{'x':[1,2,{}]}]}}").getFrameCase())
                .isEqualTo(ClientFrame.FrameCase.FRAME_NOT_SET);
        assertThat(client("{}").getFrameCase()).isEqualTo(ClientFrame.FrameCase.FRAME_NOT_SET);
        assertThat(client("{'connect':{'new':[1],'token':'t','more':{}}}").getConnect().getToken())
                .isEqualTo("t");
        assertThat(server("{\"acked\":{\"results\":[{\"id\":\"1\",\"outcome\":\"brand_new\"}]}}"))
                .isNotNull();
    }

    @Test
    void idsUpToTheLargestAreExact() throws MalformedFrameException {
        assertThat(
                        client("{'ack':{'ids':['9223372036854775807','9007199254740993']}}")
                                .getAck()
                                .getIdsList())
                .containsExactly(Long.MAX_VALUE, 9007199254740993L);
    }

    @Test
    void rawJsonTravelsToTheLetter() throws MalformedFrameException {
        for (String raw :
                new String[] {
                    "{ \"a\" : 1.50, \"b\":[ ] }",
                    "[1, 2 ,3]",
                    "\"text with \\u0041 and ü and \\\" quote\"",
                    "12345678901234567890.1234567890",
                    "-0.0",
                    "1e400",
                    "true",
                    "null",
                    "{}",
                    "\"\""
                }) {
            ServerFrame frame =
                    server("{\"push\":{\"id\":\"5\",\"data\":" + raw + ",\"attempt\":2}}");
            assertThat(frame.getPush().getData()).isEqualTo(raw);
            assertThat(frame.getPush().getAttempt()).isEqualTo(2);
            assertThat(new String(JsonFrames.write(frame), StandardCharsets.UTF_8))
                    .contains("\"data\":" + raw);
        }
    }

    @Test
    void nestingIsBounded() {
        String deep = "[".repeat(100_000);
        assertThatThrownBy(() -> client("{'x':" + deep))
                .isInstanceOf(MalformedFrameException.class);
    }
}
