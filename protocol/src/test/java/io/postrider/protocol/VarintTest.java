package io.postrider.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.CodedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VarintTest {
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 127, 128, 300, 16_383, 16_384, 65_536, 524_288, (1 << 28) - 1})
    void isWhatProtobufWrites(int value) throws IOException {
        ByteArrayOutputStream expected = new ByteArrayOutputStream();
        CodedOutputStream out = CodedOutputStream.newInstance(expected);
        out.writeUInt32NoTag(value);
        out.flush();

        byte[] bytes = new byte[Varint.MAX_BYTES];
        int length = Varint.write(value, bytes, 0);

        assertThat(Arrays.copyOf(bytes, length)).isEqualTo(expected.toByteArray());
        assertThat(Varint.size(value)).isEqualTo(length);
    }
}
