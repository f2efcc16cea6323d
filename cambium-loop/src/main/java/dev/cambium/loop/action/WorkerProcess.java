package dev.cambium.loop.action;

import com.fasterxml.jackson.databind.JsonNode;
import dev.cambium.artifact.ArtifactAddress;
import dev.cambium.engine.backend.Backend;
import dev.cambium.ledger.StoreAddress;
import dev.cambium.model.Json;
import dev.cambium.model.Progress;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A JVM of its own that carries out jobs one after another, started when first needed. If it dies
 * (native crash, out of memory, killed), at its start or at work, the job is tried once more in a
 * fresh one, from its snapshots. One that says nothing for too long at its work is hung: it is
 * killed, and then the same holds.
 *
 * <p>A second death may be the machine's fault or the action's. It is taken for the machine's
 * first: {@link WorkerLostException} leaves everything open, so that a later run tries again. The
 * job directory keeps how often its workers died; at the {@value #FATAL}th death the action itself
 * counts as failed, and the fleet goes on without it.
 *
 * <p>The worker reads job directories from its standard input, one a line, and writes JSON lines:
 * {@code {"ready": FINGERPRINT}}, {@code {"task", "done", "total", "note"}} and {@code {"finished":
 * DIRECTORY}}. It ends itself when its standard input does, so it never outlives its parent.
 */
final class WorkerProcess implements JobExecutor {

  /** What a worker does not inherit. */
  static final Set<String> SECRETS =
      Set.of(
          StoreAddress.URL_VARIABLE,
          StoreAddress.USER_VARIABLE,
          StoreAddress.PASSWORD_VARIABLE,
          ArtifactAddress.VARIABLE,
          "AWS_ACCESS_KEY_ID",
          "AWS_SECRET_ACCESS_KEY",
          "AWS_SESSION_TOKEN");

  private static final Logger LOG = LoggerFactory.getLogger(WorkerProcess.class);

  /** A worker is ready when the native libraries are loaded, on a cold disk too. */
  private static final Duration STARTUP = Duration.ofMinutes(10);

  /** Deaths of workers at one action after which it counts as failed: those of two runs. */
  static final int FATAL = 4;

  /** In the job directory: how its workers died, a line each. */
  static final String DEATHS = "deaths.txt";

  /** The end of a worker's replies. */
  private static final String END = "";

  private final String main;
  private final int threads;
  private final Duration patience;
  private final Path log;
  private @Nullable Process process;
  private boolean silent;
  private BlockingQueue<String> replies = new LinkedBlockingQueue<>();
  private @Nullable BufferedWriter requests;
  private @Nullable String fingerprint;

  /**
   * @param threads that it computes with; 0 lets the engine choose
   * @param patience how long it may say nothing at its work
   * @param log file that the worker's own log lines are appended to
   */
  WorkerProcess(int threads, Duration patience, Path log) {
    this(Worker.class.getName(), threads, patience, log);
  }

  /**
   * @param main class that is run
   */
  WorkerProcess(String main, int threads, Duration patience, Path log) {
    this.main = main;
    this.threads = threads;
    this.patience = patience;
    this.log = log;
  }

  @Override
  public synchronized String fingerprint() {
    if (fingerprint == null) {
      String first = start();
      if (first != null) {
        LOG.warn("the worker process did not start: {}; trying once more", first);
        String second = start();
        if (second != null) {
          throw new WorkerLostException(
              "the worker process did not start (" + second + "); its log is " + log);
        }
      }
    }
    return Objects.requireNonNull(fingerprint);
  }

  @Override
  public synchronized void execute(Path jobDirectory, Progress progress) {
    String first = attempt(jobDirectory, progress);
    if (first == null) {
      return;
    }
    died(jobDirectory, first);
    LOG.warn("worker ended during {}: {}; trying once more", jobDirectory.getFileName(), first);
    String second = attempt(jobDirectory, progress);
    if (second == null) {
      return;
    }
    int deaths = died(jobDirectory, second);
    String message =
        "the worker process died or hung "
            + (deaths == 2 ? "twice" : deaths + " times")
            + " at this action ("
            + second
            + "); its log is "
            + log
            + ", its job directory "
            + jobDirectory;
    throw deaths < FATAL ? new WorkerLostException(message) : new ActionFailedException(message);
  }

  /** Writes a death down; returns how many there were at this action. */
  private static int died(Path jobDirectory, String how) {
    Path file = jobDirectory.resolve(DEATHS);
    try {
      Files.writeString(file, how + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
      return Files.readAllLines(file).size();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write down that a worker died: " + how, e);
    }
  }

  /** Returns null when the result is there, otherwise how the worker died. */
  private @Nullable String attempt(Path jobDirectory, Progress progress) {
    try {
      if (process == null || !process.isAlive()) {
        String stillborn = start();
        if (stillborn != null) {
          return "at its start " + stillborn;
        }
      }
      BufferedWriter out = Objects.requireNonNull(requests);
      out.write(jobDirectory.toString());
      out.newLine();
      out.flush();
      for (; ; ) {
        JsonNode reply = reply(patience);
        if (reply == null) {
          return death(patience);
        }
        if (reply.has("finished")) {
          return Files.exists(jobDirectory.resolve(Job.RESULT))
              ? null
              : "finished without a result";
        }
        progress.at(
            reply.path("task").asText(),
            reply.path("done").asLong(),
            reply.path("total").asLong(),
            reply.path("note").asText());
      }
    } catch (IOException e) {
      LOG.debug("worker's pipe broke", e);
      return death(patience);
    }
  }

  /**
   * How the worker ended; ends it if it only fell silent.
   *
   * @param waited for its next word
   */
  private String death(Duration waited) {
    Process dead = process;
    process = null;
    if (dead == null) {
      return "no process";
    }
    boolean hung = silent;
    try {
      if (hung || !dead.waitFor(10, TimeUnit.SECONDS)) {
        dead.descendants().forEach(ProcessHandle::destroyForcibly);
        dead.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      dead.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new WorkerLostException("interrupted while a worker ended", e);
    }
    if (hung) {
      return "hung: it said nothing for "
          + waited.toSeconds()
          + " s, and was killed; "
          + Workforce.PATIENCE
          + " sets how many seconds it may";
    }
    int code = dead.exitValue();
    return code > 128 ? "killed by signal " + (code - 128) : "exit code " + code;
  }

  /** The worker's next reply; null if it has ended or, as {@link #silent} says, was silent. */
  private @Nullable JsonNode reply(Duration most) throws IOException {
    silent = false;
    long deadline = System.nanoTime() + most.toNanos();
    try {
      for (; ; ) {
        String line = replies.poll(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
        if (line == null) {
          silent = true;
          return null;
        }
        if (line.equals(END)) {
          return null;
        }
        if (line.startsWith("{")) {
          return Json.mapper().readTree(line);
        }
        LOG.debug("worker says: {}", line); // a native library printed it
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new WorkerLostException("interrupted while a worker worked", e);
    }
  }

  /** Passes a process's lines on, so that waiting for one can end. */
  private static BlockingQueue<String> lines(Process process) {
    BlockingQueue<String> lines = new LinkedBlockingQueue<>();
    BufferedReader in = process.inputReader(StandardCharsets.UTF_8);
    Thread reader =
        new Thread(
            () -> {
              try (in) {
                for (String line = in.readLine(); line != null; line = in.readLine()) {
                  if (!line.isEmpty()) {
                    lines.add(line);
                  }
                }
              } catch (IOException e) {
                LOG.debug("worker's pipe broke", e);
              } finally {
                lines.add(END);
              }
            },
            "replies of worker " + process.pid());
    reader.setDaemon(true);
    reader.start();
    return lines;
  }

  /** Starts a worker; returns null when it is ready, otherwise how it died. */
  private @Nullable String start() {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    for (String argument : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
      // The worker needs the same native settings, not the debugger, agents or module patches.
      if (argument.startsWith("-D")
          || argument.startsWith("-X")
          || argument.startsWith("--enable-native-access")) {
        command.add(argument);
      }
    }
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main));
    try {
      Path parent = log.toAbsolutePath().getParent();
      if (parent != null) {
        Files.createDirectories(parent);
      }
      ProcessBuilder builder = new ProcessBuilder(command);
      Map<String, String> environment = builder.environment();
      Backend.processEnvironment().forEach(environment::putIfAbsent);
      environment.keySet().removeIf(SECRETS::contains); // a worker has no business with the stores
      if (threads > 0) {
        environment.put("CAMBIUM_THREADS", Integer.toString(threads));
      }
      builder.redirectError(ProcessBuilder.Redirect.appendTo(new File(log.toString())));
      Process started = builder.start();
      process = started;
      replies = lines(started);
      requests = started.outputWriter(StandardCharsets.UTF_8);
      JsonNode ready = reply(STARTUP);
      if (ready == null || !ready.has("ready")) {
        return death(STARTUP);
      }
      String found = ready.get("ready").asText();
      if (fingerprint != null && !fingerprint.equals(found)) {
        throw new WorkerLostException(
            "a restarted worker is another engine: expected " + fingerprint + ", found " + found);
      }
      fingerprint = found;
      return null;
    } catch (IOException e) {
      throw new WorkerLostException("cannot start a worker process: " + e.getMessage(), e);
    }
  }

  @Override
  public synchronized void close() {
    Process running = process;
    process = null;
    if (running == null) {
      return;
    }
    try {
      if (requests != null) {
        requests.close();
      }
      if (!running.waitFor(5, TimeUnit.SECONDS)) {
        running.destroyForcibly();
      }
    } catch (IOException e) {
      running.destroyForcibly();
    } catch (InterruptedException e) {
      running.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
