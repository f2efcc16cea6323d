package dev.cambium.loop.declaration;

import dev.cambium.loop.data.Suggestion;
import dev.cambium.loop.declaration.Node.Position;
import dev.cambium.model.Recipe;
import dev.cambium.model.Tier;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads a line: its tier, what it is made by, and what it promises. What it is built on is {@link
 * LineTree}'s.
 */
final class LineReader {

  private static final List<String> LINE =
      List.of("tier", "parent", "recipe", "merge", "application", "contract");

  private static final List<String> TIERS = Arrays.stream(Tier.values()).map(Tier::label).toList();

  private final Set<String> namedRecipes;
  private final Map<String, Recipe> recipes;
  private final Problems problems;
  private final ApplicationReader applications;
  private final ContractReader contracts;
  private final MergeReader merges;

  /**
   * Reads lines that may refer to these recipes and capabilities.
   *
   * @param namedRecipes the names of all recipes, also of those with problems
   * @param recipes those without problems, by name
   * @param namedCapabilities the names of all capabilities, also of those with problems
   */
  LineReader(
      Set<String> namedRecipes,
      Map<String, Recipe> recipes,
      Set<String> namedCapabilities,
      NamedFiles files,
      Problems problems) {
    this.namedRecipes = namedRecipes;
    this.recipes = recipes;
    this.problems = problems;
    this.applications = new ApplicationReader(files, problems);
    this.contracts = new ContractReader(namedCapabilities, problems);
    this.merges = new MergeReader(problems);
  }

  /** The fields of a line. */
  Fields fields(String name, Node.Mapping mapping) {
    return new Fields(mapping, "line '" + name + "'", LINE, problems);
  }

  /** The line, perhaps with problems noted; null where its tier is not known. */
  @Nullable Line read(String name, Fields fields) {
    String what = "line '" + name + "'";
    Tier tier = null;
    String label = fields.text("tier");
    if (!fields.has("tier")) {
      fields.missing("tier", "one of " + String.join(", ", TIERS));
    } else if (label != null) {
      if (TIERS.contains(label)) {
        tier = Tier.parse(label);
      } else {
        problems.add(
            fields.at("tier"),
            what + ": no tier '" + label + "'" + Suggestion.among(label, TIERS, "tiers"));
      }
    }
    String recipe = fields.text("recipe");
    if (recipe != null && !namedRecipes.contains(recipe)) {
      problems.add(
          fields.at("recipe"),
          what
              + ": no recipe '"
              + recipe
              + "'"
              + Suggestion.among(recipe, namedRecipes, "recipes"));
    }
    if (recipe != null && tier != null) {
      method(what, tier, recipe, recipes.get(recipe), fields.at("recipe"));
    }
    String applicationFile = fields.text("application");
    ApplicationReader.Read application = null;
    if (tier == Tier.APPLICATION && !fields.has("application")) {
      fields.missing(
          "application", "an application has a file, such as application: apps/" + name + ".yaml");
    }
    if (applicationFile != null) {
      if (tier != null && tier != Tier.APPLICATION) {
        problems.add(
            fields.at("application"),
            what + ": only a line of tier application has an application file, this is " + label);
      } else {
        application = applications.read(applicationFile, fields.at("application"), what);
      }
    }
    Contract contract = contracts.read(what, fields.mapping("contract"));
    Node.Mapping merged = fields.mapping("merge");
    Merging merge = merged == null ? null : merges.read(what, merged);
    if (merged != null && fields.has("recipe")) {
      problems.add(
          fields.at("recipe"),
          what + ": a line that is made by merging is not trained; remove the recipe or the merge");
    }
    if (merged != null && (tier == Tier.FOUNDATION || tier == Tier.APPLICATION)) {
      problems.add(
          fields.at("merge"),
          what
              + ": of tier "
              + label
              + ", which is not made by merging; industrial and application-model are");
    }
    if (tier == null) {
      return null;
    }
    return new Line(
        name,
        tier,
        fields.text("parent"),
        recipe,
        merge,
        applicationFile,
        application == null ? null : application.application(),
        application == null ? null : application.search(),
        contract);
  }

  /** Notes a recipe that a line of this tier cannot have. */
  private void method(
      String what, Tier tier, String name, @Nullable Recipe recipe, Position place) {
    if (tier == Tier.APPLICATION) {
      problems.add(
          place, what + ": an application is not trained, so it has no recipe; remove the field");
    } else if (recipe != null
        && recipe.method() == Recipe.Method.LORA
        && tier != Tier.APPLICATION_MODEL) {
      problems.add(
          place,
          what
              + ": recipe '"
              + name
              + "' has method lora, which makes adapters, and other lines are built on a line of"
              + " tier "
              + tier.label()
              + "; give it a recipe with method full");
    }
  }
}
