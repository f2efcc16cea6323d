package dev.cambium.cli;

import dev.cambium.model.Progress;
import java.io.PrintWriter;
import java.util.Locale;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** Shows progress, one task at a time. */
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
    private final PrintWriter err;
    private final int columns;
    private @Nullable ProgressBar bar;
    private String shown = "";

    Drawn(PrintWriter err, int columns) {
      this.err = err;
      this.columns = columns;
    }

    @Override
    public synchronized void at(String task, long done, long total, String note) {
      ProgressBar current = bar;
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
    private String current = "";
    private long told;
    private boolean toldAny;

    Plain(PrintWriter err) {
      this.err = err;
    }

    @Override
    public synchronized void at(String task, long done, long total, String note) {
      long now = System.nanoTime();
      if (!task.equals(current)) {
        current = task;
        told = now;
        toldAny = false;
      }
      boolean last = total > 0 && done >= total;
      if (now - told >= INTERVAL_NANOS || (last && toldAny)) {
        told = now;
        toldAny = !last;
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
      current = "";
    }
  }
}
