package dev.cambium.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.assertj.core.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The launcher, in a project of its own whose {@code mvn} and {@code java} are scripts that write
 * down how they were called: what is tested is when it builds, with what, and what it passes on.
 */
class LauncherTest {

  private static final Path LAUNCHER = Path.of("..", "cambium").toAbsolutePath().normalize();

  @TempDir Path temporary;

  private Path root;
  private Path bin;
  private Map<String, String> environment;

  @BeforeEach
  void project() throws IOException {
    Assumptions.assumeThat(Path.of("/bin/bash")).as("the launcher needs bash").exists();
    root = Files.createDirectories(temporary.resolve("a project"));
    bin = Files.createDirectories(temporary.resolve("bin"));
    Files.copy(LAUNCHER, root.resolve("cambium"));
    executable(root.resolve("cambium"));
    Files.createDirectories(root.resolve("cambium-cli/src/main/java"));
    Files.writeString(root.resolve("pom.xml"), "<project/>");
    Files.writeString(root.resolve("cambium-cli/pom.xml"), "<project/>");
    Files.writeString(root.resolve("cambium-cli/src/main/java/A.java"), "class A {}");
    Files.writeString(root.resolve("library.jar"), "library");
    jdk("17.0.15");
    script(
        bin.resolve("mvn"),
        """
        echo "mvn $*" >> "$CALLS"
        sleep 0.3
        [ ! -e "$FAILS" ] || { echo "[ERROR] A.java:[1,1] ';' expected"; exit 1; }
        mkdir -p cambium-cli/target
        echo jar > cambium-cli/target/cambium-cli-1.jar
        printf '%s' "$PWD/library.jar" > cambium-cli/target/classpath.txt
        """);
    environment = new TreeMap<>();
    environment.put("CALLS", temporary.resolve("calls").toString());
    environment.put("FAILS", temporary.resolve("fails").toString());
    environment.put("PATH", bin + ":/usr/bin:/bin");
    environment.put("HOME", temporary.toString());
  }

  private void jdk(String version) throws IOException {
    Path home = Files.createDirectories(temporary.resolve("jdk-" + version));
    Files.createDirectories(home.resolve("bin"));
    Files.writeString(home.resolve("release"), "JAVA_VERSION=\"" + version + "\"\n");
    script(
        home.resolve("bin/java"),
        """
        case "$*" in *ArchiveClassesAtExit*) exit 0 ;; esac
        echo "java OMP_WAIT_POLICY=$OMP_WAIT_POLICY MALLOC_ARENA_MAX=$MALLOC_ARENA_MAX" >> "$CALLS"
        for a in "$@"; do printf '[%s]\\n' "$a" >> "$CALLS"; done
        exit 4
        """);
    Files.deleteIfExists(bin.resolve("java"));
    Files.createSymbolicLink(bin.resolve("java"), home.resolve("bin/java"));
  }

  private static void script(Path file, String text) throws IOException {
    Files.writeString(file, "#!/bin/bash\n" + text);
    executable(file);
  }

  private static void executable(Path file) throws IOException {
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  /** What a launch left behind. */
  record Launched(int code, String err) {}

  private Process start(Path launcher, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(launcher.toString()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).directory(temporary.toFile());
    builder.environment().clear();
    builder.environment().putAll(environment);
    return builder.redirectErrorStream(true).start();
  }

  private static Launched end(Process process) throws Exception {
    String err = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Launched(process.waitFor(), err);
  }

  private Launched launch(String... arguments) throws Exception {
    return end(start(root.resolve("cambium"), arguments));
  }

  private List<String> calls() throws IOException {
    Path calls = temporary.resolve("calls");
    return Files.exists(calls) ? Files.readAllLines(calls) : List.of();
  }

  private long builds() throws IOException {
    return calls().stream().filter(c -> c.startsWith("mvn ")).count();
  }

  /** As if everything had happened a minute ago, so that what follows is newer. */
  private void age() throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Instant then = Files.getLastModifiedTime(file).toInstant().minusSeconds(60);
        Files.setLastModifiedTime(file, FileTime.from(then));
      }
    }
  }

  @Test
  void theFirstLaunchBuildsAndTheSecondDoesNot() throws Exception {
    assertThat(launch("status").err()).contains("building; the first time");
    assertThat(launch("status").err()).isEmpty();
    assertThat(builds()).isEqualTo(1);
  }

  @Test
  void argumentsExitCodeAndEnvironmentArePassedOn() throws Exception {
    Launched launched = launch("eval", "card router", "--json");
    assertThat(launched.code()).isEqualTo(4);
    assertThat(calls())
        .contains(
            "java OMP_WAIT_POLICY=PASSIVE MALLOC_ARENA_MAX=1",
            "[eval]",
            "[card router]",
            "[--json]")
        .contains("[-Dorg.bytedeco.javacpp.maxbytes=0]", "[dev.cambium.cli.Main]")
        .doesNotContain("[-XX:TieredStopAtLevel=1]");
    String classes =
        calls().stream().filter(c -> c.contains("library.jar")).findFirst().orElseThrow();
    assertThat(classes)
        .as("our own jars are copied, others are used where they are")
        .matches("\\[.*/target/launcher/app-[^:]*/library\\.jar:.*/cambium-cli-1\\.jar]");
  }

  @Test
  void aChangedAddedOrRemovedSourceIsBuilt() throws Exception {
    launch("status");
    age();
    Files.writeString(root.resolve("cambium-cli/src/main/java/A.java"), "class A { int b; }");
    assertThat(launch("status").err()).contains("sources have changed");
    age();
    Files.delete(root.resolve("cambium-cli/src/main/java/A.java"));
    assertThat(launch("status").err()).contains("sources have changed");
    age();
    Files.writeString(root.resolve("cambium-cli/pom.xml"), "<project> </project>");
    assertThat(launch("status").err()).contains("sources have changed");
    assertThat(launch("status").err()).isEmpty();
    assertThat(builds()).isEqualTo(4);
    assertThat(calls()).filteredOn(c -> c.startsWith("mvn ")).last().asString().contains(" -o");
  }

  @Test
  void aMissingLibraryIsBuiltAgain() throws Exception {
    launch("status");
    try (Stream<Path> jars = Files.walk(root.resolve("target/launcher"))) {
      for (Path jar : jars.filter(f -> f.endsWith("library.jar")).toList()) {
        Files.delete(jar);
      }
    }
    launch("status");
    assertThat(builds()).isEqualTo(2);
  }

  @Test
  void twoLaunchesAtOnceBuildOnce() throws Exception {
    Process first = start(root.resolve("cambium"), "status");
    Process second = start(root.resolve("cambium"), "status");
    Launched one = end(first);
    Launched two = end(second);
    assertThat(one.code()).isEqualTo(4);
    assertThat(two.code()).isEqualTo(4);
    assertThat(builds()).isEqualTo(1);
    assertThat(one.err() + two.err()).contains("another process is building; waiting for it");
  }

  @Test
  void aSymbolicLinkLaunchesFromAnywhere() throws Exception {
    Path link = Files.createSymbolicLink(temporary.resolve("linked"), root.resolve("cambium"));
    Path relative = Files.createSymbolicLink(bin.resolve("cambium"), Path.of("../linked"));
    assertThat(end(start(link, "status")).code()).isEqualTo(4);
    assertThat(end(start(relative, "status")).code()).isEqualTo(4);
    assertThat(builds()).isEqualTo(1);
  }

  @Test
  void aFailedBuildShowsTheErrorAndIsTriedAgain() throws Exception {
    Files.writeString(temporary.resolve("fails"), "");
    Launched failed = launch("status");
    assertThat(failed.code()).isEqualTo(1);
    assertThat(failed.err()).contains("';' expected", "the whole log is", "build.log");
    assertThat(calls()).noneMatch(c -> c.startsWith("java "));
    Files.delete(temporary.resolve("fails"));
    assertThat(launch("status").code()).isEqualTo(4);
  }

  @Test
  void whatIsMissingIsNamedWithTheCommandThatInstallsIt() throws Exception {
    jdk("11.0.2");
    assertThat(launch("status").err()).contains("is version 11", "apt-get install");
    jdk("25");
    Files.delete(bin.resolve("mvn"));
    environment.put("PATH", bin + ":" + tools());
    Launched noMaven = launch("status");
    assertThat(noMaven.err()).contains("no mvn found", "apt-get install maven");
    assertThat(noMaven.code()).isEqualTo(1);
    Files.delete(bin.resolve("java"));
    assertThat(launch("status").err()).contains("no java found", "apt-get install maven");
    environment.put("JAVA_HOME", temporary.resolve("nowhere").toString());
    assertThat(launch("status").err()).contains("there is no bin/java in it");
  }

  /** A directory with the ordinary commands and without Maven and Java. */
  private Path tools() throws IOException {
    Path tools = Files.createDirectories(temporary.resolve("tools"));
    for (String name :
        List.of(
            "bash",
            "env",
            "readlink",
            "dirname",
            "basename",
            "sed",
            "head",
            "cut",
            "stty",
            "cat",
            "find",
            "mkdir",
            "touch",
            "mv",
            "cp",
            "rm",
            "grep",
            "awk",
            "tail",
            "flock",
            "git",
            "date",
            "mktemp")) {
      for (String place : List.of("/usr/bin/", "/bin/")) {
        if (Files.exists(Path.of(place + name)) && Files.notExists(tools.resolve(name))) {
          script(tools.resolve(name), "exec " + place + name + " \"$@\"\n");
        }
      }
    }
    return tools;
  }

  @Test
  void newerJavaVersionsGetTheirFlags() throws Exception {
    jdk("25.0.1");
    launch("run");
    assertThat(calls())
        .contains(
            "[--enable-native-access=ALL-UNNAMED]", "[--sun-misc-unsafe-memory-access=allow]");
  }

  @Test
  void nothingIsBuiltWhenThatIsForbidden() throws Exception {
    launch("status");
    age();
    Files.writeString(root.resolve("pom.xml"), "<project> </project>");
    environment.put("CAMBIUM_NO_BUILD", "1");
    assertThat(launch("status").err()).isEmpty();
    assertThat(builds()).isEqualTo(1);
  }
}
