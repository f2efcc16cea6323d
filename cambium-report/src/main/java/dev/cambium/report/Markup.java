package dev.cambium.report;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Writes HTML that is well-formed XML too. All text and all attribute values go through {@link
 * #escape}; there is no way to write raw text but {@link #style}.
 */
final class Markup {

  private final StringBuilder out = new StringBuilder();
  private final Deque<String> open = new ArrayDeque<>();

  /** Opens an element. Attributes are name, value, name, value. */
  Markup open(String tag, Object... attributes) {
    start(tag, attributes);
    out.append('>');
    open.push(tag);
    return this;
  }

  /** Closes the element opened last. */
  Markup close() {
    out.append("</").append(open.pop()).append('>');
    return this;
  }

  /** Closes {@code count} elements. */
  Markup close(int count) {
    for (int i = 0; i < count; i++) {
      close();
    }
    return this;
  }

  /** An element without content. */
  Markup empty(String tag, Object... attributes) {
    start(tag, attributes);
    out.append("/>");
    return this;
  }

  /** An element that holds only text. */
  Markup leaf(String tag, String text, Object... attributes) {
    return open(tag, attributes).text(text).close();
  }

  Markup text(String text) {
    out.append(escape(text));
    return this;
  }

  /** A line break in the source, for people who look at it. */
  Markup line() {
    out.append('\n');
    return this;
  }

  /** A style sheet of our own. */
  Markup style(String css) {
    if (css.indexOf('<') >= 0 || css.indexOf('&') >= 0) {
      throw new IllegalArgumentException("a style sheet with markup in it");
    }
    out.append("<style>").append(css).append("</style>");
    return this;
  }

  private void start(String tag, Object... attributes) {
    out.append('<').append(tag);
    for (int i = 0; i < attributes.length; i += 2) {
      out.append(' ')
          .append(attributes[i])
          .append("=\"")
          .append(escape(String.valueOf(attributes[i + 1])))
          .append('"');
    }
  }

  /** What was written. Every element must be closed. */
  String finish() {
    if (!open.isEmpty()) {
      throw new IllegalStateException("not closed: " + open);
    }
    return out.toString();
  }

  /**
   * Makes any text safe to show: markup characters become references; control characters, which a
   * browser or terminal could obey, and bidirectional controls, which could reorder what a reader
   * sees, become visible signs; lone surrogates become U+FFFD.
   */
  static String escape(String text) {
    StringBuilder safe = new StringBuilder(text.length() + 16);
    text.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '<' -> safe.append("&lt;");
                case '>' -> safe.append("&gt;");
                case '&' -> safe.append("&amp;");
                case '"' -> safe.append("&quot;");
                case '\'' -> safe.append("&#39;");
                case '\n', '\t' -> safe.append((char) c);
                default -> {
                  if (c < 0x20) {
                    safe.append((char) (0x2400 + c));
                  } else if (c == 0x7f) {
                    safe.append('\u2421');
                  } else if (isUnsafe(c)) {
                    safe.append('\ufffd');
                  } else {
                    safe.appendCodePoint(c);
                  }
                }
              }
            });
    return safe.toString();
  }

  private static boolean isUnsafe(int c) {
    return (c >= 0x80 && c < 0xa0)
        || (c >= 0xd800 && c <= 0xdfff)
        || c == 0x200e
        || c == 0x200f
        || c == 0x061c
        || (c >= 0x2028 && c <= 0x202e)
        || (c >= 0x2066 && c <= 0x2069)
        || (c & 0xfffe) == 0xfffe
        || (c >= 0xfdd0 && c <= 0xfdef);
  }
}
