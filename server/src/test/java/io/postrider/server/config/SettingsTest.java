package io.postrider.server.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SettingsTest {
    @TempDir Path folder;

    @Test
    void theCommandLineComesBeforeTheEnvironmentAndThatBeforeTheFile() throws IOException {
        Path file = folder.resolve("postrider.yaml");
        Files.writeString(file, "http-port: 1\ngateway-port: 1\nheartbeat-seconds: 9\n");
        Settings settings =
                SettingsLoader.load(
                        Map.of("http-port", "3"),
                        Map.of(
                                "POSTRIDER_HTTP_PORT",
                                "2",
                                "POSTRIDER_GATEWAY_PORT",
                                "2",
                                "PATH",
                                "x"),
                        file);
        assertThat(settings.httpPort()).isEqualTo(3);
        assertThat(settings.gatewayPort()).isEqualTo(2);
        assertThat(settings.heartbeatSeconds()).isEqualTo(9);
        assertThat(settings.data()).isEqualTo(Path.of("data"));
    }

    @Test
    void unknownNamesAreRefusedWithTheNearestOne() throws IOException {
        Path file = folder.resolve("postrider.yaml");
        Files.writeString(file, "gateway-prot: 1\n");
        assertThatThrownBy(() -> SettingsLoader.load(Map.of(), Map.of(), file))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("gateway-prot")
                .hasMessageContaining("'gateway-port'");
        assertThatThrownBy(
                        () -> SettingsLoader.load(Map.of(), Map.of("POSTRIDER_DATTA", "x"), null))
                .hasMessageContaining("POSTRIDER_DATTA")
                .hasMessageContaining("'data'");
    }

    @Test
    void badValuesAreRefused() {
        for (Map<String, String> bad :
                List.of(
                        Map.of("http-port", "70000"),
                        Map.of("http-port", "x"),
                        Map.of("heartbeat-seconds", "0"),
                        Map.of("log-format", "xml"),
                        Map.of("bind", "no such host"),
                        Map.of("bind", "300.1.1.1"),
                        Map.of("node", "a\nb"),
                        Map.of("tls-cert", "cert.pem"),
                        Map.of("tls-key", "key.pem"),
                        Map.of("advertise", "http://push.example:80"),
                        Map.of("advertise", "ws://push.example"),
                        Map.of("advertise", "ws://user@push.example:1"),
                        Map.of("advertise", "ws://push.example:1?x=y"),
                        Map.of("trusted-proxies", "proxy.example"),
                        Map.of("trusted-proxies", "10.0.0.0/33"),
                        Map.of("trusted-proxies", "10.0.0"),
                        Map.of("registration", "maybe"),
                        Map.of("quota-stored-messages", "-1"),
                        Map.of("quota-connections", "-1"))) {
            assertThatThrownBy(() -> SettingsLoader.load(bad, Map.of(), null))
                    .as(bad.toString())
                    .isInstanceOf(SettingsException.class)
                    .hasMessageContaining(bad.keySet().iterator().next());
        }
    }

    @Test
    void whatOthersReachNeedsToKnowWhatToTellDevices() {
        assertThatThrownBy(() -> SettingsLoader.load(Map.of("bind", "0.0.0.0"), Map.of(), null))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("--advertise ws://push.example.com:7700");
        Settings told =
                SettingsLoader.load(
                        Map.of(
                                "bind",
                                "0.0.0.0",
                                "advertise",
                                "wss://p.example:1,tls://p.example:2"),
                        Map.of(),
                        null);
        assertThat(told.advertise()).contains(List.of("wss://p.example:1", "tls://p.example:2"));
        assertThat(Exposure.isExposed(told)).isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "bind            | 127.0.0.1             | false",
                "bind            | ::1                   | false",
                "bind            | localhost             | false",
                "advertise       | ws://127.0.0.1:7700   | false",
                "advertise       | ws://[::1]:7700       | false",
                "advertise       | wss://push.example:1  | true",
                "trusted-proxies | 127.0.0.1             | true",
            })
    void aServerIsExposedWhereOthersReachIt(String setting, String value, boolean exposed) {
        assertThat(Exposure.isExposed(SettingsLoader.load(Map.of(setting, value), Map.of(), null)))
                .isEqualTo(exposed);
    }

    @ParameterizedTest
    @CsvSource({
        "10.0.0.0/8, 10.255.1.2, true",
        "10.0.0.0/8, 11.0.0.1, false",
        "10.1.2.3, 10.1.2.3, true",
        "10.1.2.3, 10.1.2.4, false",
        "192.168.4.0/22, 192.168.7.255, true",
        "192.168.4.0/22, 192.168.8.0, false",
        "fd00::/8, fd12::1, true",
        "fd00::/8, fe80::1, false",
        "0.0.0.0/0, ::1, false",
    })
    void aNetworkHoldsTheAddressesThatShareItsBits(String network, String address, boolean holds)
            throws IOException {
        assertThat(Network.of(network).contains(InetAddress.getByName(address))).isEqualTo(holds);
    }

    @Test
    void theDocsAreWhatTheSettingsSay() throws IOException {
        StringBuilder table = new StringBuilder();
        for (SettingsLoader.Entry entry : SettingsLoader.entries()) {
            table.append("| `")
                    .append(entry.name())
                    .append("` | `")
                    .append(entry.defaultValue())
                    .append("` | ")
                    .append(entry.doc())
                    .append(" |\n");
        }
        Path docs = Path.of("../docs/configuration.md");
        String written = Files.readString(docs);
        String head = written.substring(0, written.indexOf("|---|---|---|\n") + 14);
        if (Boolean.getBoolean("postrider.writeDocs")) {
            Files.writeString(docs, head + table);
        }
        assertThat(written)
                .as("run ./postrider test with -Dpostrider.writeDocs=true, or edit the table")
                .isEqualTo(head + table);
    }
}
