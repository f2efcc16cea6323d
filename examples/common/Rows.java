import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Writes rows to learn and items to answer, as {@code cambium} reads them. */
final class Rows {

  private static final ObjectMapper JSON = JsonMapper.builder().build();

  private final Path out;

  Rows(Path out) {
    this.out = out;
  }

  static ObjectNode text(String text) {
    return JSON.createObjectNode().put("text", text);
  }

  static ObjectNode row(String prompt, String answer, Map<String, String> tags) {
    return tagged(JSON.createObjectNode().put("prompt", prompt).put("completion", answer), tags);
  }

  static ObjectNode item(String prompt, String answer, Map<String, String> tags) {
    return tagged(JSON.createObjectNode().put("prompt", prompt).put("answer", answer), tags);
  }

  static ObjectNode tagged(ObjectNode row, Map<String, String> tags) {
    if (!tags.isEmpty()) {
      ObjectNode object = row.putObject("tags");
      // Map.of has another order in each process, and ids depend on the text of a row.
      new TreeMap<>(tags).forEach(object::put);
    }
    return row;
  }

  /** Every utterance as it is and, for every second one, as an application will ask it. */
  static List<ObjectNode> framed(List<Utterance> utterances, String frame) {
    List<ObjectNode> rows = new ArrayList<>();
    Set<Utterance> half = new LinkedHashSet<>(Pick.half(utterances));
    for (Utterance u : utterances) {
      rows.add(row(u.text(), u.answer(), u.tags()));
      if (half.contains(u)) {
        rows.add(row(frame.replace("{input}", u.text()), u.answer(), u.tags()));
      }
    }
    return rows;
  }

  void train(String name, String prefix, List<Utterance> utterances) throws IOException {
    write(name, prefix, utterances.stream().map(u -> row(u.text(), u.answer(), u.tags())).toList());
  }

  void suite(String name, String prefix, List<Utterance> utterances) throws IOException {
    items(
        name, prefix, utterances.stream().map(u -> item(u.text(), u.answer(), u.tags())).toList());
  }

  /** Rows in a random order that depends on their words only; a row that is there twice, once. */
  void write(String name, String prefix, List<ObjectNode> rows) throws IOException {
    Map<String, ObjectNode> sorted = new TreeMap<>();
    rows.forEach(row -> sorted.put(Pick.place(row.toString()), row));
    lines(name, prefix, sorted.values());
  }

  void items(String name, String prefix, List<ObjectNode> items) throws IOException {
    Map<String, ObjectNode> once = new LinkedHashMap<>();
    items.forEach(item -> once.putIfAbsent(item.toString(), item));
    lines(name, prefix, once.values());
  }

  /** Ids depend on the words, so that an item keeps its id when a suite grows. */
  private void lines(String name, String prefix, Collection<ObjectNode> rows) throws IOException {
    StringBuilder lines = new StringBuilder();
    for (ObjectNode row : rows) {
      ObjectNode line = JSON.createObjectNode();
      line.put("id", prefix + "-" + Pick.place(row.toString()).substring(0, 12));
      line.setAll(row);
      lines.append(line).append('\n');
    }
    file(name, lines.toString());
    System.err.printf("%6d rows  %s%n", rows.size(), name);
  }

  void file(String name, String text) throws IOException {
    Path file = out.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }
}
