package dev.cambium.bench.peer;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A process that does a task whenever it is asked, and sleeps in between. */
final class Side implements AutoCloseable {

  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final Process process;
  private final BufferedReader lines;
  private final String command;
  private final Path errors;

  private Side(Process process, String command, Path errors) {
    this.process = process;
    this.command = command;
    this.errors = errors;
    this.lines =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
  }

  /** Starts a process, and waits until it has loaded what it needs. */
  static Side start(List<String> command, Map<String, String> environment, Path errors)
      throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().putAll(environment);
    builder.redirectError(ProcessBuilder.Redirect.appendTo(errors.toFile()));
    Side side = new Side(builder.start(), String.join(" ", command), errors);
    side.answer();
    return side;
  }

  /** Does the task once. */
  Reply run() throws IOException {
    OutputStream input = process.getOutputStream();
    input.write("run\n".getBytes(StandardCharsets.UTF_8));
    input.flush();
    return JSON.readValue(answer(), Reply.class);
  }

  private String answer() throws IOException {
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      if (line.startsWith("@@ ")) {
        return line.substring(3);
      }
    }
    throw new IOException("this ended without an answer, see " + errors + ": " + command);
  }

  @Override
  public void close() {
    try {
      process.getOutputStream().close();
      if (!process.waitFor(20, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (IOException | InterruptedException e) {
      process.destroyForcibly();
      if (e instanceof InterruptedException) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
