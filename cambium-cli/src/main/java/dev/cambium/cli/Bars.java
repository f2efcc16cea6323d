package dev.cambium.cli;

import dev.cambium.model.Progress;
import java.io.PrintWriter;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/**
 * Shows progress. Where several tasks run side by side, a terminal shows one of them until it ends,
 * or is silent for a while; a log is told about each.
 */
abstract sealed class Bars implements Progress {

  /** Bars that are drawn over and over on the last line of a terminal. */
  static Bars drawn(PrintWriter err, int columns) {
    return new Drawn(err, columns);
  }

  /** A line when a task begins to take long, and one when it ends. */
  static Bars plain(PrintWriter err) {
    return new Plain(err);
  }

  /** Leaves what is shown as it is: something else is about to be written. */
  abstract void end();

  private static final class Drawn extends Bars {
    /** A task that says nothing for so long gives way to another. */
    private static final long SILENCE_NANOS = 3_000_000_000L;

    private final PrintWriter err;
    private final int columns;
    private @Nullable ProgressBar bar;
    private String shown = "";
    private long heard;

    Drawn(PrintWriter err, int columns) {
      this.err = err;
      this.columns = columns;
    }

    @Override
    public synchronized void at(String task, long done, long total, String note) {
      ProgressBar current = bar;
      long now = System.nanoTime();
      if (current != null && !task.equals(shown) && now - heard < SILENCE_NANOS) {
        return;
      }
      heard = now;
      if (current == null || !task.equals(shown)) {
        end();
        shown = task;
        current =
            new ProgressBarBuilder()
                .setTaskName(task)
                .setInitialMax(total == 0 ? -1 : total)
                .setStyle(ProgressBarStyle.COLORFUL_UNICODE_BLOCK)
                .setUpdateIntervalMillis(150)
                .setMaxRenderedLength(columns - 1)
                .setConsumer(new Line(err, columns - 1))
                .build();
        bar = current;
      }
      if (total > 0) {
        current.maxHint(total);
      }
      current.setExtraMessage(note.isEmpty() ? "" : " " + note);
      current.stepTo(done);
      if (total > 0 && done >= total) {
        end();
      }
    }

    @Override
    synchronized void end() {
      if (bar != null) {
        bar.close();
        err.println();
        err.flush();
        bar = null;
        shown = "";
      }
    }
  }

  /** Draws over the line it drew before. */
  private record Line(PrintWriter err, int width) implements ProgressBarConsumer {
    @Override
    public int getMaxRenderedLength() {
      return width;
    }

    @Override
    public void accept(String rendered) {
      err.print("\r" + rendered);
      err.flush();
    }

    /** The line is ended by who ends the bar, when nothing is drawn any more. */
    @Override
    public void close() {}
  }

  private static final class Plain extends Bars {
    private static final long INTERVAL_NANOS = 10_000_000_000L;

    private final PrintWriter err;
    private final Map<String, Told> tasks = new HashMap<>();

    /** When a task was last told about, and whether it ever was. */
    private record Told(long at, boolean any) {}

    Plain(PrintWriter err) {
      this.err = err;
    }

    @Override
    public synchronized void at(String task, long done, long total, String note) {
      long now = System.nanoTime();
      Told told = tasks.computeIfAbsent(task, t -> new Told(now, false));
      boolean last = total > 0 && done >= total;
      if (last) {
        tasks.remove(task);
      }
      if (now - told.at() >= INTERVAL_NANOS || (last && told.any())) {
        if (!last) {
          tasks.put(task, new Told(now, true));
        }
        err.println(
            task
                + ": "
                + (total > 0
                    ? String.format(
                        Locale.ROOT, "%d of %d (%.0f %%)", done, total, 100.0 * done / total)
                    : Long.toString(done))
                + (note.isEmpty() ? "" : ", " + note));
        err.flush();
      }
    }

    @Override
    synchronized void end() {
      tasks.clear();
    }
  }
}
