package io.postrider.server.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
                        Map.of("bind", "no such host"))) {
            assertThatThrownBy(() -> SettingsLoader.load(bad, Map.of(), null))
                    .as(bad.toString())
                    .isInstanceOf(SettingsException.class)
                    .hasMessageContaining(bad.keySet().iterator().next());
        }
    }

    @Test
    void onlyLoopbackIsListenedOn() {
        assertThatThrownBy(() -> SettingsLoader.load(Map.of("bind", "0.0.0.0"), Map.of(), null))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("loopback");
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
