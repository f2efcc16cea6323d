package dev.cambium.loop.action;

import dev.cambium.engine.Engine;
import dev.cambium.model.Progress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/** The real engine, in the process of the test. */
public final class EngineExecutor implements JobExecutor {

  private final Engine engine = Engine.open();
  private final JobRunner runner = new JobRunner(engine);

  @Override
  public String fingerprint() {
    return engine.fingerprint();
  }

  @Override
  public void execute(Path jobDirectory, Progress progress) {
    try {
      runner.run(jobDirectory, progress);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    runner.close();
  }
}
