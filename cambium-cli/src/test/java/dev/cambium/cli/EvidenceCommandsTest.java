package dev.cambium.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What one party proves to another with files: proofs, statements, published logs, checkpoints. */
class EvidenceCommandsTest {

  @TempDir Path directory;
  private Path fleet = Path.of("");
  private Path outside = Path.of("");

  private record Ran(int code, String out, String err) {}

  private static Ran run(List<String> arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int code =
        Main.run(
            Terminal.NONE,
            new PrintWriter(out),
            new PrintWriter(err),
            arguments.toArray(String[]::new));
    return new Ran(code, out.toString(), err.toString());
  }

  private static String expect(int code, String... arguments) {
    Ran ran = run(List.of(arguments));
    assertThat(ran.code()).as("%s: %s%s", List.of(arguments), ran.out(), ran.err()).isEqualTo(code);
    return ran.out() + ran.err();
  }

  private String on(int code, String... arguments) {
    List<String> all = new ArrayList<>(List.of(arguments));
    all.addAll(List.of("--dir", fleet.toString()));
    return expect(code, all.toArray(String[]::new));
  }

  private String out(String name) {
    return outside.resolve(name).toString();
  }

  @BeforeEach
  void found() throws IOException {
    fleet = Files.createDirectories(directory.resolve("fleet"));
    outside = Files.createDirectories(directory.resolve("outside"));
    Files.writeString(
        fleet.resolve("ecosystem.yaml"), "name: bank\nlines:\n  base: { tier: foundation }\n");
    on(ExitCode.DONE, "init");
    Path model = TinyModel.write(directory.resolve("model"), 1);
    on(ExitCode.DONE, "import", model.toString(), "--as", "base", "--tier", "foundation");
    Files.copy(fleet.resolve(".cambium/key/ledger.pub"), outside.resolve("ledger.pub"));
  }

  @Test
  void aLineWithoutMeasuredHeadroomSaysHowToHaveIt() throws IOException {
    assertThat(on(ExitCode.DONE, "headroom", "base"))
        .contains("base@1", "write headroom: {} into the contract of base");
    on(ExitCode.DONE, "headroom", "base", "--html", out("page.html"));
    assertThat(Files.readString(outside.resolve("page.html"))).contains("does not ask for it");
    assertThat(on(ExitCode.USAGE, "headroom", "bose")).contains("no version of 'bose'");
  }

  @Test
  void aRecordIsProvenToSomebodyWithoutTheLedger() throws IOException {
    on(ExitCode.DONE, "prove", "1", "--out", out("p"));
    String told = expect(ExitCode.DONE, "verify", "--proof", out("p"), "--key", out("ledger.pub"));
    assertThat(told).contains("Holds", "record 1", "base@1");
    String key = Files.readString(outside.resolve("ledger.pub")).strip();
    expect(ExitCode.DONE, "verify", "--proof", out("p"), "--key", key, "--json");
    on(ExitCode.DONE, "verify", "--proof", out("p"));

    Files.writeString(
        outside.resolve("p"), Files.readString(outside.resolve("p")).replace("index 1", "index 0"));
    assertThat(
            expect(ExitCode.INTEGRITY, "verify", "--proof", out("p"), "--key", out("ledger.pub")))
        .contains("Does not hold", "index 0");
    on(ExitCode.USAGE, "prove");
    assertThat(on(ExitCode.USAGE, "prove", "99")).contains("no record 99");
    expect(ExitCode.USAGE, "verify", "--key", key);
  }

  @Test
  void aStatementSaysHowAVersionCameToBe() throws IOException {
    on(ExitCode.DONE, "attest", "base@1", "--out", out("a"));
    String told =
        expect(ExitCode.DONE, "verify", "--attestation", out("a"), "--key", out("ledger.pub"));
    assertThat(told)
        .contains("https://in-toto.io/Statement/v1", "https://slsa.dev/provenance/v1")
        .contains("\"name\":\"base@1\"", "model.safetensors");
    assertThat(on(ExitCode.DONE, "verify", "--attestation", out("a"))).contains("record 1 says");
    on(ExitCode.DONE, "key", "rotate", "--reason", "yearly");
    on(ExitCode.DONE, "verify", "--attestation", out("a"));
    assertThat(on(ExitCode.USAGE, "attest", "0")).contains("made nothing");
    String text = Files.readString(outside.resolve("a"));
    Files.writeString(
        outside.resolve("a"), text.replaceFirst("\"payload\":\"e", "\"payload\":\"f"));
    on(ExitCode.INTEGRITY, "verify", "--attestation", out("a"));
  }

  @Test
  void aPublishedLogIsCheckedByAnybody() throws IOException {
    on(ExitCode.DONE, "publish", out("log"));
    on(ExitCode.DONE, "key", "rotate");
    on(ExitCode.DONE, "publish", out("log"));
    String key = on(ExitCode.DONE, "key").lines().reduce((a, b) -> b).orElseThrow();
    expect(ExitCode.DONE, "verify", "--published", out("log"), "--key", key);
    byte[] tile = Files.readAllBytes(outside.resolve("log/tile/0/000.p/4"));
    tile[40] ^= 4;
    Files.write(outside.resolve("log/tile/0/000.p/4"), tile);
    assertThat(on(ExitCode.INTEGRITY, "verify", "--published", out("log")))
        .contains("record 1", "tile/0/000.p/4");
  }

  @Test
  void aCheckpointKeptElsewhereShowsThatHistoryWasRewritten() throws IOException {
    String first = on(ExitCode.DONE, "log", "--checkpoint");
    Files.writeString(outside.resolve("kept"), first);
    Path copy = directory.resolve("copy");
    Path database = fleet.resolve(".cambium/ledger.db");
    Files.copy(database, copy);
    on(ExitCode.DONE, "key", "rotate");
    on(ExitCode.DONE, "verify", "--against", out("kept"));
    on(ExitCode.DONE, "prove", "--since", out("kept"), "--out", out("c"));
    String key = on(ExitCode.DONE, "key").lines().findFirst().orElseThrow();
    expect(ExitCode.DONE, "verify", "--proof", out("c"), "--against", out("kept"), "--key", key);
    on(ExitCode.USAGE, "verify", "--proof", out("c"));

    // Back to the beginning and on from there: every signature of it is good.
    Files.writeString(outside.resolve("later"), on(ExitCode.DONE, "log", "--checkpoint"));
    Path other = Files.createDirectories(directory.resolve("other"));
    Files.writeString(
        other.resolve("ecosystem.yaml"), "name: shop\nlines:\n  base: { tier: foundation }\n");
    expect(ExitCode.DONE, "init", other.toString());
    Path theirs = other.resolve(".cambium");
    Path kept =
        Files.writeString(
            outside.resolve("theirs"),
            expect(ExitCode.DONE, "log", "--checkpoint", "--dir", other.toString()));
    assertThat(on(ExitCode.INTEGRITY, "verify", "--against", kept.toString()))
        .contains("does not fit", "theirs", "no valid signature");
    assertThat(theirs).exists();
    Files.copy(copy, database, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    Ran opened = run(List.of("verify", "--against", out("later"), "--dir", fleet.toString()));
    assertThat(opened.code()).as(opened.out() + opened.err()).isEqualTo(ExitCode.INTEGRITY);
  }
}
