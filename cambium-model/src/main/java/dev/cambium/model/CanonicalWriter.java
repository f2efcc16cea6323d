package dev.cambium.model;

import com.fasterxml.jackson.core.Base64Variant;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.base.GeneratorBase;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import org.erdtman.jcs.NumberToJSON;
import org.jspecify.annotations.Nullable;

/**
 * Writes values in the one form of RFC 8785 as Jackson tells their parts: members sorted by the
 * UTF-16 units of their names, numbers as ECMAScript writes them, strings with the shortest
 * escapes. Logs are written and checked at the speed of this, so no tree and no tokens are made.
 */
final class CanonicalWriter extends GeneratorBase {

  /** Whole numbers up to here are themselves as a double, which is all that RFC 8785 knows. */
  private static final long EXACT = 1L << 53;

  private static final char[] HEX = "0123456789abcdef".toCharArray();

  private final StringBuilder text = new StringBuilder(512);

  /** What has begun and not ended, the innermost first. */
  private final Deque<Level> levels = new ArrayDeque<>();

  private @Nullable Level level;

  private CanonicalWriter(ObjectMapper mapper) {
    super(0, mapper);
  }

  static byte[] write(ObjectMapper mapper, Object value) throws IOException {
    try (CanonicalWriter writer = new CanonicalWriter(mapper)) {
      mapper.writeValue(writer, value);
      return writer.text.toString().getBytes(StandardCharsets.UTF_8);
    }
  }

  /** A member whose name and value begin at a place of the text. */
  private record Member(String name, int from, int to) {}

  /** An object or an array. After each of its elements stands a comma, but for the last. */
  private static final class Level {
    private final boolean object;
    private final int begin;
    private boolean empty = true;
    private boolean sorted = true;
    private @Nullable String last;
    private int from;
    private final List<Member> members = new ArrayList<>(0);

    private Level(boolean object, int begin) {
      this.object = object;
      this.begin = begin;
    }
  }

  /** A value begins; within an object its name has put it in its place. */
  private void element() {
    Level current = level;
    if (current != null && !current.object) {
      if (!current.empty) {
        text.append(',');
      }
      current.empty = false;
    }
  }

  private void begin(boolean object) {
    element();
    text.append(object ? '{' : '[');
    if (level != null) {
      levels.push(level);
    }
    level = new Level(object, text.length());
  }

  private Level end(boolean object) throws IOException {
    Level ended = level;
    if (ended == null || ended.object != object) {
      throw new IOException("ends what has not begun");
    }
    level = levels.poll();
    return ended;
  }

  @Override
  public void writeStartArray() {
    begin(false);
  }

  @Override
  public void writeEndArray() throws IOException {
    end(false);
    text.append(']');
  }

  @Override
  public void writeStartObject() {
    begin(true);
  }

  @Override
  public void writeFieldName(String name) throws IOException {
    Level current = level;
    if (current == null || !current.object) {
      throw new IOException("a member of no object: " + name);
    }
    if (current.last != null) {
      text.append(',');
      current.members.add(new Member(current.last, current.from, text.length()));
      current.sorted &= current.last.compareTo(name) < 0;
    }
    current.last = name;
    current.from = text.length();
    string(name);
    text.append(':');
  }

  @Override
  public void writeEndObject() throws IOException {
    Level ended = end(true);
    if (ended.last != null && !ended.sorted) {
      text.append(',');
      ended.members.add(new Member(ended.last, ended.from, text.length()));
      ended.members.sort(Comparator.comparing(Member::name));
      StringBuilder inOrder = new StringBuilder(text.length() - ended.begin);
      for (Member member : ended.members) {
        inOrder.append(text, member.from(), member.to());
      }
      text.setLength(ended.begin);
      text.append(inOrder);
      text.setLength(text.length() - 1);
    }
    text.append('}');
  }

  @Override
  public void writeString(String value) {
    element();
    string(value);
  }

  @Override
  public void writeString(char[] value, int offset, int length) {
    writeString(new String(value, offset, length));
  }

  @Override
  public void writeUTF8String(byte[] value, int offset, int length) {
    writeString(new String(value, offset, length, StandardCharsets.UTF_8));
  }

  @Override
  public void writeBinary(Base64Variant variant, byte[] data, int offset, int length) {
    writeString(variant.encode(Arrays.copyOfRange(data, offset, offset + length)));
  }

  @Override
  public void writeNumber(int value) {
    element();
    text.append(value);
  }

  @Override
  public void writeNumber(long value) throws IOException {
    element();
    if (value > -EXACT && value < EXACT) {
      text.append(value);
    } else {
      text.append(NumberToJSON.serializeNumber((double) value));
    }
  }

  @Override
  public void writeNumber(BigInteger value) throws IOException {
    writeNumber(value.doubleValue());
  }

  @Override
  public void writeNumber(BigDecimal value) throws IOException {
    writeNumber(value.doubleValue());
  }

  @Override
  public void writeNumber(double value) throws IOException {
    element();
    decimal(value);
  }

  /** A float's digits are those that it is written with, not those of the double next to it. */
  @Override
  public void writeNumber(float value) throws IOException {
    writeNumber(Double.parseDouble(Float.toString(value)));
  }

  @Override
  public void writeNumber(String value) throws IOException {
    writeNumber(Double.parseDouble(value));
  }

  @Override
  public void writeBoolean(boolean value) {
    element();
    text.append(value);
  }

  @Override
  public void writeNull() {
    element();
    text.append("null");
  }

  // ------------------------------------------------------- text that is in some form already

  private static IOException raw() {
    return new IOException("no value: text that says it is JSON already");
  }

  @Override
  public void writeRaw(String raw) throws IOException {
    throw raw();
  }

  @Override
  public void writeRaw(String raw, int offset, int length) throws IOException {
    throw raw();
  }

  @Override
  public void writeRaw(char[] raw, int offset, int length) throws IOException {
    throw raw();
  }

  @Override
  public void writeRaw(char raw) throws IOException {
    throw raw();
  }

  @Override
  public void writeRawUTF8String(byte[] raw, int offset, int length) throws IOException {
    throw raw();
  }

  // --------------------------------------------------------------------------------- the form

  private void decimal(double value) throws IOException {
    if (Double.isFinite(value)) {
      text.append(NumberToJSON.serializeNumber(value));
    } else {
      string(Double.toString(value));
    }
  }

  private void string(String value) {
    text.append('"');
    int plain = 0;
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c >= ' ' && c != '"' && c != '\\') {
        continue;
      }
      text.append(value, plain, i);
      plain = i + 1;
      switch (c) {
        case '"' -> text.append("\\\"");
        case '\\' -> text.append("\\\\");
        case '\b' -> text.append("\\b");
        case '\f' -> text.append("\\f");
        case '\n' -> text.append("\\n");
        case '\r' -> text.append("\\r");
        case '\t' -> text.append("\\t");
        default -> text.append("\\u00").append(HEX[c >> 4]).append(HEX[c & 15]);
      }
    }
    text.append(value, plain, value.length()).append('"');
  }

  // ------------------------------------------------------------- what a generator has to have

  @Override
  public void flush() {}

  @Override
  protected void _releaseBuffers() {}

  @Override
  protected void _verifyValueWrite(String what) {}

  @Override
  public JsonGenerator useDefaultPrettyPrinter() {
    return this;
  }
}
