package dev.cambium.loop.action;

import dev.cambium.engine.Engine;
import dev.cambium.model.Json;
import dev.cambium.model.Progress;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * The main class of a worker process; see {@link WorkerProcess} for what is said over its pipes.
 */
final class Worker {

  private Worker() {}

  public static void main(String[] arguments) throws Exception {
    PrintStream replies = System.out;
    System.setOut(System.err); // what libraries print must not be taken for a reply
    BlockingQueue<String> requests = new LinkedBlockingQueue<>();
    Thread reader = new Thread(() -> read(requests), "requests");
    reader.setDaemon(true);
    reader.start();
    Engine engine = Engine.open();
    try (JobRunner runner = new JobRunner(engine)) {
      say(replies, Map.of("ready", engine.fingerprint()));
      Progress progress = new Throttle(replies);
      for (; ; ) {
        String directory = requests.take();
        runner.run(Path.of(directory), progress);
        say(replies, Map.of("finished", directory));
      }
    }
  }

  /** Ends the process with its parent: an orphan must not go on writing to a job directory. */
  private static void read(BlockingQueue<String> requests) {
    try (BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        requests.add(line);
      }
    } catch (IOException e) {
      // the pipe broke: the same as its end
    }
    Runtime.getRuntime().halt(0);
  }

  private static synchronized void say(PrintStream replies, Map<String, ?> reply) {
    try {
      replies.println(Json.mapper().writeValueAsString(reply));
      replies.flush();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /** Passes on at most ten reports a second, and always the last of a task. */
  private static final class Throttle implements Progress {
    private static final long INTERVAL_NANOS = 100_000_000L;
    private final PrintStream replies;
    private long last = System.nanoTime() - INTERVAL_NANOS;

    Throttle(PrintStream replies) {
      this.replies = replies;
    }

    @Override
    public void at(String task, long done, long total, String note) {
      long now = System.nanoTime();
      if (done != total && now - last < INTERVAL_NANOS) {
        return;
      }
      last = now;
      say(replies, Map.of("task", task, "done", done, "total", total, "note", note));
    }
  }
}
