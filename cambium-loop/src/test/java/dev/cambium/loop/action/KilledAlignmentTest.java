package dev.cambium.loop.action;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.artifact.LocalArtifactStore;
import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.artifact.huggingface.LoraConfig;
import dev.cambium.engine.ModelInitializer;
import dev.cambium.engine.decoder.LoraAdapter;
import dev.cambium.engine.decoder.Precision;
import dev.cambium.engine.transfer.Permutation;
import dev.cambium.ledger.Ledger;
import dev.cambium.loop.data.RowFile;
import dev.cambium.model.Action;
import dev.cambium.model.Digest;
import dev.cambium.model.Progress;
import dev.cambium.model.Recipe;
import dev.cambium.model.Row;
import dev.cambium.model.VersionKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An adapter is carried to a permuted base, with real processes. */
class KilledAlignmentTest {

  private static final String UP = "base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight";

  @TempDir private Path directory;

  private LocalArtifactStore store;
  private VersionFiles versions;
  private Digest old;
  private Digest now;
  private Digest tuned;
  private Digest text;

  @BeforeEach
  void versions() throws IOException {
    store = LocalArtifactStore.open(directory.resolve("objects"));
    versions = new VersionFiles(store, directory.resolve("cache"));
    List<Row> rows =
        IntStream.range(0, 40)
            .mapToObj(i -> Row.text("r" + i, "card " + i + " was lost, card " + 7 * i + " is not"))
            .toList();
    text = store.put(RowFile.encode(rows));
    Path model = directory.resolve("old");
    ModelInitializer.initialize(
        rows, new ModelInitializer.Shape(2, 16, 2, 1, 24, 280, 64), 1, model);
    Permutation.write(model, directory.resolve("now"), 2);
    Path adapter = directory.resolve("adapter");
    try (LoraAdapter made =
        LoraAdapter.random(
            DecoderConfig.read(model),
            LoraConfig.of(new Recipe.Lora(2, 4, List.of("q_proj"))),
            3)) {
      float[] values = made.read(UP);
      Arrays.fill(values, 0.1f);
      made.write(UP, values);
      made.save(adapter, Precision.F32);
    }
    old = versions.putModel(model, names(model), null).digest();
    now =
        versions.putModel(directory.resolve("now"), names(directory.resolve("now")), null).digest();
    tuned = versions.put(adapter, names(adapter), VersionKind.ADAPTER, old).digest();
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(f -> f.getFileName().toString()).sorted().toList();
    }
  }

  private ActionResult run(String name, Action action, Progress watch) throws Exception {
    try (Ledger ledger = Ledger.create(directory.resolve(name), InstantSource.system());
        WorkerPool pool = new WorkerPool(1, 1, Duration.ofMinutes(2), directory.resolve("log"))) {
      Path jobs = directory.resolve(name + "-jobs");
      return new ActionRunner(ledger, store, versions, pool, jobs, "test").run(action, watch);
    }
  }

  @Test
  void whatAKilledWorkerBeganIsDoneAgainAndGivesTheSame() throws Exception {
    Action align = new Action.Align(old, now, tuned, List.of(text));
    AtomicBoolean killed = new AtomicBoolean();
    AtomicBoolean begunAgain = new AtomicBoolean();
    Progress killer =
        (task, done, total, note) -> {
          if (!task.equals("align")) {
            return;
          }
          if (killed.compareAndSet(false, true)) {
            ProcessHandle.current().children().forEach(ProcessHandle::destroyForcibly);
          } else if (deaths("killed")) {
            begunAgain.set(true);
          }
        };
    ActionResult after = run("killed", align, killer);
    assertThat(begunAgain).as("another worker began, and said so").isTrue();
    ActionResult whole = run("whole", align, Progress.NONE);
    assertThat(after.outputs()).isEqualTo(whole.outputs());
    assertThat(after.outputs()).containsKey("version/adapter_model.safetensors");
  }

  private boolean deaths(String name) {
    try (Stream<Path> files = Files.walk(directory.resolve(name + "-jobs"))) {
      return files.anyMatch(f -> f.getFileName().toString().equals(WorkerProcess.DEATHS));
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /** Both bases have the same shapes, so the arithmetic would do. */
  @Test
  void anAdapterOfAnotherBaseIsRefused() {
    Action.Align align = new Action.Align(now, old, tuned, List.of(text));
    assertThatThrownBy(() -> run("align", align, Progress.NONE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("an adapter of " + old.brief())
        .hasMessageContaining("one of " + now.brief());
    Action.Transplant transplant = new Action.Transplant(now, old, tuned, 1);
    assertThatThrownBy(() -> run("transplant", transplant, Progress.NONE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("an adapter of " + old.brief());
  }
}
