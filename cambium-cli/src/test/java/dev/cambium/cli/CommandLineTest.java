package dev.cambium.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.cambium.artifact.safetensors.SafetensorsFile;
import dev.cambium.ledger.EcosystemLock;
import dev.cambium.ledger.Ledger;
import dev.cambium.ledger.Precondition;
import dev.cambium.model.Fact;
import dev.cambium.model.Json;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

class CommandLineTest {

  private static final String YAML =
      """
      name: bank
      recipes:
        sft: { method: full, steps: 2, batch-rows: 2, max-tokens: 16, learning-rate: 0.001 }
      capabilities:
        greeting: { owner: desk, suite: suites/greeting.jsonl, scorer: exact-match, floor: 0.5 }
      lines:
        base: { tier: foundation, contract: { capabilities: [greeting] } }
        cards: { tier: industrial, parent: base, recipe: sft }
      """;

  @TempDir Path directory;

  /** What a command left behind. */
  record Ran(int code, String out, String err) {
    JsonNode json() {
      try {
        return Json.mapper().readTree(out);
      } catch (IOException e) {
        throw new AssertionError("not JSON: " + out, e);
      }
    }

    Ran expect(int expected) {
      assertThat(code).as("exit code; output: %s%s", out, err).isEqualTo(expected);
      return this;
    }
  }

  private static Ran run(Terminal terminal, String... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int code = Main.run(terminal, new PrintWriter(out), new PrintWriter(err), arguments);
    return new Ran(code, out.toString(), err.toString());
  }

  private static Ran run(String... arguments) {
    return run(Terminal.NONE, arguments);
  }

  /** Runs a command on the ecosystem of the test. */
  private Ran on(String... arguments) {
    List<String> all = new ArrayList<>(List.of(arguments));
    all.add("--dir");
    all.add(directory.toString());
    return run(all.toArray(String[]::new));
  }

  private Path write(String name, String text) throws IOException {
    Path file = directory.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.writeString(file, text);
  }

  private void ecosystem() throws IOException {
    write(
        "suites/greeting.jsonl", "{\"id\":\"g1\",\"prompt\":\"say hello\",\"answer\":\"hello\"}\n");
    write("ecosystem.yaml", YAML);
    on("init").expect(ExitCode.DONE);
  }

  private Path model(long seed) throws IOException {
    return TinyModel.write(directory.resolve("models/m" + seed), seed);
  }

  private long records() {
    return on("status", "--json").expect(ExitCode.DONE).json().get("records").asLong();
  }

  // ---- the commands as a whole ----

  static Stream<CommandLine> commands() {
    return all(Main.commandLine(Terminal.NONE));
  }

  private static Stream<CommandLine> all(CommandLine line) {
    return Stream.concat(
        Stream.of(line), line.getSubcommands().values().stream().flatMap(CommandLineTest::all));
  }

  @ParameterizedTest
  @MethodSource("commands")
  void everyCommandHasHelpWithExamples(CommandLine line) {
    String[] words = line.getCommandSpec().qualifiedName().split(" ");
    String[] arguments =
        Stream.concat(Stream.of(words).skip(1), Stream.of("--help")).toArray(String[]::new);
    Ran help = run(arguments).expect(ExitCode.DONE);
    assertThat(help.out()).contains("Usage: " + line.getCommandSpec().qualifiedName());
    assertThat(help.out()).contains("Examples:\n  " + "cambium");
    assertThat(line.getCommandSpec().usageMessage().description()).isNotEmpty();
    if (line.getSubcommands().isEmpty()) {
      assertThat(line.getCommandSpec().findOption("--json")).isNotNull();
    }
  }

  @Test
  void theVersionIsTold() {
    assertThat(run("--version").expect(ExitCode.DONE).out())
        .startsWith("cambium ")
        .doesNotContain("${")
        .contains("Java " + System.getProperty("java.version"));
  }

  @Test
  void theCompletionScriptKnowsTheCommands() {
    assertThat(run("completion").expect(ExitCode.DONE).out())
        .contains("complete -F", "signal", "rollback", "--skip-bad-rows");
  }

  @Test
  void wrongUseIsExitCodeTwoAndSaysWhereTheHelpIs() {
    assertThat(run().expect(ExitCode.USAGE).err()).contains("which command?");
    assertThat(run("statsu").expect(ExitCode.USAGE).err()).contains("did you mean status");
    assertThat(run("import", "x").expect(ExitCode.USAGE).err())
        .contains("--as=LINE")
        .contains("cambium import --help");
    assertThat(run("show", "no line").expect(ExitCode.USAGE).err()).contains("not a line name");
    assertThat(run("signal", "upstream", "base").expect(ExitCode.USAGE).err())
        .contains("not a version (LINE@N, such as banking@3): 'base'");
    assertThat(run("import", "x", "--as", "a", "--tier", "big").expect(ExitCode.USAGE).err())
        .contains("use foundation, industrial");
    assertThat(run("signal").expect(ExitCode.USAGE).err()).contains("data or upstream");
    assertThat(run("release").expect(ExitCode.USAGE).err()).contains("promote or rollback");
  }

  @Test
  void aDirectoryThatIsNoEcosystemIsSaidToBeNone() {
    assertThat(on("status").code()).isNotZero();
    assertThat(on("status").err()).contains(directory.toString());
  }

  // ---- one ecosystem ----

  @Test
  void initWritesAnEcosystemThatIsValid() {
    Path fleet = directory.resolve("My Fleet");
    Ran first = run("init", fleet.toString()).expect(ExitCode.DONE);
    assertThat(first.out()).contains("Ecosystem my-fleet is in " + fleet);
    JsonNode status = run("status", "--json", "--dir", fleet.toString()).expect(0).json();
    assertThat(status.get("warnings")).isEmpty();
    assertThat(status.get("lines").get(0).get("line").asText()).isEqualTo("base");
    assertThat(run("init", fleet.toString()).expect(ExitCode.USAGE).err())
        .contains("is an ecosystem already");
  }

  @Test
  void anEcosystemIsShownAsTextAsJsonAndAsAPicture() throws IOException {
    ecosystem();
    on("import", model(1).toString(), "--as", "base", "--tier", "foundation").expect(0);
    Ran status = on("status").expect(ExitCode.DONE);
    assertThat(status.out()).contains("bank, 2 lines", "base@1", "No signal is open.");
    assertThat(on("graph").expect(0).out()).contains("base (nothing released)", "└─ cards");
    assertThat(on("graph", "--json").expect(0).json().get("lines")).hasSize(2);

    Path svg = directory.resolve("fleet.svg");
    Path html = directory.resolve("fleet.html");
    on("graph", "--svg", svg.toString()).expect(0);
    on("graph", "--html", html.toString()).expect(0);
    assertThat(svg).content().contains("<svg", "cards");
    assertThat(html).content().contains("<html", "cards");
    assertThat(on("graph", "--svg", "a", "--html", "b").expect(ExitCode.USAGE).err())
        .contains("--svg");

    assertThat(on("log").expect(0).out()).contains("declared bank, 1 suite", "base@1, digest");
    JsonNode log = on("log", "--json", "--from", "0", "--limit", "1").expect(0).json();
    assertThat(log).hasSize(1);
    assertThat(log.get(0).get("fact").get("fact").asText()).isEqualTo("ecosystem-declared");
  }

  @Test
  void aVersionIsImportedShownComparedExplainedAndExported() throws IOException {
    ecosystem();
    JsonNode first =
        on("import", model(1).toString(), "--as", "base", "--tier", "foundation", "--json")
            .expect(0)
            .json();
    assertThat(first.get("version").asText()).isEqualTo("base@1");
    on("import", model(2).toString(), "--as", "base", "--tier", "foundation").expect(0);

    assertThat(on("show", "base@1").expect(0).out())
        .contains("base@1", "model.safetensors", first.get("digest").asText());
    assertThat(
            on("show", "base@candidate", "--json").expect(0).json().get("channels").get(0).asText())
        .isEqualTo("candidate");
    assertThat(on("diff", "base@1", "base@2").expect(0).out())
        .contains("model.safetensors")
        .doesNotContain("config.json");
    assertThat(on("diff", "base@1", "base@1").expect(0).out()).contains("are the same");
    assertThat(on("why", "base@2").expect(0).out()).contains("base@2", "[record ");

    Path out = directory.resolve("out");
    on("export", "base@1", out.toString()).expect(0);
    assertThat(out.resolve("model.safetensors"))
        .hasSameBinaryContentAs(directory.resolve("models/m1/model.safetensors"));
    assertThat(on("show", "base").expect(ExitCode.USAGE).err())
        .contains("base has nothing on channel stable");
    assertThat(on("show", "base@9").expect(ExitCode.USAGE).err()).contains("no version base@9");
    assertThat(on("release", "rollback", "base").expect(ExitCode.USAGE).err())
        .contains("no stable version");
  }

  private static float[] floats(Path file, String tensor) {
    try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
      FloatBuffer values = tensors.bytes(tensor).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
      float[] copy = new float[values.remaining()];
      values.get(copy);
      return copy;
    }
  }

  @Test
  void anAdapterIsExportedAsTheModelThatItMakes() throws IOException {
    write(
        "ecosystem.yaml",
        """
        name: merged
        recipes:
          adapt: { method: lora, lora: { rank: 2, alpha: 6 }, steps: 1, batch-rows: 1, max-tokens: 16, learning-rate: 1e-3 }
          tune: { method: full, steps: 1, batch-rows: 1, max-tokens: 16, learning-rate: 1e-3 }
        lines:
          base: { tier: foundation }
          cards: { tier: industrial, parent: base, recipe: tune }
          router: { tier: application-model, parent: cards, recipe: adapt }
        """);
    on("init").expect(ExitCode.DONE);
    Path model = model(1);
    Path adapter = TinyModel.adapter(directory.resolve("adapters/a"), 2);
    on("import", model.toString(), "--as", "base", "--tier", "foundation").expect(ExitCode.DONE);
    on("import", model(3).toString(), "--as", "cards", "--tier", "industrial", "--parent", "base@1")
        .expect(ExitCode.DONE);
    on(
            "import",
            adapter.toString(),
            "--as",
            "router",
            "--tier",
            "application-model",
            "--parent",
            "cards@1")
        .expect(ExitCode.DONE);
    Path out = directory.resolve("out");
    Ran merged = on("export", "router@1", out.toString(), "--merged", "--json");
    assertThat(merged.expect(ExitCode.DONE).json().path("merged").asBoolean()).isTrue();
    run("inspect", out.toString()).expect(ExitCode.DONE);
    assertThat(out.resolve("tokenizer.json"))
        .hasSameBinaryContentAs(model(3).resolve("tokenizer.json"));

    String name = "model.layers.0.self_attn.q_proj.weight";
    String key = "base_model.model.model.layers.0.self_attn.q_proj.";
    float[] found = floats(out.resolve("model.safetensors"), name);
    float[] base = floats(model(3).resolve("model.safetensors"), name);
    float[] a = floats(adapter.resolve("adapter_model.safetensors"), key + "lora_A.weight");
    float[] b = floats(adapter.resolve("adapter_model.safetensors"), key + "lora_B.weight");
    for (int row = 0; row < 8; row++) {
      for (int column = 0; column < 8; column++) {
        double update = b[row * 2] * a[column] + b[row * 2 + 1] * a[8 + column];
        assertThat((double) found[row * 8 + column])
            .isCloseTo(base[row * 8 + column] + 6.0 / 2 * update, within(1e-6));
      }
    }
    String other = "model.layers.0.mlp.up_proj.weight";
    assertThat(floats(out.resolve("model.safetensors"), other))
        .containsExactly(floats(model(3).resolve("model.safetensors"), other));

    Path gguf = directory.resolve("gguf");
    JsonNode told =
        on("export", "router@1", gguf.toString(), "--merged", "--format", "gguf", "--json")
            .expect(ExitCode.DONE)
            .json();
    assertThat(gguf.resolve("router-1-f16.gguf")).hasSize(told.path("size").asLong());
    assertThat(gguf.toFile().list()).containsExactly("router-1-f16.gguf");
    Path plain = directory.resolve("plain");
    assertThat(
            on("export", "cards@1", plain.toString(), "--format", "gguf", "--quantization", "q8_0")
                .expect(ExitCode.DONE)
                .out())
        .contains("note model.embed_tokens.weight is stored as f16");
    assertThat(plain.toFile().list()).containsExactly("cards-1-q8_0.gguf");
    assertThat(
            on("export", "router@1", directory.resolve("no").toString(), "--format", "gguf")
                .expect(ExitCode.USAGE)
                .err())
        .contains("router@1 is an adapter, a gguf file a whole model: add --merged");
    assertThat(
            on("export", "cards@1", directory.resolve("no").toString(), "--quantization", "f16")
                .expect(ExitCode.USAGE)
                .err())
        .contains("--quantization goes with --format gguf");

    assertThat(on("export", "router@1", out.toString(), "--merged").expect(ExitCode.USAGE).err())
        .contains("is not empty");
    assertThat(
            on("export", "cards@1", directory.resolve("whole").toString(), "--merged")
                .expect(ExitCode.USAGE)
                .err())
        .contains("cards@1 is a whole model, not an adapter");
  }

  @Test
  void whatCannotBeImportedChangesNothing() throws IOException {
    ecosystem();
    long before = records();
    Path model = model(1);
    Files.writeString(model.resolve("model.safetensors"), "PK\u0003\u0004 not a model");
    assertThat(
            on("import", model.toString(), "--as", "base", "--tier", "foundation")
                .expect(ExitCode.USAGE)
                .err())
        .contains("model.safetensors");
    assertThat(
            on("import", model(2).toString(), "--as", "cards", "--tier", "industrial")
                .expect(ExitCode.USAGE)
                .err())
        .contains("--parent base@N");
    assertThat(
            on("import", model(3).toString(), "--as", "crads", "--tier", "industrial")
                .expect(ExitCode.USAGE)
                .err())
        .contains("did you mean 'cards'?");
    assertThat(records()).isEqualTo(before);
  }

  @Test
  void inspectSaysWhatAModelIsAndWhetherItWouldBeAccepted() throws IOException {
    Path model = model(1);
    Ran accepted = run("inspect", model.toString(), "--tensors").expect(ExitCode.DONE);
    assertThat(accepted.out())
        .contains("LlamaForCausalLM", "It would be accepted.", "model.embed_tokens.weight");
    assertThat(run("inspect", model.toString(), "--json").expect(0).json().get("kind").asText())
        .isEqualTo("model");
    assertThat(run("inspect", model.resolve("model.safetensors").toString()).expect(0).out())
        .contains("F32");

    Files.delete(model.resolve("tokenizer.json"));
    assertThat(run("inspect", model.toString()).expect(ExitCode.USAGE).out())
        .contains("refused", "tokenizer.json", "It would be refused.");
    assertThat(run("inspect", directory.resolve("none").toString()).expect(ExitCode.USAGE).err())
        .contains("no such file or directory");
  }

  @Test
  void badRowsAndOverlapAreRefusedUnlessAskedFor() throws IOException {
    ecosystem();
    long before = records();
    Path rows =
        write(
            "rows.jsonl",
            """
            {"prompt":"one","completion":"1"}
            {"prompt":"two"}
            {"prompt":"three","completion":"3"}
            """);
    assertThat(
            on("signal", "data", rows.toString(), "--line", "cards").expect(ExitCode.USAGE).err())
        .contains("row 2, completion: is missing")
        .contains("--skip-bad-rows");
    Path leak =
        write("leak.csv", "prompt,completion\nSay HELLO!,hello\nsomething else,x\nand another,y\n");
    assertThat(
            on("signal", "data", leak.toString(), "--line", "cards").expect(ExitCode.USAGE).err())
        .contains("item g1 is in row")
        .contains("--allow-overlap");
    assertThat(records()).as("nothing was recorded").isEqualTo(before);

    JsonNode taken =
        on("signal", "data", rows.toString(), "--line", "cards", "--skip-bad-rows", "--json")
            .expect(0)
            .json();
    assertThat(taken.get("train").asInt() + taken.get("held-out").asInt()).isEqualTo(2);
    assertThat(taken.get("rejected")).hasSize(1);
    on("signal", "data", leak.toString(), "--line", "cards", "--allow-overlap").expect(0);
    assertThat(on("status").expect(0).out())
        .contains("Signal s1: 1 new row for cards", "Signal s2");
    assertThat(on("plan", "--json").expect(0).json().get("signals")).isNotEmpty();
  }

  @Test
  void aMalformedDeclarationIsNamedByLineAndColumnAndChangesNothing() throws IOException {
    ecosystem();
    long before = records();
    write("ecosystem.yaml", YAML.replace("parent: base", "parent: bsae"));
    assertThat(on("status").expect(ExitCode.USAGE).err())
        .contains("ecosystem.yaml:8:")
        .contains("did you mean 'base'?");
    Ran json = on("status", "--json").expect(ExitCode.USAGE);
    assertThat(json.json().get("exit-code").asInt()).isEqualTo(ExitCode.USAGE);
    write("ecosystem.yaml", YAML);
    assertThat(records()).isEqualTo(before);
  }

  @Test
  void aLockedEcosystemIsAConflict() throws IOException {
    ecosystem();
    try (EcosystemLock held =
        EcosystemLock.acquire(directory, "a long run", InstantSource.system())) {
      assertThat(held).isNotNull();
      assertThat(on("gc").expect(ExitCode.CONFLICT).err()).contains("a long run");
    }
    assertThat(on("gc").expect(ExitCode.DONE).out()).contains("Removed");
  }

  @Test
  void aPasswordInAStoresAddressIsRefusedAndRepeatedNowhere() throws IOException {
    ecosystem();
    String address = "jdbc:postgresql://ann:hunter2@db/fleet";
    Ran refused = on("migrate-store", "--to", address).expect(ExitCode.USAGE);
    assertThat(refused.out() + refused.err())
        .contains("CAMBIUM_STORE_PASSWORD")
        .doesNotContain("hunter2");
    write("ecosystem.yaml", YAML + "store: " + address + "\n");
    Ran unopened = on("status", "--json").expect(ExitCode.USAGE);
    assertThat(unopened.out() + unopened.err())
        .contains("CAMBIUM_STORE_PASSWORD")
        .doesNotContain("hunter2");
    write("ecosystem.yaml", YAML);
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        assertThat(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1))
            .as("%s", file)
            .doesNotContain("hunter2");
      }
    }
  }

  @Test
  void aStoreThatSaysThatItWasMovedIsVerifiedAndMended() throws Exception {
    ecosystem();
    try (Connection ledger =
            DriverManager.getConnection("jdbc:sqlite:" + directory.resolve(".cambium/ledger.db"));
        Statement statement = ledger.createStatement()) {
      statement.execute("insert into store_state values (1, 'MOVED', 'nowhere')");
    }
    on("status").expect(1);
    assertThat(on("verify").expect(ExitCode.INTEGRITY).out())
        .contains("table store_state", "cambium migrate-store --stay");
    on("migrate-store").expect(ExitCode.USAGE);
    assertThat(on("migrate-store", "--artifacts-to", "local").expect(ExitCode.USAGE).err())
        .contains("lie in local already");
    on("migrate-store", "--artifacts-to", "ftp://x/y").expect(ExitCode.USAGE);
    on("migrate-store", "--artifacts-to", "local", "--stay").expect(ExitCode.USAGE);
    assertThat(on("migrate-store", "--stay").expect(ExitCode.DONE).out())
        .contains("takes records again");
    assertThat(on("verify").expect(ExitCode.DONE).out()).contains("Intact");
  }

  @Test
  void aLostRaceIsAConflict() throws IOException {
    ecosystem();
    try (Ledger ledger = Ledger.open(directory, InstantSource.system())) {
      Throwable lost =
          catchThrowable(
              () ->
                  ledger.append(
                      "test",
                      List.of(
                          new Fact.EcosystemDeclared(
                              "x", dev.cambium.model.Digest.ofText("x"), new TreeMap<>())),
                      List.of(new Precondition.NextVersionNumber("base", 7))));
      assertThat(ExitCode.of(lost)).as("%s", lost).isEqualTo(ExitCode.CONFLICT);
    }
  }

  @Test
  void aChangedObjectDoesNotVerify() throws IOException {
    ecosystem();
    on("import", model(1).toString(), "--as", "base", "--tier", "foundation").expect(0);
    assertThat(on("verify").expect(ExitCode.DONE).out()).startsWith("Intact");
    Path largest;
    try (Stream<Path> objects = Files.walk(directory.resolve(".cambium/objects"))) {
      largest =
          objects
              .filter(Files::isRegularFile)
              .max(java.util.Comparator.comparingLong(file -> file.toFile().length()))
              .orElseThrow();
    }
    byte[] bytes = Files.readAllBytes(largest);
    bytes[bytes.length / 2] ^= 1;
    assertThat(largest.toFile().setWritable(true)).isTrue();
    Files.write(largest, bytes);
    Ran broken = on("verify").expect(ExitCode.INTEGRITY);
    assertThat(broken.out()).contains("does not fit", "Not intact");
    assertThat(on("verify", "--json").expect(ExitCode.INTEGRITY).json().get("findings"))
        .isNotEmpty();
  }

  @Test
  void nothingToDoIsDone() throws IOException {
    ecosystem();
    assertThat(on("plan").expect(0).out()).contains("Nothing to do");
    assertThat(on("run").expect(0).out()).contains("Nothing to do");
  }

  @Test
  void coloursAreForPeopleOnly() throws IOException {
    ecosystem();
    Terminal person = new Terminal(false, true, false, 100, true);
    String dir = directory.toString();
    assertThat(run(person, "status", "--dir", dir).out()).contains("\u001b[1mbank");
    assertThat(run(person, "status", "--dir", dir, "--no-color").out()).doesNotContain("\u001b[");
    assertThat(run(person, "status", "--dir", dir, "--json").out()).doesNotContain("\u001b[");
    assertThat(on("status").out()).doesNotContain("\u001b[");
  }

  @Test
  void modelsAreMergedAndAnAdapterIsTakenOutOfOne() throws IOException {
    Path base = TinyModel.write(directory.resolve("base"), 1);
    Path tuned = TinyModel.write(directory.resolve("tuned"), 2);
    Path text = Files.writeString(directory.resolve("text.txt"), "the card\n\nis lost\n");
    Path merged = directory.resolve("merged");
    Ran told =
        run(
            "merge",
            "regmean",
            base.toString(),
            tuned.toString(),
            "--text",
            text.toString(),
            "--out",
            merged.toString());
    assertThat(told.expect(ExitCode.DONE).out())
        .contains("2 models merged into " + merged)
        .contains("Loaded again, it gives the logits of what was merged.");
    assertThat(run("inspect", merged.toString()).code()).isEqualTo(ExitCode.DONE);
    assertThat(
            run("merge", "regmean", base.toString(), "--out", directory.resolve("no").toString())
                .expect(ExitCode.USAGE)
                .err())
        .contains("the method looks at texts of each model: 0 texts for 1 models");

    Path adapter = directory.resolve("adapter");
    String[] extract = {
      "extract", tuned.toString(), "--base", base.toString(), "--out", adapter.toString()
    };
    assertThat(run(extract).expect(ExitCode.USAGE).err()).contains("--rank", "--energy");
    JsonNode report =
        run(Stream.concat(Stream.of(extract), Stream.of("--rank", "8", "--json"))
                .toArray(String[]::new))
            .expect(ExitCode.DONE)
            .json();
    assertThat(report.path("modules")).hasSize(7);
    assertThat(report.path("energy").doubleValue()).isCloseTo(1, within(1e-6));
    assertThat(report.path("logits").doubleValue()).isCloseTo(1, within(1e-3));
    assertThat(report.path("whole").toString()).contains("model.norm.weight", "lm_head.weight");
    assertThat(run("inspect", adapter.toString()).code()).isEqualTo(ExitCode.DONE);
  }
}
