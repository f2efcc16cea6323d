package dev.cambium.loop.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cambium.model.Json;
import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.commons.csv.CSVException;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;
import org.apache.commons.csv.DuplicateHeaderMode;
import org.jspecify.annotations.Nullable;

/**
 * A file of rows as JSON objects, wherever they came from: JSON lines as they are, CSV through its
 * header. What a row means is left to {@link RowForm} and {@link ItemForm}.
 */
final class RawFile {

  private static final String TAG = "tag:";
  private static final long LARGEST = 1L << 30;

  /**
   * A row that could be read, or why it could not be.
   *
   * @param line where it starts, from 1
   * @param json none where {@code failure} is given
   */
  record RawRow(long row, long line, @Nullable ObjectNode json, @Nullable String failure) {}

  private RawFile() {}

  /**
   * Reads every row of a file, in order.
   *
   * @param answer what the second column of a CSV file means: {@code completion} or {@code answer}
   * @throws DataException if the file as a whole cannot be read
   */
  static List<RawRow> read(Path file, String answer) {
    String name = String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT);
    boolean csv = name.endsWith(".csv");
    boolean text = name.endsWith(".txt");
    if (!csv && !text && !name.endsWith(".jsonl") && !name.endsWith(".ndjson")) {
      throw new DataException(
          file,
          "neither JSON lines (.jsonl, one object per line) nor CSV (.csv, with a header) nor"
              + " plain text (.txt, an empty line between texts)");
    }
    byte[] bytes = bytes(file);
    int start = 0;
    if (startsWith(bytes, 0xEF, 0xBB, 0xBF)) {
      start = 3;
    } else if (startsWith(bytes, 0xFF, 0xFE) || startsWith(bytes, 0xFE, 0xFF)) {
      throw new DataException(
          file, "is UTF-16, not UTF-8; convert it with: iconv -f UTF-16 -t UTF-8 " + file);
    }
    if (text) {
      return paragraphs(bytes, start);
    }
    return csv ? csv(file, bytes, start, answer) : jsonLines(file, bytes, start);
  }

  private static byte[] bytes(Path file) {
    try {
      if (Files.isDirectory(file)) {
        throw new DataException(file, "is a directory; name a file in it");
      }
      long size = Files.size(file);
      if (size > LARGEST) {
        throw new DataException(
            file, "is " + (size >> 20) + " MiB; split it into files of at most 1024 MiB");
      }
      return Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      throw new DataException(file, "no such file");
    } catch (IOException e) {
      throw new UncheckedIOException(file + ": cannot be read", e);
    }
  }

  private static boolean startsWith(byte[] bytes, int... prefix) {
    if (bytes.length < prefix.length) {
      return false;
    }
    for (int i = 0; i < prefix.length; i++) {
      if ((bytes[i] & 0xFF) != prefix[i]) {
        return false;
      }
    }
    return true;
  }

  // ---- JSON lines ----

  private static List<RawRow> jsonLines(Path file, byte[] bytes, int start) {
    List<RawRow> rows = new ArrayList<>();
    long line = 0;
    for (int from = start; from < bytes.length; ) {
      int to = from;
      while (to < bytes.length && bytes[to] != '\n') {
        to++;
      }
      line++;
      int end = to > from && bytes[to - 1] == '\r' ? to - 1 : to;
      String text;
      try {
        text =
            StandardCharsets.UTF_8
                .newDecoder()
                .decode(ByteBuffer.wrap(bytes, from, end - from))
                .toString();
      } catch (CharacterCodingException e) {
        int offset = from + firstMalformed(bytes, from, end);
        rows.add(new RawRow(line, line, null, notUtf8(bytes, offset)));
        from = to + 1;
        continue;
      }
      if (!text.isBlank()) {
        if (line == 1 && text.strip().startsWith("[")) {
          throw new DataException(
              file,
              "starts with '[': one JSON object per line is wanted, not an array; "
                  + "jq -c '.[]' FILE writes it so");
        }
        rows.add(jsonLine(line, text));
      }
      from = to + 1;
    }
    return rows;
  }

  private static RawRow jsonLine(long line, String text) {
    try {
      JsonNode node = Json.mapper().readTree(text);
      if (node instanceof ObjectNode object) {
        return new RawRow(line, line, object, null);
      }
      return new RawRow(line, line, null, "not a JSON object");
    } catch (JsonProcessingException e) {
      String where = e.getLocation() == null ? "" : " at column " + e.getLocation().getColumnNr();
      return new RawRow(
          line, line, null, "not JSON" + where + ": " + firstLine(e.getOriginalMessage()));
    }
  }

  private static String firstLine(String message) {
    return message.lines().findFirst().orElse("");
  }

  // ---- plain text ----

  private static List<RawRow> paragraphs(byte[] bytes, int start) {
    Decoded decoded = decode(bytes, start);
    String text = decoded.text();
    List<RawRow> rows = new ArrayList<>();
    long line = 0;
    long first = 0;
    int from = -1;
    int end = 0;
    for (int at = 0; at <= text.length(); ) {
      int to = text.indexOf('\n', at);
      to = to < 0 ? text.length() : to;
      line++;
      boolean blank = text.substring(at, to).isBlank();
      if (!blank) {
        if (from < 0) {
          from = at;
          first = line;
        }
        end = to;
      }
      if (from >= 0 && (blank || to == text.length())) {
        Map.Entry<Integer, Integer> malformed = decoded.malformed().ceilingEntry(from);
        boolean bad = malformed != null && malformed.getKey() < end;
        rows.add(
            new RawRow(
                rows.size() + 1,
                first,
                bad
                    ? null
                    : Json.mapper()
                        .createObjectNode()
                        .put("text", text.substring(from, end).replace("\r\n", "\n").strip()),
                bad ? notUtf8(bytes, malformed.getValue()) : null));
        from = -1;
      }
      at = to + 1;
    }
    return rows;
  }

  // ---- CSV ----

  private static List<RawRow> csv(Path file, byte[] bytes, int start, String answer) {
    Decoded decoded = decode(bytes, start);
    CSVFormat format =
        CSVFormat.RFC4180
            .builder()
            .setHeader()
            .setSkipHeaderRecord(true)
            .setIgnoreEmptyLines(true)
            .setDuplicateHeaderMode(DuplicateHeaderMode.DISALLOW)
            .get();
    List<RawRow> rows = new ArrayList<>();
    Lines lines = new Lines(decoded.text());
    try (CSVParser parser =
        CSVParser.builder()
            .setReader(new StringReader(decoded.text()))
            .setFormat(format)
            .setCharset(StandardCharsets.UTF_8)
            .get()) {
      List<Column> columns = columns(file, parser.getHeaderNames(), answer);
      CSVRecord previous = null;
      for (CSVRecord current : parser) {
        if (previous != null) {
          rows.add(row(previous, current.getCharacterPosition(), columns, decoded, lines, bytes));
        }
        previous = current;
      }
      if (previous != null) {
        rows.add(row(previous, decoded.text().length(), columns, decoded, lines, bytes));
      }
    } catch (UncheckedIOException e) {
      throw new DataException(file, unreadable(rows.size(), e.getCause()));
    } catch (CSVException e) {
      throw new DataException(file, unreadable(rows.size(), e));
    } catch (IllegalArgumentException e) {
      throw new DataException(file, "line 1: " + e.getMessage());
    } catch (IOException e) {
      throw new UncheckedIOException(file + ": cannot be read", e);
    }
    return rows;
  }

  private static String unreadable(int read, @Nullable Throwable cause) {
    return "cannot be read after row "
        + read
        + ": "
        + (cause == null ? "" : cause.getMessage())
        + "; from there on it is unclear where rows end, so nothing is taken."
        + " A quotation mark inside a field is written twice";
  }

  /**
   * What a column of a CSV file becomes.
   *
   * @param field none for a column that is only a tag
   * @param tag none for a column that is only a field
   */
  private record Column(@Nullable String field, @Nullable String tag) {
    String key() {
      return field != null ? field : TAG + tag;
    }
  }

  private static List<Column> columns(Path file, List<String> header, String answer) {
    List<Column> columns = new ArrayList<>();
    Set<String> fields = new LinkedHashSet<>();
    boolean categories = false;
    for (String name : header) {
      categories |= name.strip().equalsIgnoreCase("category");
    }
    Set<String> known = new LinkedHashSet<>(List.of("id", "prompt", answer, "text", "category"));
    for (String raw : header) {
      String name = raw.strip();
      String lower = name.toLowerCase(Locale.ROOT);
      Column column;
      if (lower.startsWith(TAG) && name.length() > TAG.length()) {
        column = new Column(null, name.substring(TAG.length()));
      } else if (lower.equals("text")) {
        column = new Column(categories ? "prompt" : "text", null);
      } else if (lower.equals("category")) {
        column = new Column(answer, "intent");
      } else if (known.contains(lower)) {
        column = new Column(lower, null);
      } else {
        throw new DataException(
            file,
            "line 1: unknown column '"
                + name
                + "'"
                + Suggestion.among(name, known, "columns")
                + " (a column tag:NAME becomes a slice)");
      }
      if (!fields.add(column.key())) {
        throw new DataException(file, "line 1: column '" + name + "' is there twice");
      }
      columns.add(column);
    }
    boolean question = fields.contains("prompt") && fields.contains(answer);
    boolean plain = fields.contains("text") && !fields.contains("prompt");
    if (!question && !plain) {
      throw new DataException(
          file,
          "line 1: the header must name the columns prompt,"
              + answer
              + " or text,category or text; it names "
              + (header.isEmpty() ? "nothing" : String.join(",", header)));
    }
    return columns;
  }

  private static RawRow row(
      CSVRecord csv, long end, List<Column> columns, Decoded decoded, Lines lines, byte[] bytes) {
    long number = csv.getRecordNumber();
    long line = lines.lineOf((int) csv.getCharacterPosition());
    Map.Entry<Integer, Integer> malformed =
        decoded.malformed().ceilingEntry((int) csv.getCharacterPosition());
    if (malformed != null && malformed.getKey() < end) {
      return new RawRow(number, line, null, notUtf8(bytes, malformed.getValue()));
    }
    if (csv.size() != columns.size()) {
      return new RawRow(
          number,
          line,
          null,
          "has "
              + csv.size()
              + " fields, the header has "
              + columns.size()
              + " (a text that holds a comma goes in quotation marks)");
    }
    ObjectNode json = Json.mapper().createObjectNode();
    ObjectNode tags = Json.mapper().createObjectNode();
    for (int i = 0; i < columns.size(); i++) {
      Column column = columns.get(i);
      String value = csv.get(i);
      if (column.tag() != null && !value.isBlank()) {
        tags.put(column.tag(), value);
      }
      if (column.field() != null && !(column.field().equals("id") && value.isBlank())) {
        json.put(column.field(), value);
      }
    }
    if (!tags.isEmpty()) {
      json.set("tags", tags);
    }
    return new RawRow(number, line, json, null);
  }

  /** Counts lines forwards through a text. */
  private static final class Lines {
    private final String text;
    private int position;
    private long line = 1;

    Lines(String text) {
      this.text = text;
    }

    long lineOf(int index) {
      for (; position < index; position++) {
        if (text.charAt(position) == '\n') {
          line++;
        }
      }
      int ahead = position;
      long at = line;
      while (ahead < text.length() && (text.charAt(ahead) == '\n' || text.charAt(ahead) == '\r')) {
        at += text.charAt(ahead) == '\n' ? 1 : 0;
        ahead++;
      }
      return at;
    }
  }

  // ---- UTF-8 ----

  /**
   * A text with a replacement character for every sequence that is not UTF-8.
   *
   * @param malformed index of each such character to the offset of its bytes in the file
   */
  private record Decoded(String text, TreeMap<Integer, Integer> malformed) {}

  private static Decoded decode(byte[] bytes, int start) {
    CharsetDecoder decoder =
        StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
    ByteBuffer in = ByteBuffer.wrap(bytes, start, bytes.length - start);
    CharBuffer out = CharBuffer.allocate(bytes.length - start + 1);
    TreeMap<Integer, Integer> malformed = new TreeMap<>();
    CoderResult result = decoder.decode(in, out, true);
    while (result.isError()) {
      malformed.put(out.position(), in.position());
      out.put('\uFFFD');
      in.position(in.position() + result.length());
      decoder.reset();
      result = decoder.decode(in, out, true);
    }
    out.flip();
    return new Decoded(out.toString(), malformed);
  }

  private static int firstMalformed(byte[] bytes, int from, int to) {
    CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    ByteBuffer in = ByteBuffer.wrap(bytes, from, to - from);
    decoder.decode(in, CharBuffer.allocate(to - from + 1), true);
    return in.position() - from;
  }

  private static String notUtf8(byte[] bytes, int offset) {
    return String.format(
        Locale.ROOT,
        "not UTF-8 at byte offset %d of the file (byte 0x%02X); if the file is Latin-1,"
            + " iconv -f ISO-8859-1 -t UTF-8 FILE converts it",
        offset,
        bytes[offset]);
  }
}
