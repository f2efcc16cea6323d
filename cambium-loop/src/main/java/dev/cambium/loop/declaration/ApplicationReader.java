package dev.cambium.loop.declaration;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cambium.loop.declaration.Node.Position;
import dev.cambium.model.Application;
import dev.cambium.model.Scorer;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads the file of an application, whose problems are told under its own name. */
final class ApplicationReader {

  private static final List<String> APPLICATION = Written.fields(Application.class);

  private final NamedFiles files;
  private final Problems problems;

  ApplicationReader(NamedFiles files, Problems problems) {
    this.files = files;
    this.problems = problems;
  }

  /**
   * The application; null, and its problems noted, where something is wrong.
   *
   * @param name of the file, from the ecosystem's directory
   * @param place where the declaration names it
   * @param what names it, for messages, such as {@code line 'desk'}
   */
  @Nullable Application read(String name, Position place, String what) {
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
        ObjectNode json = (ObjectNode) mapping.json();
        json.put(
            "max-new-tokens",
            fields.integer("max-new-tokens", Scorer.DEFAULT_MAX_NEW_TOKENS, 1, 100_000));
        json.put(
            "temperature", fields.number("temperature", 0, t -> t >= 0 && t <= 10, "from 0 to 10"));
        if (own.errors() == 0) {
          int before = problems.errors();
          Application read =
              Written.read(json, Application.class, place, what + ": " + name, problems);
          return problems.errors() == before ? read : null;
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
}
