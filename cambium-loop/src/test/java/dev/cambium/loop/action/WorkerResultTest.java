package dev.cambium.loop.action;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.artifact.LocalArtifactStore;
import dev.cambium.ledger.Ledger;
import dev.cambium.model.Action;
import dev.cambium.model.Digest;
import dev.cambium.model.FileEntry;
import dev.cambium.model.Json;
import dev.cambium.model.Manifest;
import dev.cambium.model.Progress;
import dev.cambium.model.Scorer;
import dev.cambium.model.ScorerKind;
import dev.cambium.model.VersionKind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A worker is not trusted: what it leaves is checked before anything is taken from it. */
class WorkerResultTest {

  private static final String SECRET = "not the worker's to give away";

  @TempDir Path directory;
  private Ledger ledger;
  private ActionRunner runner;
  private Action action;
  private Leaves leaves = out -> {};

  /** What the worker leaves in its job directory. */
  private interface Leaves {
    void in(Path job) throws IOException;
  }

  @BeforeEach
  void prepare() throws IOException {
    ledger = Ledger.create(directory.resolve("fleet"), InstantSource.system());
    LocalArtifactStore store = LocalArtifactStore.open(directory.resolve("objects"));
    VersionFiles versions = new VersionFiles(store, directory.resolve("cache"));
    Digest file = store.put("x".getBytes(StandardCharsets.UTF_8));
    Digest version =
        versions.put(new Manifest(VersionKind.MODEL, null, List.of(new FileEntry("w", 1, file))));
    action = new Action.Evaluate(version, file, Scorer.of(ScorerKind.EXACT_MATCH), 0, 1);
    Files.writeString(directory.resolve("secret"), SECRET);
    JobExecutor executor =
        new JobExecutor() {
          @Override
          public String fingerprint() {
            return "test";
          }

          @Override
          public void execute(Path job, Progress progress) {
            try {
              leaves.in(job);
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          }

          @Override
          public void close() {}
        };
    runner = new ActionRunner(ledger, store, versions, executor, directory.resolve("jobs"), "test");
  }

  @AfterEach
  void close() {
    ledger.close();
  }

  private static void good(Path job) throws IOException {
    Files.writeString(job.resolve("out/a"), "good");
    result(job, List.of(new FileEntry("a", 4, Digest.ofText("good"))));
  }

  private static void result(Path job, List<FileEntry> files) throws IOException {
    Files.write(job.resolve(Job.RESULT), Json.canonical(new JobResult(null, 1, files)));
  }

  private void refused(String message, Leaves leaves) {
    this.leaves = leaves;
    assertThatThrownBy(() -> runner.run(action, Progress.NONE))
        .isInstanceOf(ActionFailedException.class)
        .hasMessageContaining(message);
    assertThat(ledger.state().size()).isZero();
    // A worker that does better afterwards is heard.
    this.leaves = WorkerResultTest::good;
  }

  private List<FileEntry> secret(String path) {
    return List.of(new FileEntry(path, SECRET.length(), Digest.ofText(SECRET)));
  }

  @Test
  void filesOutsideOfItsDirectoryAreNotTaken() {
    Path secret = directory.resolve("secret");
    for (String path : List.of("../secret", "../../../secret", secret.toString(), "a/../../x")) {
      refused(
          "relative",
          job ->
              Files.writeString(
                  job.resolve(Job.RESULT),
                  "{\"seconds\":1,\"files\":[{\"path\":\""
                      + path
                      + "\",\"size\":1,\"digest\":\""
                      + Digest.ofText(SECRET)
                      + "\"}]}"));
    }
    refused(
        "no file of its own",
        job -> {
          Files.createSymbolicLink(job.resolve("out/a"), secret);
          result(job, secret("a"));
        });
    refused(
        "no file of its own",
        job -> {
          Files.createSymbolicLink(job.resolve("out/d"), directory);
          result(job, secret("d/secret"));
        });
    refused(
        "no file of its own",
        job -> {
          Files.delete(job.resolve("out"));
          Files.createSymbolicLink(job.resolve("out"), directory);
          result(job, secret("secret"));
        });
    assertThat(runner.run(action, Progress.NONE).outputs()).containsOnlyKeys("a");
  }

  @Test
  void aResultThatIsNoneFailsTheActionAndIsNotKept() {
    refused("cannot be used", job -> Files.writeString(job.resolve(Job.RESULT), "{"));
    refused(
        "cannot be used", job -> Files.writeString(job.resolve(Job.RESULT), "{\"seconds\":-1}"));
    refused(
        "cannot be used",
        job -> Files.write(job.resolve(Job.RESULT), new byte[JobResult.LARGEST + 1]));
    refused(
        "changed after",
        job -> {
          good(job);
          Files.writeString(job.resolve("out/a"), "evil");
        });
    assertThat(runner.run(action, Progress.NONE).outputs()).containsOnlyKeys("a");
  }

  @Test
  void resultsWithAnyBytesChangedAreReadOrRefused() throws IOException {
    Random random = new Random(3);
    Path file = directory.resolve("result.json");
    byte[] good =
        Json.canonical(
            new JobResult(null, 1.5, List.of(new FileEntry("a/b", 4, Digest.ofText("x")))));
    int refused = 0;
    for (int i = 0; i < 3_000; i++) {
      byte[] bytes = good.clone();
      for (int n = 1 + random.nextInt(3); n > 0; n--) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
      }
      Files.write(file, bytes);
      try {
        JobResult.read(file, "train").files().forEach(f -> FileEntry.checkPath(f.path()));
      } catch (ActionFailedException e) {
        refused++;
      }
    }
    assertThat(refused).isGreaterThan(1_000);
  }
}
