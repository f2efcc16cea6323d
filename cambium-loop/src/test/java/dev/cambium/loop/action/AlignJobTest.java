package dev.cambium.loop.action;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.artifact.huggingface.LoraConfig;
import dev.cambium.engine.Engine;
import dev.cambium.engine.ModelInitializer;
import dev.cambium.engine.decoder.LoraAdapter;
import dev.cambium.engine.decoder.Precision;
import dev.cambium.engine.transfer.CrossingReport;
import dev.cambium.engine.transfer.Permutation;
import dev.cambium.model.Action;
import dev.cambium.model.Digest;
import dev.cambium.model.FileEntry;
import dev.cambium.model.Json;
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
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a worker makes of {@link Action.Align} and {@link Action.Crossing}, on the real engine. */
class AlignJobTest {

  private static final Digest TEXT = Digest.ofText("text");
  private static final Digest ANY = Digest.ofText("any");

  @TempDir private Path dir;

  @BeforeEach
  void models() throws IOException {
    List<Row> rows = new ArrayList<>();
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 40; i++) {
      Row row = Row.text("r" + i, "card " + i + " was lost, card " + (i * 7) + " is blocked");
      rows.add(row);
      lines.append(new String(Json.canonical(row), StandardCharsets.UTF_8)).append('\n');
    }
    Files.writeString(dir.resolve("text.jsonl"), lines);
    Path old = dir.resolve("old");
    ModelInitializer.initialize(rows, new ModelInitializer.Shape(1, 16, 2, 1, 24, 280, 64), 1, old);
    Permutation.write(old, dir.resolve("now"), 2);
    try (LoraAdapter adapter =
        LoraAdapter.random(
            DecoderConfig.read(old), LoraConfig.of(new Recipe.Lora(2, 4, List.of("q_proj"))), 3)) {
      String up = "base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight";
      float[] values = adapter.read(up);
      Arrays.fill(values, 0.1f);
      adapter.write(up, values);
      adapter.save(dir.resolve("adapter"), Precision.F32);
    }
  }

  private JobResult run(Path job, Action action) throws IOException {
    Files.createDirectories(job);
    Files.write(
        job.resolve(Job.ACTION),
        Json.canonical(
            new Job(
                ANY,
                action,
                dir.resolve("old").toString(),
                null,
                null,
                dir.resolve("adapter").toString(),
                dir.resolve("now").toString(),
                Map.of(TEXT, dir.resolve("text.jsonl").toString()))));
    try (JobRunner runner = new JobRunner(Engine.open())) {
      runner.run(job, Progress.NONE);
    }
    return JobResult.read(job.resolve(Job.RESULT), action.kind());
  }

  @Test
  void whatAKilledAlignmentLeftIsNoPartOfTheResult() throws IOException {
    Action align = new Action.Align(ANY, ANY, ANY, List.of(TEXT));
    JobResult whole = run(dir.resolve("whole"), align);
    assertThat(whole.error()).isNull();
    assertThat(whole.files())
        .extracting(FileEntry::path)
        .contains("align.json", "version/adapter_model.safetensors");
    Path job = dir.resolve("killed");
    Path version = Files.createDirectories(job.resolve("out/version"));
    Files.writeString(version.resolve("adapter_model.safetensors"), "half wri");
    Files.writeString(version.resolve("left-over.json"), "{");
    assertThat(run(job, align).files()).isEqualTo(whole.files());
  }

  @Test
  void aCrossingIsToldInAReportAndMakesNoVersion() throws IOException {
    Path job = dir.resolve("crossing");
    JobResult result = run(job, new Action.Crossing(ANY, ANY, List.of(TEXT)));
    assertThat(result.error()).isNull();
    assertThat(result.files()).extracting(FileEntry::path).containsExactly("crossing.json");
    CrossingReport report =
        Json.read(Files.readAllBytes(job.resolve("out/crossing.json")), CrossingReport.class);
    assertThat(report.losses()).hasSize(5);
  }
}
