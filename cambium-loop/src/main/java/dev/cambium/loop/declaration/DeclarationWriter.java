package dev.cambium.loop.declaration;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.cambium.loop.governor.Governor;
import dev.cambium.loop.governor.Rule;
import dev.cambium.model.Json;
import java.io.UncheckedIOException;

/** Writes a declaration, every default spelt out. */
final class DeclarationWriter {

  private static final YAMLMapper YAML =
      new YAMLMapper(
          YAMLFactory.builder()
              .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
              .enable(YAMLGenerator.Feature.ALWAYS_QUOTE_NUMBERS_AS_STRINGS)
              .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
              .disable(YAMLGenerator.Feature.SPLIT_LINES)
              .build());

  private DeclarationWriter() {}

  static String yaml(Declaration declaration) {
    ObjectNode root = Json.mapper().createObjectNode();
    root.put("name", declaration.name());
    root.set("policy", Json.mapper().valueToTree(declaration.policy()));
    governor(root.putObject("governor"), declaration.governor());
    ObjectNode recipes = root.putObject("recipes");
    declaration
        .recipes()
        .forEach((name, recipe) -> recipes.set(name, Json.mapper().valueToTree(recipe)));
    ObjectNode capabilities = root.putObject("capabilities");
    declaration.capabilities().forEach((name, c) -> capability(capabilities.putObject(name), c));
    ObjectNode lines = root.putObject("lines");
    declaration.lines().forEach((name, line) -> line(lines.putObject(name), line));
    try {
      return YAML.writeValueAsString(root);
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void governor(ObjectNode node, Governor governor) {
    if (!governor.budget().equals(Governor.Budget.NONE)) {
      node.set("budget", Json.mapper().valueToTree(governor.budget()));
    }
    ArrayNode rules = node.putArray("rules");
    for (Rule rule : governor.rules()) {
      ObjectNode written = rules.addObject();
      ObjectNode when = written.putObject("when");
      rule.when().forEach((condition, bound) -> when.put(condition.label(), bound));
      written.put("mode", rule.mode().label());
      if (rule.protect() != null) {
        written.set("protect", Json.mapper().valueToTree(rule.protect()));
      }
      if (!rule.because().isEmpty()) {
        written.put("because", rule.because());
      }
    }
  }

  private static void capability(ObjectNode node, CapabilityDeclaration capability) {
    node.put("owner", capability.owner());
    node.put("suite", capability.suite());
    node.put("scorer", Written.label(capability.scorer().kind()));
    node.put("max-new-tokens", capability.scorer().maxNewTokens());
    if (capability.schema() != null) {
      node.put("schema", capability.schema());
    }
    node.put("margin", capability.margin());
    node.put("floor", capability.floor());
    if (capability.slices() != null) {
      node.set("slices", Json.mapper().valueToTree(capability.slices()));
    }
  }

  /** The fields of the method, its weights by line. */
  private static void merge(ObjectNode node, Merging merge) {
    ArrayNode from = node.putArray("from");
    merge.from().forEach(from::add);
    ObjectNode method = Json.mapper().valueToTree(merge.method());
    if (method.remove("weights") != null) {
      ObjectNode weights = method.putObject("weights");
      for (int i = 0; i < merge.from().size(); i++) {
        weights.put(merge.from().get(i), merge.method().weights().get(i));
      }
    }
    node.setAll(method);
  }

  private static void line(ObjectNode node, Line line) {
    node.put("tier", line.tier().label());
    if (line.parent() != null) {
      node.put("parent", line.parent());
    }
    if (line.recipe() != null) {
      node.put("recipe", line.recipe());
    }
    if (line.merge() != null) {
      merge(node.putObject("merge"), line.merge());
    }
    if (line.applicationFile() != null) {
      node.put("application", line.applicationFile());
    }
    ObjectNode contract = node.putObject("contract");
    contract.put("inherit", line.contract().inherit());
    ArrayNode capabilities = contract.putArray("capabilities");
    line.contract().capabilities().forEach(capabilities::add);
    if (!line.contract().budgets().isEmpty()) {
      contract.set("budgets", Json.mapper().valueToTree(line.contract().budgets()));
    }
    HeadroomPolicy headroom = line.contract().headroom();
    if (headroom != null) {
      contract.set(
          "headroom", headroom.on() ? Json.mapper().valueToTree(headroom) : BooleanNode.getFalse());
    }
  }
}
