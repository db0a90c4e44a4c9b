package io.postrider.server.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.yaml.snakeyaml.Yaml;

/** What deploy/ has is taken by those that it is for. */
class DeployTest {
    private static final Path DEPLOY = Path.of("../deploy");

    @TempDir private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"a", "b"})
    void composesNodesStartWithTheirSettings(String node) throws IOException {
        Map<?, ?> compose = new Yaml().load(Files.readString(DEPLOY.resolve("compose.yaml")));
        Map<?, ?> given = in(in(in(compose, "services"), node), "environment");
        Map<String, String> environment = new HashMap<>();
        given.forEach((name, value) ->
                environment.put(
                        (String) name, ((String) value).replaceAll("\\$\\{[^}]*}", "example.com")));
        Settings settings = SettingsLoader.load(Map.of(), environment, null);
        assertThat(settings.node()).isEqualTo(node);
        assertThat(settings.cluster()).contains("redis://redis:6379");
    }

    private static Map<?, ?> in(Map<?, ?> outer, String name) {
        return (Map<?, ?>) Objects.requireNonNull(outer.get(name), name);
    }

    @Test
    void nginxTakesItsFile() throws Exception {
        assumeThat(isInstalled("nginx")).isTrue();
        String file = Files.readString(DEPLOY.resolve("nginx.conf"));
        Path here = folder.resolve("nginx.conf");
        // Only compose resolves their names.
        Files.writeString(here, file.replaceAll("server [ab]:", "server 127.0.0.1:"));
        assertThat(run("nginx", "-t", "-p", folder.toString(), "-c", here.toString()))
                .contains("test is successful");
    }

    @Test
    void systemdTakesTheUnit() throws Exception {
        assumeThat(isInstalled("systemd-analyze")).isTrue();
        String file = Files.readString(DEPLOY.resolve("postrider.service"));
        Path here = folder.resolve("postrider.service");
        Files.writeString(here, file.replace("/usr/bin/java", "/bin/true"));
        assertThat(run("systemd-analyze", "verify", here.toString()))
                .doesNotContain("postrider.service");
    }

    private static boolean isInstalled(String program) {
        return List.of("/usr/bin", "/usr/sbin", "/bin").stream()
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
    }

    private static String run(String... command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
}
