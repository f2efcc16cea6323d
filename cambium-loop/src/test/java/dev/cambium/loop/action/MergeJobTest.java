package dev.cambium.loop.action;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.artifact.huggingface.LoraConfig;
import dev.cambium.engine.Engine;
import dev.cambium.engine.ModelInitializer;
import dev.cambium.engine.decoder.LoraAdapter;
import dev.cambium.engine.decoder.Precision;
import dev.cambium.engine.transfer.Merge;
import dev.cambium.model.Action;
import dev.cambium.model.Digest;
import dev.cambium.model.FileEntry;
import dev.cambium.model.Json;
import dev.cambium.model.MergeMethod;
import dev.cambium.model.Progress;
import dev.cambium.model.Recipe;
import dev.cambium.model.Row;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a worker makes of {@link Action.Merge}, on the real engine. */
class MergeJobTest {

  private static final Digest CARDS = Digest.ofText("cards");
  private static final Digest LOANS = Digest.ofText("loans");
  private static final Digest ADAPTER = Digest.ofText("adapter");
  private static final Digest TEXT = Digest.ofText("text");

  @TempDir Path dir;
  private final Map<Digest, String> files = new TreeMap<>();

  @BeforeEach
  void models() throws IOException {
    List<Row> rows = new ArrayList<>();
    for (String what : List.of("is lost", "was stolen", "is blocked", "expired")) {
      rows.add(Row.text("r" + rows.size(), "my card " + what));
    }
    ModelInitializer.Shape shape = new ModelInitializer.Shape(1, 16, 2, 1, 24, 280, 32);
    ModelInitializer.initialize(rows, shape, 1, dir.resolve("cards"));
    ModelInitializer.initialize(rows, shape, 2, dir.resolve("loans"));
    try (LoraAdapter adapter =
        LoraAdapter.random(
            DecoderConfig.read(dir.resolve("loans")),
            LoraConfig.of(new Recipe.Lora(2, 4, List.of("q_proj"))),
            3)) {
      String up = "base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight";
      float[] values = adapter.read(up);
      Arrays.fill(values, 0.1f);
      adapter.write(up, values);
      adapter.save(dir.resolve("adapter"), Precision.F32);
    }
    StringBuilder lines = new StringBuilder();
    rows.forEach(
        r -> lines.append(new String(Json.canonical(r), StandardCharsets.UTF_8)).append('\n'));
    Files.writeString(dir.resolve("text.jsonl"), lines);
    files.put(CARDS, dir.resolve("cards").toString());
    files.put(LOANS, dir.resolve("loans").toString());
    files.put(ADAPTER, dir.resolve("adapter").toString());
    files.put(TEXT, dir.resolve("text.jsonl").toString());
  }

  private JobResult run(Path job, Action action) throws IOException {
    Files.createDirectories(job);
    Files.write(
        job.resolve(Job.ACTION),
        Json.canonical(new Job(Digest.ofText("key"), action, null, null, null, null, null, files)));
    try (JobRunner runner = new JobRunner(Engine.open())) {
      runner.run(job, Progress.NONE);
    }
    return JobResult.read(job.resolve(Job.RESULT), "merge");
  }

  @Test
  void anAdapterIsMergedAsTheModelThatItMakes() throws IOException {
    MergeMethod half = new MergeMethod.Linear(List.of(1.0, 1.0));
    Action merge =
        new Action.Merge(
            half,
            null,
            List.of(
                new Action.Source(CARDS, null, List.of()),
                new Action.Source(LOANS, ADAPTER, List.of())));
    Path job = dir.resolve("job");
    // What a run that was killed may leave.
    Files.createDirectories(job.resolve("whole/1"));
    Files.writeString(job.resolve("whole/1/config.json"), "half wri");
    Files.createDirectories(job.resolve("out/.version.partial"));
    JobResult result = run(job, merge);
    assertThat(result.error()).isNull();
    assertThat(result.files())
        .extracting(FileEntry::path)
        .contains("version/model.safetensors", "version/config.json", "version/tokenizer.json")
        .allMatch(path -> path.startsWith("version/"));
    Path whole = dir.resolve("whole");
    Engine.open().merge(dir.resolve("loans"), dir.resolve("adapter"), whole);
    Merge.by(half).into(dir.resolve("expected"), List.of(dir.resolve("cards"), whole));
    assertThat(job.resolve("out/version/model.safetensors"))
        .hasSameBinaryContentAs(dir.resolve("expected/model.safetensors"));
    assertThat(job.resolve("whole")).doesNotExist();
  }

  @Test
  void textOfEachSourceReachesTheMethod() throws IOException {
    Action.Source cards = new Action.Source(CARDS, null, List.of(TEXT));
    Action.Source loans = new Action.Source(LOANS, null, List.of(TEXT));
    MergeMethod method = new MergeMethod.RegMean(List.of(1.0, 1.0), 0.9, 100);
    JobResult result =
        run(dir.resolve("job"), new Action.Merge(method, null, List.of(cards, loans)));
    assertThat(result.error()).isNull();
    JobResult failed =
        run(
            dir.resolve("other"),
            new Action.Merge(
                method, null, List.of(cards, new Action.Source(LOANS, null, List.of()))));
    assertThat(failed.error()).contains("loans: no text in []");
  }
}
