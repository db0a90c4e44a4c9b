package io.postrider.server.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.postrider.server.faults.Tools;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
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
        Tools.need("nginx");
        String file = Files.readString(DEPLOY.resolve("nginx.conf"));
        String temporary =
                Stream.of("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
                        .map(each -> each + "_temp_path " + folder.resolve(each) + ";")
                        .collect(Collectors.joining());
        Path here = folder.resolve("nginx.conf");
        // Only compose resolves their names, and only root may write where nginx would.
        Files.writeString(
                here,
                "pid "
                        + folder.resolve("pid")
                        + ";"
                        + file.replaceAll("server [ab]:", "server 127.0.0.1:")
                                .replace("http {", "http {" + temporary));
        run("nginx", "-t", "-p", folder.toString(), "-c", here.toString());
    }

    @Test
    void systemdTakesTheUnit() throws Exception {
        Tools.need("systemd-analyze");
        String file = Files.readString(DEPLOY.resolve("postrider.service"));
        Path here = folder.resolve("postrider.service");
        Files.writeString(here, file.replace("/usr/bin/java", "/bin/true"));
        run("systemd-analyze", "verify", here.toString());
    }

    private static void run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        byte[] said = process.getInputStream().readAllBytes();
        assertThat(process.waitFor()).as(new String(said, StandardCharsets.UTF_8)).isZero();
    }
}
