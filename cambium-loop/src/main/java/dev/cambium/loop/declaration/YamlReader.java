package dev.cambium.loop.declaration;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import dev.cambium.loop.declaration.Node.Position;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.error.MarkedYAMLException;

/**
 * Reads YAML into {@link Node}s. Refuses what a declaration never needs and what could harm the
 * reader: anchors and aliases (so nothing expands), tags, duplicated keys, several documents, deep
 * nesting, more than a mebibyte.
 */
final class YamlReader {

  static final int LARGEST = 1 << 20;
  private static final int DEEPEST = 20;

  private final Problems problems;
  private final YAMLParser parser;

  private YamlReader(Problems problems, YAMLParser parser) {
    this.problems = problems;
    this.parser = parser;
  }

  /** Reads one document; none if what is there could not be read, which is then a problem. */
  static @Nullable Node read(String text, Problems problems) {
    if (text.length() > LARGEST) {
      problems.add(
          null,
          "is larger than "
              + (LARGEST >> 10)
              + " KiB; a declaration names suites and data, it does not hold them");
      return null;
    }
    LoaderOptions options = new LoaderOptions();
    options.setCodePointLimit(LARGEST);
    options.setMaxAliasesForCollections(0);
    options.setNestingDepthLimit(DEEPEST);
    YAMLFactory factory = YAMLFactory.builder().loaderOptions(options).build();
    try (YAMLParser parser = factory.createParser(text)) {
      if (parser.nextToken() == null) {
        problems.add(null, "is empty; cambium init writes one to start from");
        return null;
      }
      YamlReader reader = new YamlReader(problems, parser);
      Node node = reader.node(0);
      if (parser.nextToken() != null) {
        problems.add(reader.position(), "a second document begins here; one file holds one");
      }
      return node;
    } catch (Refused e) {
      return null;
    } catch (JsonProcessingException e) {
      malformed(e, problems);
      return null;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Reading stopped; the problem is noted already. */
  private static final class Refused extends RuntimeException {
    private static final long serialVersionUID = 1;

    Refused() {
      super(null, null, false, false);
    }
  }

  private Node node(int depth) throws IOException {
    Position position = position();
    if (depth > DEEPEST) {
      problems.add(position, "is nested more than " + DEEPEST + " deep");
      throw new Refused();
    }
    refuseReferences(position);
    JsonToken token = parser.currentToken();
    return switch (token) {
      case START_OBJECT -> mapping(position, depth);
      case START_ARRAY -> {
        List<Node> elements = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          elements.add(node(depth + 1));
        }
        yield new Node.Sequence(position, elements);
      }
      default -> new Node.Scalar(position, scalar(token));
    };
  }

  private Node mapping(Position position, int depth) throws IOException {
    Map<String, Node.Field> fields = new LinkedHashMap<>();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      Position place = position();
      refuseReferences(place);
      String name = parser.currentName();
      parser.nextToken();
      Node value = node(depth + 1);
      Node.Field first = fields.putIfAbsent(name, new Node.Field(place, value));
      if (first != null) {
        problems.add(
            place, "'" + name + "' is here twice; the first is at line " + first.position().line());
      }
    }
    return new Node.Mapping(position, fields);
  }

  private JsonNode scalar(JsonToken token) throws IOException {
    JsonNodeFactory nodes = JsonNodeFactory.instance;
    return switch (token) {
      case VALUE_NULL -> nodes.nullNode();
      case VALUE_TRUE -> nodes.booleanNode(true);
      case VALUE_FALSE -> nodes.booleanNode(false);
      case VALUE_NUMBER_INT -> nodes.numberNode(parser.getBigIntegerValue());
      case VALUE_NUMBER_FLOAT -> number(parser.getText());
      default -> nodes.textNode(parser.getText());
    };
  }

  /**
   * YAML's {@code .nan} and {@code .inf} are texts here: nothing that is declared may be either.
   */
  private static JsonNode number(String text) {
    try {
      return JsonNodeFactory.instance.numberNode(Double.parseDouble(text.replace("_", "")));
    } catch (NumberFormatException e) {
      return JsonNodeFactory.instance.textNode(text);
    }
  }

  private void refuseReferences(Position position) throws IOException {
    if (parser.isCurrentAlias() || parser.getObjectId() != null) {
      problems.add(
          position, "anchors (&) and aliases (*) are not read; write the value out in each place");
      throw new Refused();
    }
    if (parser.getTypeId() != null) {
      problems.add(position, "tags (!) are not read; remove '!" + parser.getTypeId() + "'");
      throw new Refused();
    }
  }

  private Position position() {
    return position(parser.currentTokenLocation());
  }

  private static Position position(JsonLocation location) {
    return new Position(Math.max(1, location.getLineNr()), Math.max(1, location.getColumnNr()));
  }

  private static void malformed(JsonProcessingException e, Problems problems) {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof MarkedYAMLException marked && marked.getProblemMark() != null) {
        String context = marked.getContext() == null ? "" : " (" + marked.getContext() + ")";
        String problem = String.valueOf(marked.getProblem()).strip();
        String hint = problem.contains("TAB") ? "; indent with spaces" : "";
        problems.add(
            new Position(
                marked.getProblemMark().getLine() + 1, marked.getProblemMark().getColumn() + 1),
            "malformed YAML: " + problem + context + hint);
        return;
      }
    }
    JsonLocation location = e.getLocation();
    problems.add(
        location == null ? null : position(location),
        "malformed YAML: " + e.getOriginalMessage().lines().findFirst().orElse(""));
  }
}
