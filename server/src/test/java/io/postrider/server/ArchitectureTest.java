package io.postrider.server;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.time.Instant;
import java.time.LocalDateTime;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** The shape of the server, as sentences; ARCHITECTURE.md has the table. */
@AnalyzeClasses(
        packages = "io.postrider.server",
        importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    private static final String SERVER = "io.postrider.server.";

    /** What a package may use of ours, besides itself, clock and metrics, which all may use. */
    private static ArchRule mayUse(String name, String... others) {
        String[] allowed =
                Stream.concat(
                                Stream.of(name, "clock", "metrics"),
                                Arrays.stream(others).filter(other -> !other.equals("protocol")))
                        .map(other -> SERVER + other + "..")
                        .toArray(String[]::new);
        DescribedPredicate<JavaClass> ours = resideInAPackage("io.postrider..");
        DescribedPredicate<JavaClass> fine = resideInAnyPackage(allowed);
        for (String module : List.of("protocol", "client", "backends")) {
            if (Arrays.asList(others).contains(module)) {
                fine = fine.or(resideInAPackage("io.postrider." + module + ".."));
            }
        }
        return noClasses()
                .that()
                .resideInAPackage(SERVER + name + "..")
                .should()
                .dependOnClassesThat(ours.and(DescribedPredicate.not(fine)))
                .as(name + " uses " + String.join(", ", others) + " and nothing else of ours");
    }

    @ArchTest static final ArchRule CLOCK = mayUse("clock");
    @ArchTest static final ArchRule METRICS = mayUse("metrics");
    @ArchTest static final ArchRule CONFIG = mayUse("config");
    @ArchTest static final ArchRule IDENTITY = mayUse("identity");
    @ArchTest static final ArchRule DELIVERY = mayUse("delivery", "identity", "protocol");
    @ArchTest static final ArchRule SESSION = mayUse("session", "delivery", "identity", "protocol");
    @ArchTest static final ArchRule PUBLISH = mayUse("publish", "delivery", "identity");

    @ArchTest
    static final ArchRule GATEWAY =
            mayUse("gateway", "session", "delivery", "identity", "protocol");

    @ArchTest
    static final ArchRule API =
            mayUse("api", "publish", "session", "delivery", "identity", "protocol");

    @ArchTest static final ArchRule STORE = mayUse("store", "delivery", "publish", "identity");

    @ArchTest
    static final ArchRule LEGACY =
            mayUse("legacy", "gateway", "session", "delivery", "identity", "protocol");

    /** The verbs that people type see a node as every other program does. */
    @ArchTest static final ArchRule CLI = mayUse("cli", "client");

    @ArchTest static final ArchRule DEMO = mayUse("demo", "client", "cli", "backends");

    private static ArchRule knownToTheRootOnly(String name) {
        return noClasses()
                .that()
                .resideOutsideOfPackages("io.postrider.server", SERVER + name + "..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage(SERVER + name + "..");
    }

    @ArchTest static final ArchRule STORE_IS_KNOWN_TO_THE_ROOT_ONLY = knownToTheRootOnly("store");

    @ArchTest static final ArchRule LEGACY_IS_KNOWN_TO_THE_ROOT_ONLY = knownToTheRootOnly("legacy");

    @ArchTest
    static final ArchRule THE_ROOT_IS_KNOWN_TO_NOBODY =
            noClasses()
                    .that()
                    .resideOutsideOfPackage("io.postrider.server")
                    .should()
                    .dependOnClassesThat()
                    .resideInAPackage("io.postrider.server");

    @ArchTest
    static final ArchRule NO_CYCLES = slices().matching(SERVER + "(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule NETTY_ONLY_IN_GATEWAY =
            noClasses()
                    .that()
                    .resideOutsideOfPackage(SERVER + "gateway..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAPackage("io.netty..");

    @ArchTest
    static final ArchRule SQL_ONLY_IN_STORE =
            noClasses()
                    .that()
                    .resideOutsideOfPackage(SERVER + "store..")
                    .and()
                    .doNotHaveFullyQualifiedName("io.postrider.server.Postrider$Seams")
                    .and()
                    .doNotHaveFullyQualifiedName("io.postrider.server.Postrider")
                    .should()
                    .dependOnClassesThat()
                    .resideInAPackage("java.sql..");

    @ArchTest
    static final ArchRule HTTP_SERVER_ONLY_IN_API =
            noClasses()
                    .that()
                    .resideOutsideOfPackage(SERVER + "api..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage("io.javalin..", "org.eclipse.jetty..", "jakarta.servlet..");

    @ArchTest
    static final ArchRule NAMES_SAY_WHAT_A_CLASS_IS =
            noClasses()
                    .should()
                    .haveNameMatching(
                            ".*(Impl|Manager|Helper|Util|Utils|Common)|.*\\.Base[A-Z]\\w*");

    @ArchTest
    static final ArchRule INTERFACES_HAVE_NO_PREFIX =
            noClasses().that().areInterfaces().should().haveNameMatching(".*\\.I[A-Z][a-z]\\w*");

    @ArchTest
    static final ArchRule NO_STATIC_STATE =
            fields().that().areStatic().should().beFinal().as("no static field changes");

    @ArchTest
    static final ArchRule TIME_COMES_FROM_THE_CLOCK =
            noClasses()
                    .that()
                    .resideOutsideOfPackage(SERVER + "clock..")
                    .should()
                    .callMethod(Instant.class, "now")
                    .orShould()
                    .callMethod(LocalDateTime.class, "now")
                    .orShould()
                    .callMethod(System.class, "currentTimeMillis");

    @ArchTest
    static final ArchRule ONLY_MAIN_OWNS_THE_TERMINAL =
            noClasses()
                    .that()
                    .doNotHaveFullyQualifiedName("io.postrider.server.Main")
                    .should()
                    .accessField(System.class, "out")
                    .orShould()
                    .accessField(System.class, "err");

    @ArchTest
    static final ArchRule ONLY_CONFIG_AND_THE_ROOT_READ_THE_ENVIRONMENT =
            noClasses()
                    .that()
                    .resideOutsideOfPackages(
                            "io.postrider.server", SERVER + "config..", SERVER + "cli..")
                    .should()
                    .callMethod(System.class, "getenv")
                    .orShould()
                    .callMethod(System.class, "getenv", String.class);

    @ArchTest
    static final ArchRule PUBLIC_IN_STORE_ARE_THE_STORES =
            classes()
                    .that()
                    .resideInAPackage(SERVER + "store..")
                    .and()
                    .arePublic()
                    .and()
                    .areTopLevelClasses()
                    .should()
                    .haveNameMatching(".*\\.(Sql\\w+|Database|StoreException)");
}
