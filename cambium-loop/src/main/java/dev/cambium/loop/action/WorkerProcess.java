package dev.cambium.loop.action;

import com.fasterxml.jackson.databind.JsonNode;
import dev.cambium.ledger.StoreAddress;
import dev.cambium.model.Json;
import dev.cambium.model.Progress;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A JVM of its own that carries out jobs one after another, started when first needed. If it dies
 * (native crash, out of memory, killed) the job is tried once more in a fresh one, from its
 * snapshots; a second death fails that action alone.
 *
 * <p>The worker reads job directories from its standard input, one a line, and writes JSON lines:
 * {@code {"ready": FINGERPRINT}}, {@code {"task", "done", "total", "note"}} and {@code {"finished":
 * DIRECTORY}}. It ends itself when its standard input does, so it never outlives its parent.
 */
final class WorkerProcess implements JobExecutor {

  private static final Set<String> SECRETS =
      Set.of(StoreAddress.URL_VARIABLE, StoreAddress.USER_VARIABLE, StoreAddress.PASSWORD_VARIABLE);

  private static final Logger LOG = LoggerFactory.getLogger(WorkerProcess.class);

  private final int threads;
  private final Path log;
  private @Nullable Process process;
  private @Nullable BufferedReader replies;
  private @Nullable BufferedWriter requests;
  private @Nullable String fingerprint;

  /**
   * @param threads that it computes with; 0 lets the engine choose
   * @param log file that the worker's own log lines are appended to
   */
  WorkerProcess(int threads, Path log) {
    this.threads = threads;
    this.log = log;
  }

  @Override
  public synchronized String fingerprint() {
    if (fingerprint == null) {
      start();
    }
    return java.util.Objects.requireNonNull(fingerprint);
  }

  @Override
  public synchronized void execute(Path jobDirectory, Progress progress) {
    String first = attempt(jobDirectory, progress);
    if (first == null) {
      return;
    }
    LOG.warn("worker died during {}: {}; trying once more", jobDirectory.getFileName(), first);
    String second = attempt(jobDirectory, progress);
    if (second != null) {
      throw new ActionFailedException(
          "the worker process died twice at this action ("
              + second
              + "); its log is "
              + log
              + ", its job directory "
              + jobDirectory);
    }
  }

  /** Returns null when the result is there, otherwise how the worker died. */
  private @Nullable String attempt(Path jobDirectory, Progress progress) {
    try {
      if (process == null || !process.isAlive()) {
        start();
      }
      BufferedWriter out = java.util.Objects.requireNonNull(requests);
      out.write(jobDirectory.toString());
      out.newLine();
      out.flush();
      for (; ; ) {
        JsonNode reply = reply();
        if (reply == null) {
          return death();
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
      return death();
    }
  }

  private String death() {
    Process dead = process;
    process = null;
    if (dead == null) {
      return "no process";
    }
    try {
      if (!dead.waitFor(10, java.util.concurrent.TimeUnit.SECONDS)) {
        dead.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      dead.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new ActionFailedException("interrupted while a worker ended", e);
    }
    int code = dead.exitValue();
    return code > 128 ? "killed by signal " + (code - 128) : "exit code " + code;
  }

  private @Nullable JsonNode reply() throws IOException {
    BufferedReader in = java.util.Objects.requireNonNull(replies);
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      if (line.startsWith("{")) {
        return Json.mapper().readTree(line);
      }
      LOG.debug("worker says: {}", line); // a native library printed it
    }
    return null;
  }

  private void start() {
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
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Worker.class.getName()));
    try {
      Path parent = log.toAbsolutePath().getParent();
      if (parent != null) {
        Files.createDirectories(parent);
      }
      ProcessBuilder builder = new ProcessBuilder(command);
      Map<String, String> environment = builder.environment();
      environment.putIfAbsent("OMP_WAIT_POLICY", "PASSIVE");
      environment.keySet().removeIf(SECRETS::contains); // a worker has no business with the ledger
      if (threads > 0) {
        environment.put("CAMBIUM_THREADS", Integer.toString(threads));
      }
      builder.redirectError(ProcessBuilder.Redirect.appendTo(new File(log.toString())));
      Process started = builder.start();
      process = started;
      replies = started.inputReader(StandardCharsets.UTF_8);
      requests = started.outputWriter(StandardCharsets.UTF_8);
      JsonNode ready = reply();
      if (ready == null || !ready.has("ready")) {
        throw new ActionFailedException(
            "the worker process did not start (" + death() + "); its log is " + log);
      }
      String found = ready.get("ready").asText();
      if (fingerprint != null && !fingerprint.equals(found)) {
        throw new ActionFailedException(
            "a restarted worker is another engine: expected " + fingerprint + ", found " + found);
      }
      fingerprint = found;
    } catch (IOException e) {
      throw new ActionFailedException("cannot start a worker process: " + e.getMessage(), e);
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
      if (!running.waitFor(5, java.util.concurrent.TimeUnit.SECONDS)) {
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
