package dev.cambium.loop.action;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.artifact.huggingface.LoraConfig;
import dev.cambium.engine.Engine;
import dev.cambium.engine.ModelInitializer;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.LoraAdapter;
import dev.cambium.engine.decoder.Precision;
import dev.cambium.loop.data.RowFile;
import dev.cambium.model.Action;
import dev.cambium.model.Digest;
import dev.cambium.model.Json;
import dev.cambium.model.Progress;
import dev.cambium.model.Recipe;
import dev.cambium.model.Row;
import dev.cambium.model.Scorer;
import dev.cambium.model.ScorerKind;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The actions that keep what was learnt, carried out by the engine. */
class KeepingJobTest {

  private static final Recipe.Lora SHAPE = new Recipe.Lora(2, 4, List.of());

  @TempDir Path folder;
  private Path model;
  private Path adapter;
  private List<Row> rows;

  @BeforeEach
  void make() {
    rows =
        List.of(
            Row.qa("a", "my card is lost", "lost", Map.of()),
            Row.qa("b", "my card was stolen", "stolen", Map.of()));
    model = folder.resolve("model");
    ModelInitializer.initialize(
        rows, new ModelInitializer.Shape(2, 32, 2, 2, 64, 320, 64), 1, model);
    adapter = folder.resolve("adapter");
    try (Decoder base = Decoder.load(model);
        LoraAdapter lora = LoraAdapter.random(base.config(), LoraConfig.of(SHAPE), 3)) {
      lora.shapes()
          .keySet()
          .forEach(
              name -> {
                float[] values = lora.read(name);
                for (int i = 0; i < values.length; i++) {
                  values[i] += 0.01f * (i % 7 - 3);
                }
                lora.write(name, values);
              });
      lora.save(adapter, Precision.F32);
    }
  }

  private Path job(String name, Action action, Map<Digest, String> files) throws IOException {
    Path directory = folder.resolve(name);
    Files.createDirectories(directory.resolve(Job.OUT));
    Files.createDirectories(directory.resolve(Job.SNAPSHOTS));
    Job job =
        new Job(
            Digest.ofText(name),
            action,
            model.toString(),
            adapter.toString(),
            null,
            null,
            null,
            files);
    Files.write(directory.resolve(Job.ACTION), Json.canonical(job));
    return directory;
  }

  private static JobResult run(Path job) throws IOException {
    try (JobRunner runner = new JobRunner(Engine.open())) {
      runner.run(job, Progress.NONE);
    }
    return JobResult.read(job.resolve(Job.RESULT), "job");
  }

  private Path consolidation(String name) throws IOException {
    Digest any = Digest.ofText("any");
    return job(name, new Action.Consolidate(any, any), Map.of());
  }

  /** W + scale · B·A, number by number. */
  @Test
  void anAdapterIsWrittenIntoTheWeights() throws IOException {
    Path job = consolidation("whole");
    assertThat(run(job).error()).isNull();
    Path merged = job.resolve("out/version");
    String name = "model.layers.1.mlp.down_proj";
    try (Decoder before = Decoder.load(model);
        Decoder after = Decoder.load(merged);
        LoraAdapter lora = LoraAdapter.load(adapter, DecoderConfig.read(model))) {
      float[] w = before.read(name + ".weight");
      float[] found = after.read(name + ".weight");
      float[] a = lora.read("base_model.model." + name + ".lora_A.weight");
      float[] b = lora.read("base_model.model." + name + ".lora_B.weight");
      for (int i = 0; i < 32; i++) {
        for (int j = 0; j < 64; j++) {
          double update = b[2 * i] * (double) a[j] + b[2 * i + 1] * (double) a[64 + j];
          assertThat(Math.abs(found[64 * i + j] - (w[64 * i + j] + 2 * update))).isLessThan(1e-6);
        }
      }
      assertThat(found).isNotEqualTo(w);
    }
    assertThat(merged.resolve("tokenizer.json"))
        .hasSameBinaryContentAs(model.resolve("tokenizer.json"));
  }

  @Test
  void anEndBetweenTwoAdaptersIsOneOfTheirOwnWeights() throws IOException {
    Path other = folder.resolve("other");
    try (Decoder base = Decoder.load(model);
        LoraAdapter lora = LoraAdapter.random(base.config(), LoraConfig.of(SHAPE), 4)) {
      lora.save(other, Precision.F32);
    }
    Digest any = Digest.ofText("any");
    Path directory = job("between", new Action.Transplant(any, any, any, 0.5), Map.of());
    Job given = Json.read(Files.readAllBytes(directory.resolve(Job.ACTION)), Job.class);
    Files.write(
        directory.resolve(Job.ACTION),
        Json.canonical(
            new Job(
                given.key(),
                given.action(),
                adapter.toString(),
                null,
                null,
                other.toString(),
                adapter.toString(),
                Map.of())));
    assertThat(run(directory).error()).isNull();
    DecoderConfig config = DecoderConfig.read(model);
    String name = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight";
    try (LoraAdapter from = LoraAdapter.load(adapter, config);
        LoraAdapter to = LoraAdapter.load(other, config);
        LoraAdapter found = LoraAdapter.load(directory.resolve("out/version"), config)) {
      for (int i = 0; i < found.read(name).length; i++) {
        assertThat(found.read(name)[i])
            .isEqualTo((float) ((from.read(name)[i] + (double) to.read(name)[i]) / 2));
      }
    }
  }

  /** Whenever the process is killed, another one does it again to the same bytes. */
  @Test
  void aKilledConsolidationIsDoneAgainToTheSameBytes() throws Exception {
    Path whole = consolidation("expected");
    run(whole);
    Path killed = consolidation("killed");
    Process victim = worker(killed);
    long patience = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (victim.isAlive() && !Files.exists(killed.resolve("out/version"))) {
      assertThat(System.nanoTime()).isLessThan(patience);
      Thread.sleep(1);
    }
    victim.destroyForcibly().waitFor();
    // Wherever it was, it may also have been here: half a file, and nobody's result.
    Files.deleteIfExists(killed.resolve(Job.RESULT));
    Files.write(killed.resolve("out/version/model.safetensors"), new byte[1000]);
    Files.write(killed.resolve("out/version/left-over.json"), new byte[10]);
    JobResult result = run(killed);
    assertThat(result.error()).isNull();
    assertThat(result.files()).isEqualTo(JobResult.read(whole.resolve(Job.RESULT), "").files());
    assertThat(killed.resolve("out/version/model.safetensors"))
        .hasSameBinaryContentAs(whole.resolve("out/version/model.safetensors"));
  }

  private Process worker(Path job) throws IOException {
    File log = folder.resolve("worker.log").toFile();
    return new ProcessBuilder(
            ProcessHandle.current().info().command().orElse("java"),
            "-cp",
            System.getProperty("java.class.path"),
            "-Xmx256m",
            Victim.class.getName(),
            job.toString())
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(log))
        .start();
  }

  /** Does a job in a process of its own. */
  static final class Victim {
    public static void main(String[] arguments) throws IOException {
      run(Path.of(arguments[0]));
    }
  }

  @Test
  void anAnswerThatIsRightIsKeptAndNothingToAskIsNoError() throws IOException {
    Digest asked = Digest.ofText("asked");
    Digest any = Digest.ofText("any");
    Action action =
        new Action.Answer(any, asked, new Scorer(ScorerKind.EXACT_MATCH, 4, null), 0, 1);
    for (List<Row> given : List.of(rows, List.<Row>of())) {
      Path file = Files.write(folder.resolve("asked.jsonl"), RowFile.encode(given));
      Path job = job("answers-" + given.size(), action, Map.of(asked, file.toString()));
      assertThat(run(job).error()).isNull();
      // A model that never learnt anything is right by chance at most; the file is there anyway.
      List<Row> kept = RowFile.decode(Files.readAllBytes(job.resolve("out/answers.jsonl")));
      assertThat(given).containsAll(kept);
    }
  }
}
