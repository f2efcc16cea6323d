package dev.cambium.loop.action;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.model.Progress;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Workers that hang, or die, and what a worker knows; real processes. */
class WorkerProcessTest {

  private static final Duration PATIENCE = Duration.ofSeconds(2);

  @TempDir Path directory;

  /**
   * A worker that, as often as the file {@code hangs} in the job directory says, deadlocks after a
   * first word; and otherwise takes longer than the patience, but says so.
   */
  static final class Hanging {
    public static void main(String[] arguments) throws Exception {
      System.out.println("{\"ready\": \"test\"}");
      BufferedReader in =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        Path job = Path.of(line);
        System.out.println("{\"task\": \"t\", \"done\": 0, \"total\": 9, \"note\": \"\"}");
        Files.writeString(
            job.resolve("pids"),
            ProcessHandle.current().pid() + "\n",
            java.nio.file.StandardOpenOption.CREATE,
            java.nio.file.StandardOpenOption.APPEND);
        int hangs = Integer.parseInt(Files.readString(job.resolve("hangs")));
        if (hangs > 0) {
          Files.writeString(job.resolve("hangs"), Integer.toString(hangs - 1));
          new CountDownLatch(1).await();
        }
        for (int i = 1; i <= 6; i++) {
          Thread.sleep(400);
          System.out.println(
              "{\"task\": \"t\", \"done\": " + i + ", \"total\": 9, \"note\": \"\"}");
        }
        Files.writeString(job.resolve(Job.RESULT), "{}"); // it is only looked whether it is there
        System.out.println("{\"finished\": \"job\"}");
      }
    }
  }

  private WorkerProcess worker() {
    return new WorkerProcess(Hanging.class.getName(), 1, PATIENCE, directory.resolve("log"));
  }

  private Path job(int hangs) throws Exception {
    Path job = Files.createDirectories(directory.resolve("job-" + hangs));
    Files.writeString(job.resolve("hangs"), Integer.toString(hangs));
    return job;
  }

  private static List<ProcessHandle> alive(Path job) throws Exception {
    return Files.readAllLines(job.resolve("pids")).stream()
        .flatMap(pid -> ProcessHandle.of(Long.parseLong(pid)).stream())
        .filter(ProcessHandle::isAlive)
        .toList();
  }

  @Test
  void aHungWorkerIsKilledAndItsJobIsTriedOnceMore() throws Exception {
    try (WorkerProcess worker = worker()) {
      Path job = job(1);
      worker.execute(job, Progress.NONE);
      assertThat(job.resolve(Job.RESULT)).exists();
      assertThat(Files.readAllLines(job.resolve("pids"))).doesNotHaveDuplicates().hasSize(2);
      assertThat(alive(job)).as("the hung one is gone").hasSize(1);
    }
  }

  @Test
  void oneThatHangsAgainLeavesItsActionOpen() throws Exception {
    Path job = job(2);
    try (WorkerProcess worker = worker()) {
      assertThatThrownBy(() -> worker.execute(job, Progress.NONE))
          .isInstanceOf(WorkerLostException.class)
          .hasMessageContaining("twice")
          .hasMessageContaining("said nothing for 2 s")
          .hasMessageContaining(Workforce.PATIENCE)
          .hasMessageContaining(job.toString());
      assertThat(alive(job)).isEmpty();
      worker.execute(job, Progress.NONE);
      assertThat(job.resolve(Job.RESULT)).exists();
    }
  }

  @Test
  void oneThatHangsInALaterRunTooFailsThatActionAlone() throws Exception {
    Path job = job(WorkerProcess.FATAL);
    try (WorkerProcess worker = worker()) {
      assertThatThrownBy(() -> worker.execute(job, Progress.NONE))
          .isInstanceOf(WorkerLostException.class);
    }
    try (WorkerProcess worker = worker()) { // of another process, which knows the job directory
      assertThatThrownBy(() -> worker.execute(job, Progress.NONE))
          .isInstanceOf(ActionFailedException.class)
          .hasMessageContaining("4 times");
      Path next = job(0);
      worker.execute(next, Progress.NONE);
      assertThat(next.resolve(Job.RESULT)).exists();
    }
  }

  /** A worker that dies at its start, as often as a file says that is named by its parent's id. */
  static final class Stillborn {
    static Path left(long parent) {
      return Path.of("target", "stillborn-" + parent);
    }

    public static void main(String[] arguments) throws Exception {
      Path left = left(ProcessHandle.current().parent().orElseThrow().pid());
      int deaths = Integer.parseInt(Files.readString(left));
      if (deaths > 0) {
        Files.writeString(left, Integer.toString(deaths - 1));
        Runtime.getRuntime().halt(137); // as a shell tells of SIGKILL
      }
      Hanging.main(arguments);
    }
  }

  @Test
  void oneThatDiesAtItsStartIsStartedOnceMore() throws Exception {
    Path left = Stillborn.left(ProcessHandle.current().pid());
    try (WorkerProcess worker =
        new WorkerProcess(Stillborn.class.getName(), 1, PATIENCE, directory.resolve("log"))) {
      Files.writeString(left, "1");
      assertThat(worker.fingerprint()).isEqualTo("test");
      worker.close();

      Files.writeString(left, "1");
      Path job = job(0);
      worker.execute(job, Progress.NONE);
      assertThat(job.resolve(Job.RESULT)).exists();
      assertThat(Files.readString(job.resolve(WorkerProcess.DEATHS)))
          .isEqualTo("at its start killed by signal 9\n");
      worker.close();

      Files.writeString(left, "2");
      assertThatThrownBy(() -> worker.execute(job(1), Progress.NONE))
          .isInstanceOf(WorkerLostException.class)
          .hasMessageContaining("killed by signal 9");
    } finally {
      Files.deleteIfExists(left);
    }
  }

  /** A worker whose engine is what it knows of the environment. */
  static final class Telling {
    public static void main(String[] arguments) throws Exception {
      String known = String.join(" ", new TreeSet<>(System.getenv().keySet()));
      System.out.println("{\"ready\": \"" + known + "\"}");
      System.in.read(); // until nobody needs it
    }
  }

  /** A process that has such a worker, and says what the worker knows. */
  static final class Employer {
    public static void main(String[] arguments) {
      Path log = Path.of(arguments[0]);
      try (WorkerProcess worker = new WorkerProcess(Telling.class.getName(), 1, PATIENCE, log)) {
        System.out.println(worker.fingerprint());
      }
    }
  }

  @Test
  void aWorkerKnowsNoSecretOfTheStores() throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            Employer.class.getName(),
            directory.resolve("log").toString());
    builder.environment().put("OF_THE_USER", "kept");
    for (String secret : WorkerProcess.SECRETS) {
      builder.environment().put(secret, "secret");
    }
    Process process = builder.redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
    assertThat(said.strip().split(" "))
        .contains("OF_THE_USER", "CAMBIUM_THREADS")
        .doesNotContainAnyElementsOf(WorkerProcess.SECRETS);
    assertThat(WorkerProcess.SECRETS).contains("CAMBIUM_STORE_PASSWORD", "AWS_SECRET_ACCESS_KEY");
  }
}
