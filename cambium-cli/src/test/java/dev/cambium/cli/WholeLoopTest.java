package dev.cambium.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.cambium.model.Json;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From text to a released line, through the commands, with the real engine: one small fleet. */
class WholeLoopTest {

  private static final List<String> THINGS =
      List.of("card", "loan", "account", "transfer", "letter", "key", "phone", "code");
  private static final List<String> STATES = List.of("lost", "late", "new", "wrong", "blocked");

  private static final String HOSTILE =
      "<img src=x onerror=alert(1)> </td></table><script>\u202e \u001b[31m";

  @TempDir Path directory;

  private Path write(String name, String text) throws IOException {
    Path file = directory.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.writeString(file, text);
  }

  private JsonNode run(int expected, String... arguments) throws IOException {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    List<String> all = new ArrayList<>(List.of(arguments));
    all.add("--json");
    int code =
        Main.run(
            Terminal.NONE, new PrintWriter(out), new PrintWriter(err), all.toArray(String[]::new));
    assertThat(code).as("%s: %s %s", all, out, err).isEqualTo(expected);
    return Json.mapper().readTree(out.toString());
  }

  private JsonNode on(int expected, String... arguments) throws IOException {
    List<String> all = new ArrayList<>(List.of(arguments));
    all.add("--dir");
    all.add(directory.toString());
    return run(expected, all.toArray(String[]::new));
  }

  @Test
  void fromTextToAReleasedLine() throws IOException {
    StringBuilder text = new StringBuilder();
    StringBuilder rows = new StringBuilder("prompt,completion\n");
    StringBuilder items = new StringBuilder();
    for (String thing : THINGS) {
      for (String state : STATES) {
        text.append("the ").append(thing).append(" is ").append(state).append(".\n\n");
        rows.append("my ").append(thing).append(" is ").append(state).append(',');
        rows.append(thing).append('\n');
        items.append("{\"prompt\":\"please help, the ").append(thing).append(" seems ");
        items.append(state).append("\",\"answer\":\"").append(thing);
        items.append("\",\"tags\":{\"thing\":\"").append(thing).append("\"}}\n");
      }
    }
    Path corpus = write("text.txt", text.toString());
    Path data = write("rows.csv", rows.toString());
    write("suites/things.jsonl", items.toString());
    String yaml =
        """
        name: small
        recipes:
          sft: { method: full, steps: 20, batch-rows: 16, max-tokens: 48, learning-rate: 0.005 }
        capabilities:
          things: { owner: t, suite: suites/things.jsonl, scorer: likelihood, floor: 0.001 }
        lines:
          base: { tier: foundation }
          desk: { tier: industrial, parent: base, recipe: sft, contract: { capabilities: [things], headroom: { floor: 0, tasks: 1, steps: 8 } } }
        """;
    write("ecosystem.yaml", yaml);

    Path model = directory.resolve("base-v1");
    JsonNode trained =
        run(
            0,
            "pretrain",
            corpus.toString(),
            model.toString(),
            "--layers",
            "1",
            "--width",
            "32",
            "--heads",
            "2",
            "--vocabulary",
            "300",
            "--context",
            "64",
            "--max-tokens",
            "48",
            "--steps",
            "20",
            "--batch-rows",
            "8");
    assertThat(trained.get("training").get("tokens").asLong()).isPositive();
    run(ExitCode.DONE, "inspect", model.toString());
    Path soup = directory.resolve("soup");
    String[] merge = {
      "merge", "linear", model.toString(), model.toString(), "--out", soup.toString()
    };
    run(ExitCode.DONE, merge);
    assertThat(soup.resolve("model.safetensors"))
        .hasSameBinaryContentAs(model.resolve("model.safetensors"));
    run(ExitCode.DONE, "inspect", soup.toString());
    run(ExitCode.USAGE, merge); // never over what is there

    on(ExitCode.DONE, "init");
    on(ExitCode.DONE, "import", model.toString(), "--as", "base", "--tier", "foundation");
    JsonNode verdict = on(ExitCode.DONE, "release", "promote", "base@1", "--waive", "a first try");
    assertThat(verdict.get("decision").asText()).isEqualTo("pass");

    on(ExitCode.DONE, "signal", "data", data.toString(), "--line", "desk", "--note", HOSTILE);
    JsonNode plan = on(ExitCode.DONE, "plan");
    assertThat(plan.get("steps").get(0).get("line").asText()).isEqualTo("desk");
    JsonNode report = on(ExitCode.DONE, "run");
    assertThat(report.get("outcome").asText()).isEqualTo("released");
    assertThat(report.get("settlements").get(0).get("version").asText()).isEqualTo("desk@1");

    JsonNode headroom = on(ExitCode.DONE, "headroom", "desk").get("versions").get(0);
    assertThat(headroom.get("headroom").get("measured").get("foundation").asText())
        .isEqualTo("base@1");
    assertThat(headroom.get("headroom").get("measured").get("runs").asInt()).isEqualTo(9);
    assertThat(on(ExitCode.DONE, "show", "desk").get("verdicts").get(0).get("headroom"))
        .isEqualTo(headroom.get("headroom"));
    assertThat(on(ExitCode.DONE, "diff", "base", "desk").get("headroom-b"))
        .isEqualTo(headroom.get("headroom").get("measured"));
    Path learning = directory.resolve("headroom.html");
    on(ExitCode.DONE, "headroom", "desk", "--html", learning.toString());
    assertThat(Files.readString(learning)).contains("How well desk still learns", "base@1");

    JsonNode measured = on(ExitCode.DONE, "eval", "desk");
    assertThat(measured.get(0).get("items").asInt()).isEqualTo(THINGS.size() * STATES.size());
    JsonNode said = on(ExitCode.DONE, "chat", "desk", "my card is lost", "--max-tokens", "4");
    assertThat(said.get("version").asText()).isEqualTo("desk@1");
    assertThat(said.get("answer").isTextual()).isTrue();

    JsonNode telemetry = on(ExitCode.DONE, "show", "desk@1").get("telemetry").get("telemetry");
    assertThat(telemetry.get("points")).hasSize(2);
    assertThat(telemetry.get("points").get(1).get("weights").get("effective").asDouble())
        .isBetween(1.0, 32.0);
    assertThat(telemetry.get("update").get("relative-norm").asDouble()).isPositive();

    StringWriter shown = new StringWriter();
    String[] show = {"show", "desk@1", "--dir", directory.toString()};
    assertThat(Main.run(Terminal.NONE, new PrintWriter(shown), new PrintWriter(shown), show))
        .isEqualTo(ExitCode.DONE);
    assertThat(shown.toString())
        .containsPattern("STEP +WEIGHTS: RANK +STABLE +NORM +FEATURES: RANK +STABLE +DORMANT")
        .containsPattern("(?m)^ *20 +[\\d.]+ of [\\d.]+ ")
        .containsPattern(
            "update: [\\d.e-]+ of the weights' norm, effective rank [\\d.]+ of [\\d.]+,");

    JsonNode why = on(ExitCode.DONE, "why", "desk");
    assertThat(why.toString()).contains("base@1", "train", "\"probe\"");
    JsonNode measuredItems = on(ExitCode.DONE, "why", "desk", "--items").get(0);
    assertThat(measuredItems.get("agrees").asBoolean()).isTrue();
    assertThat(measuredItems.get("items")).hasSizeGreaterThan(20);
    assertThat(measuredItems.get("items").get(0).get("candidate").get("judgement").isTextual())
        .isTrue();
    JsonNode reach = on(ExitCode.DONE, "why", "--reach");
    assertThat(2 * reach.get("reached").asLong()).isGreaterThan(reach.get("records").asLong());
    Path page = directory.resolve("why.html");
    on(ExitCode.DONE, "why", "desk", "--html", page.toString(), "--rows", "7");
    String html = Files.readString(page);
    assertThat(html)
        .contains("Why desk@1", "my card is lost", "please help, the", "the first 7 of")
        .contains("&lt;img src=x onerror=alert(1)&gt;")
        .doesNotContain("<img", "<script", "\u202e", "\u001b");
    assertThat(html.replace("http://www.w3.org/", "")).doesNotContain("http:", "https:");
    Path statement = directory.resolve("desk-1.json");
    on(ExitCode.DONE, "attest", "desk@1", "--out", statement.toString());
    on(ExitCode.DONE, "verify", "--attestation", statement.toString());
    JsonNode envelope = Json.mapper().readTree(Files.readString(statement));
    JsonNode predicate =
        Json.mapper()
            .readTree(Base64.getDecoder().decode(envelope.get("payload").asText()))
            .get("predicate");
    JsonNode definition = predicate.get("buildDefinition");
    assertThat(definition.get("buildType").asText()).endsWith("/train/v1");
    assertThat(definition.get("externalParameters").get("action").get("recipe").get("steps"))
        .hasToString("20");
    assertThat(definition.get("resolvedDependencies").toString())
        .contains("\"name\":\"start\"", "cambium:base@1", "\"name\":\"mix/0/data\"");
    assertThat(predicate.get("runDetails").get("builder").get("version").get("engine").asText())
        .isNotEmpty();

    approveAChangeOfTheSuite(items.toString());
    governAnUpdate(data);
    JsonNode again = on(ExitCode.DONE, "run");
    assertThat(again.has("campaign")).as("nothing is left to do").isFalse();
    upgrade(yaml, corpus, model);
    assertThat(on(ExitCode.DONE, "verify").get("intact").asBoolean()).isTrue();
  }

  private void approveAChangeOfTheSuite(String items) throws IOException {
    write("suites/things.jsonl", items.substring(items.indexOf('\n') + 1));
    assertThat(on(ExitCode.DONE, "status").get("suites-not-in-force").get(0).asText())
        .isEqualTo("things");
    JsonNode change = on(ExitCode.DONE, "suite", "things").get(0);
    assertThat(change.get("items")).hasSize(1);
    assertThat(change.get("items").get(0).has("after")).as("retired").isFalse();
    on(ExitCode.USAGE, "suite", "approve", "things");
    on(ExitCode.USAGE, "suite", "approve", "--reason", "of which?");
    on(ExitCode.USAGE, "suite", "approve", "thinks", "--reason", "no such suite");
    assertThat(on(ExitCode.DONE, "suite", "approve", "things", "--reason", "one less")).hasSize(1);
    assertThat(on(ExitCode.DONE, "suite")).isEmpty();
    assertThat(on(ExitCode.DONE, "log").toString()).contains("one less");
  }

  /** Whatever the gate says. */
  private void ran(String... arguments) {
    List<String> all = new ArrayList<>(List.of(arguments));
    all.addAll(List.of("--dir", directory.toString(), "--json"));
    StringWriter out = new StringWriter();
    int code =
        Main.run(
            Terminal.NONE, new PrintWriter(out), new PrintWriter(out), all.toArray(String[]::new));
    assertThat(code).as("%s", out).isIn(ExitCode.DONE, ExitCode.REJECTED, ExitCode.INCONCLUSIVE);
  }

  private void governAnUpdate(Path data) throws IOException {
    on(ExitCode.USAGE, "plan", "--mode", "desk=repair");
    on(ExitCode.USAGE, "plan", "--mode", "desk=mend", "--reason", "no such mode");
    on(ExitCode.USAGE, "plan", "--mode", "desk=repair", "--reason", "nothing to learn");
    on(ExitCode.DONE, "signal", "data", data.toString(), "--line", "desk");
    String[] wish = {"--mode", "desk=repair", "--reason", "it learns slowly"};
    JsonNode step =
        on(ExitCode.DONE, "plan", wish[0], wish[1], wish[2], wish[3]).get("steps").get(0);
    assertThat(step.get("update").get("mode").asText()).isEqualTo("repair");
    ran("run", wish[0], wish[1], wish[2], wish[3]);
    assertThat(on(ExitCode.DONE, "why", "desk@2").toString())
        .contains("it learns slowly", "reset-dormant");
  }

  /** A newer base, the plan of it, the wave itself and all of it back. */
  private void upgrade(String yaml, Path corpus, Path model) throws IOException {
    write(
        "ecosystem.yaml",
        yaml.replace("floor: 0.001", "floor: 0.001, margin: 0.4")
            .replace(
                "{ tier: foundation }",
                "{ tier: foundation, contract: { capabilities: [things] } }"));
    Path newer = directory.resolve("base-v2");
    run(
        0,
        "pretrain",
        corpus.toString(),
        newer.toString(),
        "--from",
        model.toString(),
        "--max-tokens",
        "48",
        "--steps",
        "5",
        "--batch-rows",
        "8");
    on(ExitCode.DONE, "plan"); // the declaration is recorded
    long records = on(ExitCode.DONE, "status").get("records").asLong();
    JsonNode plan = on(ExitCode.DONE, "upgrade", "base", "--to", newer.toString());
    assertThat(plan.get("steps").get(0).get("adopt").asText()).isEqualTo("base@2");
    assertThat(plan.get("steps").get(1).get("rungs").toString())
        .isEqualTo("[\"transplant\",\"align\",\"distill\",\"retrain\"]");
    assertThat(plan.get("expected-seconds").asDouble()).isPositive();
    assertThat(on(ExitCode.DONE, "status").get("records").asLong()).isEqualTo(records);
    Path page = directory.resolve("upgrade.html");
    JsonNode done =
        on(
            ExitCode.DONE,
            "upgrade",
            "base",
            "--to",
            newer.toString(),
            "--yes",
            "--html",
            page.toString());
    assertThat(done.get("outcome").asText()).isEqualTo("released");
    JsonNode desk = done.get("wave").get("lines").get(1);
    assertThat(desk.get("line").asText()).isEqualTo("desk");
    assertThat(desk.get("settlement").asText()).isEqualTo("released");
    assertThat(desk.get("attempts").get(0).get("rung").asText()).isEqualTo("transplant");
    assertThat(desk.get("retraining").asDouble()).isPositive();
    String html = Files.readString(page);
    assertThat(html).contains("of retraining", "transplant", "desk@").doesNotContain("<script");
    assertThat(html.replace("http://www.w3.org/", "")).doesNotContain("http:", "https:");
    on(ExitCode.USAGE, "upgrade", "desk", "--to", newer.toString());
    on(ExitCode.USAGE, "upgrade", "base", "--to", directory.resolve("nowhere").toString());
    JsonNode back = on(ExitCode.DONE, "release", "rollback", "base", "--cascade");
    assertThat(back.get("moves")).hasSize(2);
  }
}
