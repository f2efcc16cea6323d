package dev.cambium.loop.declaration;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cambium.loop.declaration.Node.Position;
import dev.cambium.model.Application;
import dev.cambium.model.Scorer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Reads the file of an application, whose problems are told under its own name. */
final class ApplicationReader {

  private static final String SEARCH = "search";

  private static final List<String> APPLICATION =
      Stream.concat(Written.fields(Application.class).stream(), Stream.of(SEARCH)).toList();

  private static final List<String> SPACE = Written.fields(PromptSpace.class);

  private static final List<String> EXAMPLE = Written.fields(Application.Example.class);

  private static final int MOST_NEW_TOKENS = 100_000;

  private final NamedFiles files;
  private final Problems problems;

  ApplicationReader(NamedFiles files, Problems problems) {
    this.files = files;
    this.problems = problems;
  }

  /**
   * What an application's file says.
   *
   * @param search what may be tried of it; none where it names nothing
   */
  record Read(Application application, @Nullable PromptSpace search) {}

  /**
   * The application; null, and its problems noted, where something is wrong.
   *
   * @param name of the file, from the ecosystem's directory
   * @param place where the declaration names it
   * @param what names it, for messages, such as {@code line 'desk'}
   */
  @Nullable Read read(String name, Position place, String what) {
    Path path = files.find(name, place, what + ": application");
    if (path == null) {
      return null;
    }
    Problems own = new Problems(path.toString());
    try {
      Node node = YamlReader.read(Declaration.text(path), own);
      if (node instanceof Node.Mapping mapping) {
        Fields fields = new Fields(mapping, "application", APPLICATION, own);
        fields.text("system");
        fields.text("prompt");
        examples(fields, "application", own);
        ObjectNode json = (ObjectNode) mapping.json();
        json.remove(SEARCH);
        json.put(
            "max-new-tokens",
            fields.integer("max-new-tokens", Scorer.DEFAULT_MAX_NEW_TOKENS, 1, MOST_NEW_TOKENS));
        json.put(
            "temperature", fields.number("temperature", 0, t -> t >= 0 && t <= 10, "from 0 to 10"));
        Node.Mapping searched = fields.mapping(SEARCH);
        PromptSpace search = searched == null ? null : search(searched, own);
        if (own.errors() == 0) {
          int before = problems.errors();
          Application read =
              Written.read(json, Application.class, place, what + ": " + name, problems);
          if (read != null && search != null) {
            count(search.candidates(read, read).size(), fields.at(SEARCH), own);
            problems.addAll(own);
          }
          return read == null || problems.errors() > before ? null : new Read(read, search);
        }
      } else if (node != null) {
        own.add(
            node.position(), "must be a mapping with the fields " + String.join(", ", APPLICATION));
      }
    } catch (DeclarationException e) {
      e.problems().forEach(p -> own.add(null, p.message()));
    }
    problems.addAll(own);
    return null;
  }

  /** What may be tried; null, and problems noted, where something is wrong. */
  private static @Nullable PromptSpace search(Node.Mapping mapping, Problems own) {
    int before = own.errors();
    Fields fields = new Fields(mapping, SEARCH, SPACE, own);
    Map<String, Position> systems = fields.texts("systems");
    Map<String, Position> prompts = fields.texts("prompts");
    prompts.forEach(
        (prompt, place) -> {
          if (!prompt.contains(Application.INPUT)) {
            own.add(
                place,
                "search: the prompt '" + prompt + "' must contain {input}, the place of the input");
          }
        });
    List<Application.Example> examples = examples(fields, SEARCH, own);
    List<Integer> shots = whole(fields, "shots", 0, examples.size());
    if (fields.has("shots") && !fields.has("examples")) {
      own.add(fields.at("shots"), "search: 'shots' says how many of 'examples', which is missing");
    }
    if (!examples.isEmpty() && !fields.has("shots")) {
      shots = List.of(examples.size());
    }
    PromptSpace space =
        new PromptSpace(
            List.copyOf(systems.keySet()),
            List.copyOf(prompts.keySet()),
            examples,
            own.errors() == before ? shots : List.of(),
            whole(fields, "max-new-tokens", 1, MOST_NEW_TOKENS),
            fields.number(
                "share",
                PromptSpace.USUAL_SHARE,
                s -> s > 0 && s <= 0.5,
                "above 0 and at most 0.5"));
    return own.errors() == before ? space : null;
  }

  private static void count(int candidates, Position place, Problems own) {
    if (candidates < 2) {
      own.add(
          place,
          "search: nothing to try beside what the application says; name prompts, systems, examples"
              + " or max-new-tokens");
    } else if (candidates > PromptSpace.MOST_CANDIDATES) {
      own.add(
          place,
          String.format(
              "search: these make %d combinations, at most %d are searched; name fewer",
              candidates, PromptSpace.MOST_CANDIDATES));
    }
  }

  private static List<Integer> whole(Fields fields, String name, int least, int most) {
    return fields
        .numbers(
            name,
            n -> n == Math.rint(n) && n >= least && n <= most,
            "that are whole, from " + least + " to " + most)
        .stream()
        .map(Double::intValue)
        .toList();
  }

  private static List<Application.Example> examples(Fields fields, String what, Problems own) {
    List<Application.Example> examples = new ArrayList<>();
    for (Node.Mapping mapping : fields.mappingsOf("examples")) {
      Fields one = new Fields(mapping, what + ": example", EXAMPLE, own);
      for (String name : EXAMPLE) {
        if (!one.has(name)) {
          one.missing(name, "an example is { input: a question, answer: its answer }");
        }
      }
      String input = one.text("input");
      String answer = one.text("answer");
      if (input != null && answer != null) {
        examples.add(new Application.Example(input, answer));
      }
    }
    return examples;
  }
}
