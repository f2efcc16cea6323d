package dev.cambium.loop.declaration;

import com.fasterxml.jackson.databind.JsonNode;
import dev.cambium.loop.data.DataException;
import dev.cambium.loop.data.SuiteFile;
import dev.cambium.loop.governor.Governor;
import dev.cambium.model.Item;
import dev.cambium.model.Recipe;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An ecosystem as declared in {@code ecosystem.yaml}: valid as a whole, every reference resolved.
 *
 * @param name of the ecosystem
 * @param policy how the loop decides
 * @param governor how it chooses the mode of an update
 * @param recipes by name
 * @param capabilities by name
 * @param lines by name, parents before children, otherwise in the file's order
 * @param warnings what is allowed and probably not meant, in the file's order
 */
public record Declaration(
    String name,
    Policy policy,
    Governor governor,
    SortedMap<String, Recipe> recipes,
    SortedMap<String, CapabilityDeclaration> capabilities,
    Map<String, Line> lines,
    List<Problem> warnings) {

  /** The file's name in the ecosystem's directory. */
  public static final String FILE = "ecosystem.yaml";

  private static final String STORE = "store";
  private static final String ARTIFACTS = "artifacts";

  public Declaration {
    recipes = Collections.unmodifiableSortedMap(new TreeMap<>(recipes));
    capabilities = Collections.unmodifiableSortedMap(new TreeMap<>(capabilities));
    lines = Collections.unmodifiableMap(new LinkedHashMap<>(lines));
    warnings = List.copyOf(warnings);
  }

  /**
   * Reads and checks the declaration of an ecosystem, with the application files that it names.
   *
   * @param directory of the ecosystem
   * @throws DeclarationException with every problem found
   */
  public static Declaration load(Path directory) {
    Path file = directory.resolve(FILE);
    return parse(file.toString(), text(file), directory);
  }

  /**
   * Reads and checks a declaration.
   *
   * @param file its name in messages
   * @param yaml its text
   * @param directory against which suites, schemas and application files are resolved
   * @throws DeclarationException with every problem found
   */
  public static Declaration parse(String file, String yaml, Path directory) {
    return new DeclarationReader(file, directory).read(yaml);
  }

  /**
   * Where the ecosystem's records lie, as its declaration says. Nothing else of it is looked at,
   * and nothing at all if it does not speak of a store, so that an ecosystem can be opened whatever
   * state its declaration is in.
   *
   * @param directory of the ecosystem
   * @return none if it does not say, or there is no declaration
   * @throws DeclarationException if it cannot be read
   */
  public static Optional<String> store(Path directory) {
    Path file = directory.resolve(FILE);
    return Files.exists(file) ? store(file.toString(), text(file)) : Optional.empty();
  }

  /**
   * As {@link #store(Path)}, of a text.
   *
   * @param file its name in messages
   */
  public static Optional<String> store(String file, String yaml) {
    return top(file, yaml, STORE);
  }

  /**
   * Where the ecosystem's artifacts lie, as its declaration says; see {@link #store(Path)}.
   *
   * @return none if it does not say, or there is no declaration
   */
  public static Optional<String> artifacts(Path directory) {
    Path file = directory.resolve(FILE);
    return Files.exists(file) ? top(file.toString(), text(file), ARTIFACTS) : Optional.empty();
  }

  private static Optional<String> top(String file, String yaml, String name) {
    if (!yaml.contains(name)) {
      return Optional.empty();
    }
    Problems problems = new Problems(file);
    Node node = YamlReader.read(yaml, problems);
    problems.raise();
    if (!(node instanceof Node.Mapping mapping)) {
      return Optional.empty();
    }
    return Optional.ofNullable(mapping.fields().get(name))
        .map(field -> field.value().json())
        .filter(JsonNode::isTextual)
        .map(JsonNode::textValue);
  }

  /**
   * The text of a declaration with another store, all else left as it is.
   *
   * @param yaml the text so far
   * @param store the new address
   * @throws IllegalArgumentException if the field does not stand on a line of its own
   */
  public static String withStore(String yaml, String store) {
    return with(STORE, store, yaml);
  }

  /** The text of a declaration with its artifacts elsewhere; see {@link #withStore}. */
  public static String withArtifacts(String yaml, String address) {
    return with(ARTIFACTS, address, yaml);
  }

  private static String with(String field, String value, String yaml) {
    String line = field + ": " + value;
    Matcher own = Pattern.compile("(?m)^" + field + "[ \\t]*:.*$").matcher(yaml);
    String changed =
        own.find()
            ? own.replaceFirst(Matcher.quoteReplacement(line))
            : yaml + (yaml.isEmpty() || yaml.endsWith("\n") ? "" : "\n") + line + "\n";
    if (!top(FILE, changed, field).equals(Optional.of(value))) {
      throw new IllegalArgumentException(
          FILE + ": write '" + line + "' into it yourself; its layout is not one to add it to");
    }
    return changed;
  }

  /** The text of a file of the declaration. */
  public static String text(Path file) {
    try {
      if (Files.size(file) > YamlReader.LARGEST) {
        throw wrong(file, 0, "is larger than " + (YamlReader.LARGEST >> 10) + " KiB");
      }
      byte[] bytes = Files.readAllBytes(file);
      try {
        String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        return text.startsWith("\uFEFF") ? text.substring(1) : text;
      } catch (CharacterCodingException e) {
        throw wrong(file, 0, "is not UTF-8");
      }
    } catch (NoSuchFileException e) {
      throw wrong(file, 0, "no such file; cambium init writes one to start from");
    } catch (IOException e) {
      throw new UncheckedIOException(file + ": cannot be read", e);
    }
  }

  private static DeclarationException wrong(Path file, int line, String message) {
    return new DeclarationException(List.of(new Problem(file.toString(), line, 0, message)));
  }

  /**
   * The line of a name.
   *
   * @throws IllegalArgumentException if there is none, with the nearest name
   */
  public Line line(String line) {
    Line found = lines.get(line);
    if (found == null) {
      throw new IllegalArgumentException(
          "no line '"
              + line
              + "' in "
              + name
              + dev.cambium.loop.data.Suggestion.among(line, lines.keySet(), "lines"));
    }
    return found;
  }

  /**
   * The capability of a name.
   *
   * @throws IllegalArgumentException if there is none, with the nearest name
   */
  public CapabilityDeclaration capability(String capability) {
    CapabilityDeclaration found = capabilities.get(capability);
    if (found == null) {
      throw new IllegalArgumentException(
          "no capability '"
              + capability
              + "' in "
              + name
              + dev.cambium.loop.data.Suggestion.among(
                  capability, capabilities.keySet(), "capabilities"));
    }
    return found;
  }

  /** The recipe of a line, if it has one. */
  public Optional<Recipe> recipe(String line) {
    return Optional.ofNullable(line(line).recipe()).map(recipes::get);
  }

  /** The lines directly built on a line, in the order of {@link #lines}. */
  public List<Line> children(String line) {
    return lines.values().stream().filter(l -> line.equals(l.parent())).toList();
  }

  /**
   * All lines that are built on a line or merged from it, directly or not; what they need first.
   */
  public List<Line> descendants(String line) {
    Set<String> above = new LinkedHashSet<>(Set.of(line));
    List<Line> below = new ArrayList<>();
    for (Line candidate : lines.values()) {
      if (candidate.above().stream().anyMatch(above::contains)) {
        above.add(candidate.name());
        below.add(candidate);
      }
    }
    return below;
  }

  /** All lines above a line, the foundation first. */
  public List<Line> ancestors(String line) {
    List<Line> above = new ArrayList<>();
    for (String parent = line(line).parent(); parent != null; parent = line(parent).parent()) {
      above.add(0, line(parent));
    }
    return above;
  }

  /**
   * What a line must keep, its ancestors' contracts included where they are inherited: their
   * capabilities first, and of the budgets the nearest that is set.
   */
  public Contract contract(String line) {
    Line own = line(line);
    if (own.parent() == null || !own.contract().inherit()) {
      return own.contract();
    }
    Contract parent = contract(own.parent());
    Set<String> all = new LinkedHashSet<>(parent.capabilities());
    all.addAll(own.contract().capabilities());
    return new Contract(
        true,
        List.copyOf(all),
        own.contract().budgets().or(parent.budgets()),
        own.contract().headroom() != null ? own.contract().headroom() : parent.headroom());
  }

  /**
   * Reads the suite of every capability, and checks that each item has what its scorer needs and
   * that the tags of its slices are there.
   *
   * @param directory of the ecosystem
   * @return items by capability
   * @throws DataException naming every suite that cannot be used
   */
  public SortedMap<String, List<Item>> suites(Path directory) {
    SortedMap<String, List<Item>> suites = new TreeMap<>();
    List<String> problems = new ArrayList<>();
    for (CapabilityDeclaration capability : capabilities.values()) {
      try {
        Path file = directory.resolve(capability.suite());
        List<Item> items = SuiteFile.read(file, capability.scorer());
        if (capability.slices() != null) {
          for (String tag : capability.slices().by()) {
            if (items.stream().noneMatch(item -> item.tags().containsKey(tag))) {
              throw new DataException(
                  file,
                  "no item has the tag '"
                      + tag
                      + "', by which the slices of "
                      + capability.name()
                      + " are made");
            }
          }
        }
        suites.put(capability.name(), items);
      } catch (DataException e) {
        problems.add("capability '" + capability.name() + "': " + e.getMessage());
      }
    }
    if (!problems.isEmpty()) {
      throw new DataException(String.join("\n", problems));
    }
    return suites;
  }

  /** Writes the declaration as YAML that {@link #parse} reads back equal, warnings aside. */
  public String yaml() {
    return DeclarationWriter.yaml(this);
  }
}
