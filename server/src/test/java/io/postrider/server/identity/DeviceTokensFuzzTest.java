package io.postrider.server.identity;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.postrider.server.ManualClock;
import io.postrider.server.identity.DeviceTokens.Claim;
import java.lang.reflect.Proxy;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/** Device tokens: none is valid that was not issued. */
class DeviceTokensFuzzTest {
    private static final App APP =
            new App(
                    7,
                    1,
                    "a",
                    "key",
                    new byte[32],
                    3,
                    new byte[] {1, 2, 3, 4, 5, 6, 7, 8},
                    AppSettings.DEFAULT,
                    0);
    private static final DeviceTokens TOKENS =
            new DeviceTokens(
                    new Apps(store(AppStore.class, List.of(APP))),
                    store(DeviceStore.class, List.of()),
                    new ManualClock());
    private static final String ISSUED = TOKENS.issue(APP, 12, 0);

    /** Answers every call with one list. */
    private static <T> T store(Class<T> type, List<?> answer) {
        return type.cast(
                Proxy.newProxyInstance(
                        type.getClassLoader(),
                        new Class<?>[] {type},
                        (proxy, method, arguments) -> answer));
    }

    @FuzzTest(maxDuration = "60s")
    void noneIsValidThatWasNotIssued(FuzzedDataProvider fuzz) {
        StringBuilder token = new StringBuilder(ISSUED);
        if (fuzz.consumeBoolean()) {
            token = new StringBuilder("dt_" + fuzz.consumeString(200));
        } else {
            while (fuzz.remainingBytes() > 1) {
                int at = fuzz.consumeInt(0, token.length() - 1);
                token.setCharAt(at, (char) fuzz.consumeByte());
            }
        }
        Optional<Claim> claim = TOKENS.verify(token.toString());
        if (claim.isPresent()) {
            assertThat(bytes(token.toString())).isEqualTo(bytes(ISSUED));
            assertThat(claim.get().number()).isEqualTo(12);
        }
    }

    private static byte[] bytes(String token) {
        return Base64.getUrlDecoder().decode(token.substring(3));
    }
}
