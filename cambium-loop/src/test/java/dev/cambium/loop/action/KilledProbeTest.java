package dev.cambium.loop.action;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cambium.artifact.LocalArtifactStore;
import dev.cambium.engine.ModelInitializer;
import dev.cambium.engine.ProbeResult;
import dev.cambium.ledger.Ledger;
import dev.cambium.loop.declaration.HeadroomPolicy;
import dev.cambium.loop.headroom.HeadroomProbe;
import dev.cambium.loop.headroom.ProbeTasks;
import dev.cambium.model.Action;
import dev.cambium.model.Digest;
import dev.cambium.model.Json;
import dev.cambium.model.Manifest;
import dev.cambium.model.Progress;
import dev.cambium.model.Recipe;
import dev.cambium.model.Row;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** SIGKILL of a worker in the middle of a probe, with real processes. */
class KilledProbeTest {

  @TempDir Path directory;

  @Test
  void aProbeGoesOnFromItsFinishedTasksAndGivesWhatItWouldHaveGiven() throws Exception {
    Path model = directory.resolve("model");
    ModelInitializer.initialize(
        List.of(Row.qa("r", "what is it", "a card or a key", Map.of())),
        new ModelInitializer.Shape(1, 16, 2, 1, 32, 280, 64),
        1,
        model);
    HeadroomPolicy policy = new HeadroomPolicy(0.9, 1, 3, 30, 0.01);
    LocalArtifactStore store = LocalArtifactStore.open(directory.resolve("objects"));
    VersionFiles versions = new VersionFiles(store, directory.resolve("cache"));
    Digest tasks =
        store.put(ProbeTasks.encode(ProbeTasks.of(1, 0, policy.tasks(), policy.seeds())));
    Manifest version;
    try (Stream<Path> files = Files.list(model)) {
      version =
          versions.putModel(
              model, files.map(f -> f.getFileName().toString()).sorted().toList(), null);
    }
    Action probe =
        new Action.Probe(
            version.digest(), tasks, HeadroomProbe.recipe(policy, Recipe.Precision.FP32), 2);
    Path jobs = directory.resolve("jobs");
    ProbeResult killed;
    try (Ledger ledger = Ledger.create(directory.resolve("fleet"), InstantSource.system());
        WorkerPool pool = new WorkerPool(1, 1, Duration.ofMinutes(2), directory.resolve("log"))) {
      Path finished = jobs.resolve(probe.key(pool.fingerprint()).hex()).resolve(Job.SNAPSHOTS);
      Path first = finished.resolve("task-0000.json");
      FileTime[] made = new FileTime[1];
      CompletableFuture<Void> killer =
          CompletableFuture.runAsync(
              () -> {
                try {
                  while (!Files.exists(finished.resolve("task-0002.json"))) {
                    Thread.sleep(1);
                  }
                  made[0] = Files.getLastModifiedTime(first);
                  ProcessHandle.current().children().forEach(ProcessHandle::destroyForcibly);
                } catch (Exception e) {
                  throw new IllegalStateException(e);
                }
              });
      FileTime[] kept = new FileTime[1];
      Progress watch =
          (task, done, total, note) -> {
            try {
              kept[0] = Files.exists(first) ? Files.getLastModifiedTime(first) : kept[0];
            } catch (java.io.IOException e) {
              throw new java.io.UncheckedIOException(e);
            }
          };
      ActionRunner runner = new ActionRunner(ledger, store, versions, pool, jobs, "test");
      ActionResult result = runner.run(probe, watch);
      killer.join();
      assertThat(kept[0]).as("the first task was not done again").isEqualTo(made[0]);
      killed = Json.read(store.bytes(result.output(ActionRunner.PROBE)), ProbeResult.class);
      assertThat(killed.runs()).hasSize(HeadroomProbe.runs(policy));

      // Memoised: nobody works for it again.
      assertThat(runner.run(probe, Progress.NONE).memoised()).isTrue();
      assertThat(runner.carriedOut()).isEqualTo(1);
    }
    try (Ledger ledger = Ledger.create(directory.resolve("other"), InstantSource.system());
        WorkerPool pool = new WorkerPool(1, 1, Duration.ofMinutes(2), directory.resolve("log"))) {
      ActionRunner runner =
          new ActionRunner(ledger, store, versions, pool, directory.resolve("jobs-2"), "test");
      ProbeResult whole =
          Json.read(
              store.bytes(runner.run(probe, Progress.NONE).output(ActionRunner.PROBE)),
              ProbeResult.class);
      assertThat(losses(killed)).isEqualTo(losses(whole));
    }
  }

  private static List<List<Double>> losses(ProbeResult probe) {
    return probe.runs().stream().map(ProbeResult.Run::losses).toList();
  }
}
