package dev.cambium.loop.declaration;

import dev.cambium.artifact.ArtifactAddress;
import dev.cambium.ledger.StoreAddress;
import dev.cambium.loop.declaration.Node.Position;
import dev.cambium.loop.governor.Governor;
import dev.cambium.model.Recipe;
import dev.cambium.model.Tier;
import dev.cambium.model.VersionRef;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Turns the text of a declaration into a {@link Declaration}, or into all that is wrong with it.
 * Reads the top level; each subject below it has a reader of its own, and all of them note what is
 * wrong in the same {@link Problems}.
 */
final class DeclarationReader {

  private static final List<String> TOP =
      List.of(
          "name", "store", "artifacts", "policy", "governor", "recipes", "capabilities", "lines");

  private final Path directory;
  private final Problems problems;

  DeclarationReader(String file, Path directory) {
    this.directory = directory;
    this.problems = new Problems(file);
  }

  Declaration read(String yaml) {
    Node node = YamlReader.read(yaml, problems);
    if (node == null) {
      problems.raise();
    }
    if (!(node instanceof Node.Mapping mapping)) {
      problems.add(
          node == null ? null : node.position(),
          "must be a mapping with the fields " + String.join(", ", TOP));
      problems.raise();
      throw new AssertionError("raised above");
    }
    Fields top = new Fields(mapping, "ecosystem", TOP, problems);
    String name = top.text("name");
    if (name == null) {
      if (!top.has("name")) {
        top.missing("name", "write, for example, name: bank-help-desk");
      }
    } else {
      checkName(name, top.at("name"), "name");
    }
    String store = top.text("store");
    if (store != null) {
      try {
        StoreAddress.of(store, Map.of());
      } catch (IllegalArgumentException e) {
        problems.add(top.at("store"), "store: " + e.getMessage());
      }
    }
    String artifacts = top.text("artifacts");
    if (artifacts != null) {
      try {
        ArtifactAddress.check(artifacts);
      } catch (IllegalArgumentException e) {
        problems.add(top.at("artifacts"), "artifacts: " + e.getMessage());
      }
    }
    Policy policy = new PolicyReader(problems).read(top.mapping("policy"));
    Governor governor = new GovernorReader(problems).read(top.mapping("governor"));
    NamedFiles files = new NamedFiles(directory, problems);
    RecipeReader recipeReader = new RecipeReader(problems);
    Map<String, Recipe> recipes = new TreeMap<>();
    Set<String> namedRecipes = new LinkedHashSet<>();
    for (Map.Entry<String, Node.Mapping> entry : top.mappings("recipes")) {
      namedRecipes.add(entry.getKey());
      checkName(entry.getKey(), top.key("recipes", entry.getKey()), "recipe");
      Recipe recipe = recipeReader.read(entry.getKey(), entry.getValue());
      if (recipe != null) {
        recipes.put(entry.getKey(), recipe);
      }
    }
    CapabilityReader capabilityReader = new CapabilityReader(files, problems);
    Map<String, CapabilityDeclaration> capabilities = new TreeMap<>();
    Set<String> namedCapabilities = new LinkedHashSet<>();
    for (Map.Entry<String, Node.Mapping> entry : top.mappings("capabilities")) {
      namedCapabilities.add(entry.getKey());
      Position place = top.key("capabilities", entry.getKey());
      checkName(entry.getKey(), place, "capability");
      CapabilityDeclaration capability =
          capabilityReader.read(entry.getKey(), entry.getValue(), place);
      if (capability != null) {
        capabilities.put(entry.getKey(), capability);
      }
    }
    LineReader lineReader =
        new LineReader(namedRecipes, recipes, namedCapabilities, files, problems);
    Map<String, Line> lines = new LinkedHashMap<>();
    Map<String, Fields> sources = new LinkedHashMap<>();
    Map<String, Position> places = new LinkedHashMap<>();
    for (Map.Entry<String, Node.Mapping> entry : top.mappings("lines")) {
      Position place = top.key("lines", entry.getKey());
      places.put(entry.getKey(), place);
      checkName(entry.getKey(), place, "line");
      Fields fields = lineReader.fields(entry.getKey(), entry.getValue());
      sources.put(entry.getKey(), fields);
      Line line = lineReader.read(entry.getKey(), fields);
      if (line != null) {
        lines.put(entry.getKey(), line);
      }
    }
    if (!top.has("lines") || (places.isEmpty() && problems.errors() == 0)) {
      top.missing("lines", "an ecosystem has at least one, such as base: { tier: foundation }");
    }
    List<Line> order = new LineTree(lines, sources, places, problems).read();
    problems.raise();
    Declaration declaration =
        new Declaration(
            String.valueOf(name),
            policy,
            governor,
            new TreeMap<>(recipes),
            new TreeMap<>(capabilities),
            order.stream()
                .collect(Collectors.toMap(Line::name, l -> l, (a, b) -> a, LinkedHashMap::new)),
            List.of());
    warn(declaration, top, places);
    return new Declaration(
        declaration.name(),
        policy,
        governor,
        declaration.recipes(),
        declaration.capabilities(),
        declaration.lines(),
        problems.warnings());
  }

  private void checkName(String name, Position place, String what) {
    try {
      VersionRef.checkLine(name);
    } catch (IllegalArgumentException e) {
      problems.add(
          place,
          "'"
              + name
              + "' cannot be the name of a "
              + what
              + ": lower-case letters, digits, '.', '_' and '-', at most 63, the first a letter"
              + " or a digit");
    }
  }

  /** Notes what is allowed and probably not meant, which only the whole shows. */
  private void warn(Declaration declaration, Fields top, Map<String, Position> places) {
    Set<String> used = new LinkedHashSet<>();
    for (Line line : declaration.lines().values()) {
      Position place = places.get(line.name());
      Contract contract = declaration.contract(line.name());
      used.addAll(contract.capabilities());
      if (contract.capabilities().isEmpty()) {
        problems.warn(
            place,
            "line '"
                + line.name()
                + "': its contract names no capability, so no release of it can be judged");
      }
      if (line.recipe() == null && line.merge() == null && line.tier() == Tier.APPLICATION_MODEL) {
        problems.warn(
            place,
            "line '"
                + line.name()
                + "': has no recipe, so it can be kept or transplanted, never retrained");
      }
    }
    for (String capability : declaration.capabilities().keySet()) {
      if (!used.contains(capability)) {
        problems.warn(
            top.key("capabilities", capability),
            "capability '" + capability + "': no contract names it, so nothing is measured by it");
      }
    }
  }
}
