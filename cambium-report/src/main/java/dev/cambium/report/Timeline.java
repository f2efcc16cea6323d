package dev.cambium.report;

import java.util.List;

/**
 * What took how long, one after the other.
 *
 * @param title what the bars show
 * @param spans in the order in which they began
 */
public record Timeline(String title, List<Span> spans) implements Block {

  /**
   * A stretch of time.
   *
   * @param name what was done
   * @param note how it came out; may be empty
   * @param start seconds since the beginning
   * @param seconds how long it took
   * @param state how it came out, for the colour
   */
  public record Span(String name, String note, double start, double seconds, LineState state) {
    public Span {
      if (!(start >= 0) || !(seconds >= 0)) {
        throw new IllegalArgumentException(name + ": from " + start + " for " + seconds + " s");
      }
    }
  }

  public Timeline {
    spans = List.copyOf(spans);
  }
}
