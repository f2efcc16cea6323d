package dev.cambium.loop.declaration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.cambium.loop.data.DataException;
import dev.cambium.loop.governor.Condition;
import dev.cambium.loop.governor.Governor;
import dev.cambium.loop.governor.Mode;
import dev.cambium.loop.governor.Rule;
import dev.cambium.model.Application;
import dev.cambium.model.Channel;
import dev.cambium.model.Distillation;
import dev.cambium.model.MergeMethod;
import dev.cambium.model.Protection;
import dev.cambium.model.Recipe;
import dev.cambium.model.ScorerKind;
import dev.cambium.model.Tier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DeclarationTest {

  /** Line numbers in the tests below count from the first line of this text. */
  private static final String VALID =
      """
      name: bank-help-desk
      policy:
        alpha: 0.05
        chunk: 25
        seed: 1
        stages: [candidate, stable]
        approve: [retrain]
      recipes:
        cards-sft: { method: full, steps: 200, batch-rows: 32, max-tokens: 64, learning-rate: 0.001, replay-share: 0.25 }
        router-lora: { method: lora, lora: { rank: 8, alpha: 16 }, steps: 150, batch-rows: 16, max-tokens: 64, learning-rate: 3e-3, precision: bf16 }
      capabilities:
        language: { owner: platform, suite: suites/language.jsonl, scorer: likelihood, floor: 0.1 }
        card-facts:
          owner: cards-team
          suite: suites/card-facts.jsonl
          scorer: json
          schema: schemas/fact.json
          max-new-tokens: 12
          margin: 0.1
          floor: 0.5
          slices: { by: [intent], margin: 0.4, min-items: 3 }
        card-flow: { owner: desk, suite: suites/card-facts.jsonl, scorer: json, floor: 0.5 }
      lines:
        card-desk: { tier: application, parent: card-router, application: apps/card-desk.yaml, contract: { capabilities: [card-flow] } }
        base: { tier: foundation, contract: { capabilities: [language], budgets: { max-size-mb: 50 } } }
        cards: { tier: industrial, parent: base, recipe: cards-sft, contract: { capabilities: [card-facts], budgets: { max-ms-per-item: 500 } } }
        card-router: { tier: application-model, parent: cards, recipe: router-lora, contract: { inherit: false, capabilities: [card-facts] } }
      """;

  @TempDir Path directory;

  @BeforeEach
  void files() throws IOException {
    write("suites/language.jsonl", "{\"text\":\"The card is lost.\"}\n");
    write(
        "suites/card-facts.jsonl",
        "{\"prompt\":\"fee?\",\"answer\":\"{\\\"fee\\\":2}\",\"tags\":{\"intent\":\"fee\"}}\n");
    write("schemas/fact.json", "{\"type\": \"object\"}");
    write("apps/card-desk.yaml", "system: You help with cards.\nprompt: 'Customer: {input}'\n");
  }

  private void write(String name, String text) throws IOException {
    Path file = directory.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private Declaration parse(String yaml) {
    return Declaration.parse("ecosystem.yaml", yaml, directory);
  }

  private List<String> problems(String yaml) {
    DeclarationException e = catchThrowableOfType(DeclarationException.class, () -> parse(yaml));
    assertThat(e).as("a declaration with a problem is refused").isNotNull();
    return e.problems().stream().map(Problem::toString).toList();
  }

  private List<String> problems(String part, String replacement) {
    assertThat(VALID).contains(part);
    return problems(VALID.replace(part, replacement));
  }

  private static final String PROTECT =
      "kl: 0.1, l2-init: 0.001, ewc: 50, orthogonal: 0.5, interpolate: 0.8,"
          + " rewarm: { warmup: 20, cooldown: 100, floor: 0.3 }, balance-by: intent";

  private static String withProtection(String protect) {
    return VALID.replace(
        "router-lora: { method: lora,",
        "router-lora: { method: lora, protect: { " + protect + " },");
  }

  @Test
  void readsAllThatAnAdapterCanBe() throws IOException {
    String lora =
        "lora: { rank: 8, alpha: 16, targets: [q_proj, v_proj], rank-stabilized: true, dora: true,"
            + " rank-pattern: { 'layers\\.0\\..*q_proj': 4, v_proj: 2 }, alpha-pattern: { v_proj:"
            + " 3.5 }, saved-modules: [embed_tokens, norm] }";
    Recipe.Lora read =
        parse(VALID.replace("lora: { rank: 8, alpha: 16 }", lora))
            .recipe("card-router")
            .orElseThrow()
            .lora();
    assertThat(read)
        .isEqualTo(
            new Recipe.Lora(
                8,
                16,
                List.of("q_proj", "v_proj"),
                true,
                true,
                new TreeMap<>(Map.of("layers\\.0\\..*q_proj", 4, "v_proj", 2)),
                new TreeMap<>(Map.of("v_proj", 3.5)),
                List.of("embed_tokens", "norm")));
  }

  private static String governed(String governor) {
    return VALID.replace("recipes:\n", "governor:\n" + governor + "recipes:\n");
  }

  @Test
  void aGovernorIsReadAndWrittenBack() {
    assertThat(parse(VALID).governor()).isEqualTo(Governor.DEFAULT);
    Declaration read =
        parse(
            governed(
                """
                  budget: { steps: 90000, seconds: 7200 }
                  rules:
                    - when: { headroom-below: 0.9, dormant-above: 0.2 }
                      mode: repair
                      protect: { reset-dormant: { every: 50, threshold: 0.025 } }
                      because: units that do not act can be given something to do
                    - { when: { headroom-surely-below: 0.8 }, mode: re-base }
                """));
    assertThat(read.governor().budget()).isEqualTo(new Governor.Budget(90_000L, 7200.0));
    assertThat(read.governor().rules())
        .extracting(Rule::mode)
        .containsExactly(Mode.REPAIR, Mode.REBASE);
    assertThat(read.governor().rules().get(0).when())
        .isEqualTo(Map.of(Condition.HEADROOM_BELOW, 0.9, Condition.DORMANT_ABOVE, 0.2));
    assertThat(parse(read.yaml()).governor()).isEqualTo(read.governor());
    assertThat(parse(parse(VALID).yaml()).governor()).isEqualTo(Governor.DEFAULT);
    assertThat(parse(governed("  budget: { steps: 9 }\n")).governor())
        .as("a budget alone leaves the usual rules")
        .isEqualTo(new Governor(Governor.DEFAULT.rules(), new Governor.Budget(9L, null)));
    assertThat(parse(governed("  rules: []\n")).governor().rules()).isEmpty();
  }

  @Test
  void whatIsWrongWithAGovernorIsSaidWithItsPlace() {
    assertThat(problems(governed("  rulez: []\n")))
        .containsExactly(
            "ecosystem.yaml:9:3: governor: unknown field 'rulez'; did you mean 'rules'?");
    assertThat(problems(governed("  budget: { stepz: 3, seconds: 0 }\n")))
        .anyMatch(p -> p.startsWith("ecosystem.yaml:9:13: ") && p.contains("'stepz'"))
        .anyMatch(p -> p.contains("'seconds' must be a number above 0"));
    assertThat(
            problems(
                governed(
                    """
                      rules:
                        - { when: { headrom-below: 0.9 }, mode: plain }
                        - { when: { headroom-below: yes }, mode: re-bais }
                        - { mode: protect }
                        - { when: { room-below: 0.1 }, mode: protect, protect: { kl: -1 } }
                        - nothing
                    """)))
        .anyMatch(p -> p.startsWith("ecosystem.yaml:10:17: ") && p.contains("'headroom-below'"))
        .anyMatch(p -> p.contains("rule 2, when: 'headroom-below' must be a number"))
        .anyMatch(p -> p.contains("no mode 're-bais'; did you mean 're-base'?"))
        .anyMatch(p -> p.contains("'when' is missing"))
        .anyMatch(p -> p.contains("'protect' is missing"))
        .anyMatch(p -> p.contains("protect: 'kl' must be a number above 0"))
        .anyMatch(p -> p.startsWith("ecosystem.yaml:14:7: ") && p.contains("a list of mappings"));
  }

  @Test
  void howALineIsDistilledIsReadWithTheRestAsUsual() throws IOException {
    write(
        "ecosystem.yaml",
        withProtection(
            "kl: 0.1 }, distill: { steps: 1.5, rows: 0.5, rate: 2, on-policy: 0, labels: 0.5"));
    Recipe recipe = Declaration.load(directory).recipe("card-router").orElseThrow();
    Distillation usual = Distillation.DEFAULT;
    assertThat(recipe.distill())
        .isEqualTo(
            new Distillation(
                1.5, 0, usual.divergence(), usual.mixture(), usual.temperature(), 0.5, 2, 0.5));
    Recipe taken = recipe.distilling();
    assertThat(taken.steps()).isEqualTo(Math.round(1.5 * recipe.steps()));
    assertThat(taken.batchRows()).isEqualTo(Math.round(0.5 * recipe.batchRows()));
    assertThat(taken.learningRate()).isEqualTo(2 * recipe.learningRate());
    assertThat(problems(withProtection("kl: 0.1 }, distill: { rows: 2, rate: 0")))
        .anyMatch(p -> p.contains("'rows' must be a number above 0 and at most 1"))
        .anyMatch(p -> p.contains("'rate' must be a number above 0 and at most 100"));
    assertThat(problems(withProtection("kl: 0.1 }, distill: { on-policy: 0.5, labels: 0.5")))
        .anyMatch(p -> p.contains("labels: not with on-policy"));
    assertThat(problems(withProtection("kl: 0.1 }, distill: { steps: 2.5, rows: 0.5")))
        .anyMatch(p -> p.contains("reads more than retraining"));
  }

  @Test
  void answersOfItsOwnAndASearchForTheEndAreReadAndRefusedByName() throws IOException {
    String protect =
        "on-policy: { share: 0.05, temperature: 1 }, interpolate-search: [1, 0.75, 0.5]";
    write("ecosystem.yaml", withProtection(protect));
    Protection read = Declaration.load(directory).recipe("card-router").orElseThrow().protect();
    assertThat(read.onPolicy()).isEqualTo(new Protection.OnPolicy(0.05, 1));
    assertThat(read.interpolateSearch()).containsExactly(1.0, 0.75, 0.5);
    assertThat(problems(withProtection("interpolate-search: [1, 2]")))
        .singleElement()
        .asString()
        .contains("'interpolate-search' must be a list of numbers above 0 and at most 1");
    assertThat(problems(withProtection("interpolate-search: 1")))
        .singleElement()
        .asString()
        .contains("a list of numbers, such as [1, 0.8]");
    assertThat(problems(withProtection("on-policy: { share: 0.05 }")))
        .singleElement()
        .asString()
        .contains("'temperature' is missing");
    assertThat(problems(withProtection("on-policy: { share: 0.5, temperature: 1 }")))
        .singleElement()
        .asString()
        .contains("share must be in [0.01, 0.1]: 0.5");
    assertThat(problems(withProtection("interpolate-search: [1, 0.5], interpolate: 0.5")))
        .singleElement()
        .asString()
        .contains("not both");
    assertThat(problems(withProtection("interpolate-search: [1, 0.5], orthogonal: 0.5")))
        .singleElement()
        .asString()
        .contains("not with orthogonal");
  }

  @Test
  void protectionIsReadAndRefusedByName() throws IOException {
    assertThat(withProtection(PROTECT)).isNotEqualTo(VALID);
    write("ecosystem.yaml", withProtection(PROTECT));
    Recipe recipe = Declaration.load(directory).recipe("card-router").orElseThrow();
    assertThat(recipe.protect())
        .isEqualTo(
            Protection.NONE
                .withKl(0.1)
                .withL2Init(0.001)
                .withEwc(50.0)
                .withOrthogonal(0.5)
                .withInterpolate(0.8)
                .withRewarm(new Protection.Rewarm(20, 100, 0.3))
                .withBalanceBy("intent"));
    assertThat(problems(withProtection(PROTECT.replace("kl: 0.1", "kl: -1"))))
        .singleElement()
        .asString()
        .contains("recipe 'router-lora', protect: 'kl' must be a number above 0");
    assertThat(problems(withProtection(PROTECT.replace("ewc", "ecw"))))
        .singleElement()
        .asString()
        .contains("unknown field 'ecw'; did you mean 'ewc'");
    assertThat(problems(withProtection(PROTECT.replace(", floor: 0.3", ""))))
        .singleElement()
        .asString()
        .contains("protect, rewarm: 'floor' is missing; such as rewarm: {");
    assertThat(problems(withProtection(PROTECT + ", spectral: 0.1")))
        .singleElement()
        .asString()
        .contains("spectral: goes with method full");
  }

  @Test
  void aValidDeclarationIsReadWhole() throws IOException {
    write("ecosystem.yaml", VALID);
    Declaration read = Declaration.load(directory);

    assertThat(read.name()).isEqualTo("bank-help-desk");
    assertThat(read.policy().stages()).containsExactly(Channel.CANDIDATE, Channel.STABLE);
    assertThat(read.policy().approve()).containsExactly(Policy.DecisionPoint.RETRAIN);
    assertThat(read.lines().keySet())
        .as("parents come before children")
        .containsExactly("base", "cards", "card-router", "card-desk");
    Recipe recipe = read.recipe("card-router").orElseThrow();
    assertThat(recipe.method()).isEqualTo(Recipe.Method.LORA);
    assertThat(recipe.learningRate()).isEqualTo(0.003);
    assertThat(recipe.clipNorm()).as("a default").isEqualTo(1.0);
    assertThat(recipe.precision()).isEqualTo(Recipe.Precision.BF16);
    assertThat(read.recipe("cards").orElseThrow().precision())
        .as("a default")
        .isEqualTo(Recipe.Precision.FP32);
    CapabilityDeclaration facts = read.capability("card-facts");
    assertThat(facts.scorer().kind()).isEqualTo(ScorerKind.JSON);
    assertThat(facts.scorer().maxNewTokens()).isEqualTo(12);
    assertThat(facts.scorer().schema()).isNotNull();
    assertThat(facts.slices()).isEqualTo(new SlicePolicy(List.of("intent"), 0.4, 3));
    Line desk = read.line("card-desk");
    assertThat(desk.tier()).isEqualTo(Tier.APPLICATION);
    assertThat(desk.application().userTurn("hello")).isEqualTo("Customer: hello");
    assertThat(read.warnings()).isEmpty();
    assertThat(read.suites(directory)).containsOnlyKeys("language", "card-facts", "card-flow");
  }

  @Test
  void contractsAreInheritedUnlessTheySayOtherwise() {
    Declaration read = parse(VALID);
    assertThat(read.contract("cards").capabilities()).containsExactly("language", "card-facts");
    assertThat(read.contract("cards").budgets()).isEqualTo(new Budgets(50.0, 500.0));
    assertThat(read.contract("card-router").capabilities()).containsExactly("card-facts");
    assertThat(read.contract("card-router").budgets().isEmpty()).isTrue();
    assertThat(read.contract("card-desk").capabilities())
        .containsExactly("card-facts", "card-flow");
  }

  private HeadroomPolicy headroom(String base, String cards, String line) {
    return parse(
            VALID
                .replace("max-size-mb: 50 }", "max-size-mb: 50 }" + base)
                .replace("max-ms-per-item: 500 }", "max-ms-per-item: 500 }" + cards))
        .contract(line)
        .headroom();
  }

  @Test
  void headroomIsMeasuredWhereAContractAsksForItAndInheritedLikeTheRest() {
    assertThat(headroom("", "", "cards")).isNull();
    assertThat(headroom(", headroom: {}", "", "cards")).isEqualTo(HeadroomPolicy.DEFAULT);
    assertThat(HeadroomPolicy.DEFAULT.floor()).isEqualTo(0.9);
    assertThat(headroom(", headroom: {}", "", "card-router")).as("inherits nothing").isNull();
    assertThat(
            headroom(
                ", headroom: {}",
                ", headroom: { floor: 0.8, tasks: 2, seeds: 4, steps: 30, learning-rate: 0.01 }",
                "cards"))
        .isEqualTo(new HeadroomPolicy(0.8, 2, 4, 30, 0.01));
    assertThat(headroom(", headroom: {}", ", headroom: false", "cards").on()).isFalse();
    for (String own : List.of("{ floor: 0.8 }", "false")) {
      Declaration read =
          parse(VALID.replace("max-size-mb: 50 }", "max-size-mb: 50 }, headroom: " + own));
      assertThat(parse(read.yaml())).isEqualTo(read);
    }
  }

  @Test
  void theTreeIsWalkedBothWays() {
    Declaration read = parse(VALID);
    assertThat(read.children("cards")).extracting(Line::name).containsExactly("card-router");
    assertThat(read.descendants("base"))
        .extracting(Line::name)
        .containsExactly("cards", "card-router", "card-desk");
    assertThat(read.ancestors("card-desk"))
        .extracting(Line::name)
        .containsExactly("base", "cards", "card-router");
  }

  @Test
  void unknownNamesAreAnsweredWithTheNearestKnown() {
    Declaration read = parse(VALID);
    assertThat(catchThrowableOfType(IllegalArgumentException.class, () -> read.line("crads")))
        .hasMessageContaining("did you mean 'cards'?");
    assertThat(
            catchThrowableOfType(IllegalArgumentException.class, () -> read.capability("xyzzyqwe")))
        .hasMessageContaining("the capabilities are card-facts, card-flow, language");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          recipes:                | recipies:                | ecosystem.yaml:8:1: ecosystem: unknown field 'recipies'; did you mean 'recipes'?
          batch-rows: 32          | batch_rows: 32           | ecosystem.yaml:9:42: recipe 'cards-sft': unknown field 'batch_rows'; did you mean 'batch-rows'?
          chunk: 25               | chunk: many              | ecosystem.yaml:4:10: policy: 'chunk' must be a whole number from 1 to 100000, not 'many'
          chunk: 25               | chunk: 2.5               | ecosystem.yaml:4:10: policy: 'chunk' must be a whole number from 1 to 100000, not the number 2.5
          alpha: 0.05             | alpha: 0.7               | ecosystem.yaml:3:10: policy: 'alpha' must be a number above 0 and at most 0.5, not the number 0.7
          seed: 1                 | seed: 1e99               | must be a whole number
          [candidate, stable]     | [stable, candidate]      | ecosystem.yaml:6:11: policy: stages must be in the order
          [candidate, stable]     | [candidate, stabel]      | ecosystem.yaml:6:23: policy: no stage 'stabel'; did you mean 'stable'?
          [candidate, stable]     | stable                   | ecosystem.yaml:6:11: policy: 'stages' must be a list, such as [a, b], not 'stable'
          [retrain]               | [retrian]                | ecosystem.yaml:7:13: policy: no decision point 'retrian'; did you mean 'retrain'?
          method: full            | method: ful              | ecosystem.yaml:9:24: recipe 'cards-sft': no method 'ful'; did you mean 'full'?
          `method: full, `        | ``                       | recipe 'cards-sft': 'method' is missing
          steps: 200              | steps: 200, precision: bf15 | recipe 'cards-sft': no precision 'bf15'; did you mean 'bf16'?
          steps: 200              | steps: 0                 | 'steps' must be a whole number from 1
          learning-rate: 0.001    | learning-rate: 11        | ecosystem.yaml:9:14: recipe 'cards-sft': recipe: learning-rate must be in (0, 10): 11.0
          `learning-rate: 0.001,` | ``                       | recipe 'cards-sft': 'learning-rate' is missing; its peak, such as 0.001
          replay-share: 0.25      | replay-share: 0.25, protect: { rehearse: 1 } | recipe: replay-share or protect: { rehearse
          replay-share: 0.25      | protect: { rehearse: 0 } | 'rehearse' must be a number above 0
          replay-share: 0.25      | replay-share: 1.0        | recipe: replay-share must be in [0, 1): 1.0
          `method: full,`         | `method: lora,`          | recipe 'cards-sft': recipe: lora: goes with method lora, and only there
          rank: 8                 | rank: 0                  | recipe 'router-lora', lora: 'rank' must be a whole number
          alpha: 16 }             | alpha: 16, targets: [q] } | recipe 'router-lora': no target 'q'
          alpha: 16 }             | alpha: 16, dora: 3 }     | recipe 'router-lora', lora: 'dora' must be
          alpha: 16 }             | alpha: 16, rank-pattern: { q_proj: 0 } } | recipe 'router-lora', lora, rank-pattern: 'q_proj' must be a whole number
          alpha: 16 }             | alpha: 16, alpha-pattern: { q_proj: -1 } } | recipe 'router-lora', lora, alpha-pattern: 'q_proj' must be a number above 0
          alpha: 16 }             | alpha: 16, saved-modules: [embed_token] } | recipe 'router-lora': no module 'embed_token' to save whole; did you mean 'embed_tokens'?
          owner: cards-team       | ownr: cards-team         | ecosystem.yaml:14:5: capability 'card-facts': unknown field 'ownr'; did you mean 'owner'?
          owner: cards-team       | owner: [a]               | ecosystem.yaml:14:12: capability 'card-facts': 'owner' must be a text, not a list
          scorer: likelihood      | scorer: likelyhood       | no scorer 'likelyhood'; did you mean 'likelihood'?
          `scorer: likelihood,`   | ``                       | capability 'language': 'scorer' is missing; one of exact-match, choice, numeric, json, likelihood, byte-likelihood
          suites/language.jsonl   | suites/languag.jsonl     | capability 'language': suite: no such file:
          suites/language.jsonl   | suites                   | capability 'language': suite: not a file:
          suites/language.jsonl   | ../language.jsonl        | leaves the ecosystem's directory
          suites/language.jsonl   | /etc/passwd              | leaves the ecosystem's directory
          schemas/fact.json       | apps/card-desk.yaml      | capability 'card-facts': apps/card-desk.yaml:1:
          scorer: json            | scorer: exact-match      | a schema goes with scorer json, not exact-match
          margin: 0.1             | margin: 1                | ecosystem.yaml:19:13: capability 'card-facts': 'margin' must be a number above 0 and below 1, not the number 1
          margin: 0.1             | margin: 0                | 'margin' must be a number above 0 and below 1, not the number 0
          margin: 0.1             | margin: .nan             | 'margin' must be a number above 0 and below 1
          floor: 0.5              | floor: 1.5               | 'floor' must be a number from 0 to 1, not the number 1.5
          margin: 0.4             | margin: 2                | capability 'card-facts', slices: 'margin' must be a number above 0 and below 1
          `by: [intent],`         | ``                       | capability 'card-facts', slices: 'by' is missing
          parent: base            | parent: bsae             | ecosystem.yaml:26:38: line 'cards': no line 'bsae' to be its parent; did you mean 'base'?
          `parent: base, `        | ``                       | line 'cards': 'parent' is missing
          tier: foundation        | tier: foundation, parent: cards | line 'base': a foundation is built on nothing
          tier: foundation        | tier: foundations        | line 'base': no tier 'foundations'; did you mean 'foundation'?
          tier: industrial        | tier: application-model  | line 'card-router': of tier application-model cannot be built on 'cards' of tier application-model
          parent: base            | parent: card-desk        | line 'cards': of tier industrial cannot be built on 'card-desk' of tier application
          recipe: cards-sft       | recipe: cards-stf        | line 'cards': no recipe 'cards-stf'; did you mean 'cards-sft'?
          recipe: cards-sft       | recipe: router-lora      | line 'cards': recipe 'router-lora' has method lora, which makes adapters
          tier: application,      | tier: application, recipe: cards-sft, | line 'card-desk': an application is not trained
          `application: apps/card-desk.yaml,` | ``           | line 'card-desk': 'application' is missing
          tier: foundation        | tier: foundation, application: apps/card-desk.yaml | line 'base': only a line of tier application has an application file
          [language]              | [languages]              | line 'base': no capability 'languages'; did you mean 'language'?
          [language]              | [language, language]     | line 'base', contract: 'language' is twice in 'capabilities'
          max-size-mb: 50         | max-size-mb: -1          | line 'base', budgets: 'max-size-mb' must be a number above 0
          max-size-mb: 50         | max-size: 50             | line 'base', budgets: unknown field 'max-size'; did you mean 'max-size-mb'?
          max-size-mb: 50         | max-size-mb: 50 }, headroom: { floor: 2 | line 'base', headroom: 'floor' must be a number from 0 to 1
          max-size-mb: 50         | max-size-mb: 50 }, headroom: { seeds: 2 | line 'base', headroom: 'seeds' must be a whole number from 3 to 100
          max-size-mb: 50         | max-size-mb: 50 }, headroom: { flor: 1 | line 'base', headroom: unknown field 'flor'; did you mean 'floor'?
          inherit: false          | inherit: false, headroom: yes | line 'card-router', contract: 'headroom' must be a mapping of names to values
          inherit: false          | inherit: no thanks       | line 'card-router', contract: 'inherit' must be true or false, not 'no thanks'
          name: bank-help-desk    | name: Bank               | 'Bank' cannot be the name of a name
          `  base:`               | `  Base Line:`           | 'Base Line' cannot be the name of a line
          `  cards:`              | `  base:`                | ecosystem.yaml:26:3: 'base' is here twice; the first is at line 25
          """)
  void eachMistakeIsNamedWhereItStands(String part, String replacement, String expected) {
    assertThat(problems(part, replacement == null ? "" : replacement))
        .anySatisfy(problem -> assertThat(problem).contains(expected));
  }

  @Test
  void everythingWrongIsToldAtOnceInTheOrderOfTheFile() {
    List<String> all =
        problems(
            VALID
                .replace("chunk: 25", "chunk: 0")
                .replace("scorer: likelihood", "scorer: guess")
                .replace("parent: base", "parent: nobody"));
    assertThat(all).hasSize(3);
    assertThat(all.get(0)).startsWith("ecosystem.yaml:4:");
    assertThat(all.get(1)).startsWith("ecosystem.yaml:12:");
    assertThat(all.get(2)).startsWith("ecosystem.yaml:26:");
  }

  @Test
  void aCycleIsPrintedOnce() {
    List<String> all =
        problems(
            """
            name: rings
            lines:
              base: { tier: foundation }
              a: { tier: industrial, parent: c }
              b: { tier: industrial, parent: a }
              c: { tier: industrial, parent: b }
              d: { tier: industrial, parent: c }
              e: { tier: industrial, parent: e }
            """);
    assertThat(all)
        .containsExactly(
            "ecosystem.yaml:4:34: these lines are built on each other in a circle:"
                + " a -> c -> b -> a; one of them needs another parent",
            "ecosystem.yaml:8:34: these lines are built on each other in a circle:"
                + " e -> e; one of them needs another parent");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          `a: [1, 2`            | ecosystem.yaml:1:9: malformed YAML:
          `a: b: c`             | ecosystem.yaml:1:5: malformed YAML: mapping values are not allowed here
          `a:\\n\\tb: 1`        | ecosystem.yaml:2:1: malformed YAML: found character '\\t(TAB)' that cannot start any token
          `- a\\n- b`           | ecosystem.yaml:1:1: must be a mapping with the fields name, store, artifacts, policy
          `just text`           | ecosystem.yaml:1:1: must be a mapping
          ``                    | ecosystem.yaml: is empty
          `# only a comment`    | ecosystem.yaml: is empty
          `name: a\\n---\\nname: b` | ecosystem.yaml:3:1: a second document begins here
          `name: &x a\\nlines: *x` | ecosystem.yaml:2:8: anchors (&) and aliases (*) are not read
          `name: !!int 3`       | tags (!) are not read
          `name: a\\nlines: {}` | 'lines' is missing
          `name: a`             | 'lines' is missing
          `name: a\\nartifacts: s3://K:secret@b/x` | artifacts: an object store is written s3://BUCKET/PREFIX
          `name: a\\nartifacts: /mnt/x` | artifacts: artifacts lie in 'local'
          `lines: { base: { tier: foundation } }` | 'name' is missing
          `name: a\\nlines: { base: foundation }` | ecosystem.yaml:2:16: ecosystem: 'base' must be a mapping of names to values, not 'foundation'
          """)
  void whatIsNotADeclarationIsRefused(String yaml, String expected) {
    String text = yaml == null ? "" : yaml.replace("\\n", "\n").replace("\\t", "\t");
    assertThat(problems(text).toString()).contains(expected);
  }

  @Test
  void anAliasBombAndDeepNestingAndAHugeFileAreRefusedBeforeTheyGrow() {
    StringBuilder bomb = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 12; i++) {
      String before = "*a" + (i - 1);
      bomb.append("a" + i + ": &a" + i + " [" + (before + ", ").repeat(8) + before + "]\n");
    }
    assertThat(problems(bomb.toString())).singleElement().asString().contains("anchors");
    assertThat(problems("a: " + "[".repeat(3000))).singleElement().asString().contains("deep");
    assertThat(problems("a: " + "x".repeat(2 << 20)))
        .singleElement()
        .asString()
        .contains("larger than 1024 KiB");
  }

  @Test
  void aWrongApplicationFileIsNamedItself() throws IOException {
    write("apps/card-desk.yaml", "sytem: x\nprompt: no place\nmax-new-tokens: 0\n");
    assertThat(problems(VALID))
        .anySatisfy(
            p ->
                assertThat(p)
                    .contains("card-desk.yaml:1:1: application: unknown field 'sytem'")
                    .contains("did you mean 'system'?"))
        .anySatisfy(p -> assertThat(p).contains("card-desk.yaml:3:17: application:"));
    write("apps/card-desk.yaml", "prompt: no place\n");
    assertThat(problems(VALID)).singleElement().asString().contains("must contain {input}");
    write("apps/card-desk.yaml", "prompt: [\n");
    assertThat(problems(VALID))
        .singleElement()
        .asString()
        .contains("card-desk.yaml:2:1: malformed");
  }

  @Test
  void anApplicationMaySayWhatElseMayBeTriedOfIt() throws IOException {
    write(
        "apps/card-desk.yaml",
        """
        prompt: 'Customer: {input}'
        max-new-tokens: 8
        examples: [{ input: 'is it lost?', answer: yes it is }]
        search:
          prompts: ['{input}', 'Q: {input}']
          systems: [Be brief.]
          examples: [{ input: 'fees?', answer: '2' }, { input: 'limits?', answer: '9' }]
          shots: [0, 2]
          share: 0.2
        """);
    Line desk = parse(VALID).line("card-desk");
    Application declared = desk.application();
    assertThat(declared.examples())
        .containsExactly(new Application.Example("is it lost?", "yes it is"));
    assertThat(desk.search().items(100)).isEqualTo(20);
    assertThat(desk.search().items(10_000)).as("a search needs no more").isEqualTo(60);
    List<Application> candidates = desk.search().candidates(declared, declared);
    assertThat(candidates).hasSize(3 * 2 * 3).doesNotHaveDuplicates();
    assertThat(candidates.get(0)).isEqualTo(declared);
    assertThat(candidates).extracting(c -> c.examples().size()).contains(0, 1, 2);
    Application found = new Application("Else.", "Else {input}", List.of(), 3, 0);
    assertThat(desk.search().candidates(found, declared))
        .startsWith(found, declared)
        .hasSize(candidates.size() + 1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          search: { prompt: [a] }                       | card-desk.yaml:2:11: search: unknown field 'prompt'; did you mean 'prompts'?
          search: { temperature: [0.5] }                | card-desk.yaml:2:11: search: unknown field 'temperature'
          search: { prompts: [no place] }               | card-desk.yaml:2:21: search: the prompt 'no place' must contain {input}
          search: { prompts: '{input}' }                | card-desk.yaml:2:20: search: 'prompts' must be a list
          search: { prompts: ['a {input}', 'a {input}'] } | card-desk.yaml:2:34: search: 'a {input}' is twice in 'prompts'
          search: [a]                                   | card-desk.yaml:2:9: application: 'search' must be a mapping
          search: {}                                    | card-desk.yaml:2:9: search: nothing to try beside what the application says
          search: { prompts: ['Customer: {input}'] }    | card-desk.yaml:2:9: search: nothing to try beside
          search: { shots: [1] }                        | search: 'shots' says how many of 'examples', which is missing
          search: { examples: [{ input: a, answer: b }], shots: [2] } | card-desk.yaml:2:56: search: 'shots' must be a list of numbers that are whole, from 0 to 1
          search: { examples: [{ input: a }] }          | card-desk.yaml:2:22: search: example: 'answer' is missing
          search: { examples: [a] }                     | card-desk.yaml:2:22: search: 'examples' must be a list of mappings
          search: { max-new-tokens: [0] }               | card-desk.yaml:2:28: search: 'max-new-tokens' must be a list of numbers that are whole, from 1 to 100000
          search: { max-new-tokens: [4.5] }             | card-desk.yaml:2:28: search: 'max-new-tokens' must be
          search: { prompts: ['{input}'], share: 0.9 }  | card-desk.yaml:2:40: search: 'share' must be a number above 0 and at most 0.5
          search: { max-new-tokens: [1, 2, 3, 4, 5], systems: [a, b, c, d] } | card-desk.yaml:2:9: search: these make 30 combinations, at most 24 are searched
          examples: [{ input: a, anwser: b }]           | card-desk.yaml:2:24: application: example: unknown field 'anwser'
          """)
  void aSearchThatCannotBeIsRefused(String search, String expected) throws IOException {
    write("apps/card-desk.yaml", "prompt: 'Customer: {input}'\n" + search + "\n");
    assertThat(problems(VALID).toString()).contains(expected);
  }

  @Test
  void aMissingOrUnreadableFileSaysWhatToDo() throws IOException {
    DeclarationException none =
        catchThrowableOfType(DeclarationException.class, () -> Declaration.load(directory));
    assertThat(none).hasMessageContaining("no such file; cambium init");
    Files.write(directory.resolve(Declaration.FILE), new byte[] {'a', ':', ' ', (byte) 0xE9});
    DeclarationException latin =
        catchThrowableOfType(DeclarationException.class, () -> Declaration.load(directory));
    assertThat(latin).hasMessageContaining("is not UTF-8");
  }

  @Test
  void whatIsProbablyNotMeantIsAWarning() {
    Declaration read =
        parse(
            VALID
                .replace("scorer: likelihood, floor: 0.1", "scorer: likelihood")
                .replace("capabilities: [card-flow]", "inherit: false")
                .replace(", recipe: router-lora", ""));
    assertThat(read.warnings().stream().map(Problem::message))
        .anySatisfy(w -> assertThat(w).contains("capability 'language': has no floor"))
        .anySatisfy(w -> assertThat(w).contains("line 'card-desk': its contract names no capab"))
        .anySatisfy(w -> assertThat(w).contains("line 'card-router': has no recipe"))
        .anySatisfy(w -> assertThat(w).contains("capability 'card-flow': no contract names it"))
        .hasSize(4);
  }

  @Test
  void suitesAreCheckedForTheirScorersAllAtOnce() throws IOException {
    write("suites/language.jsonl", "\n");
    write("suites/card-facts.jsonl", "{\"prompt\":\"fee?\",\"answer\":\"two\"}\n");
    Declaration read = parse(VALID);
    assertThat(catchThrowableOfType(DataException.class, () -> read.suites(directory)))
        .hasMessageContaining("capability 'language'")
        .hasMessageContaining("holds no items")
        .hasMessageContaining("capability 'card-facts'")
        .hasMessageContaining("row 1, answer: the json scorer needs JSON, not 'two'");

    write("suites/language.jsonl", "{\"text\":\"x\"}\n");
    write("suites/card-facts.jsonl", "{\"prompt\":\"fee?\",\"answer\":\"2\"}\n");
    assertThat(catchThrowableOfType(DataException.class, () -> read.suites(directory)))
        .hasMessageContaining("no item has the tag 'intent'");
  }

  @Test
  void theWrittenFormReadsBackEqual() {
    Declaration read = parse(VALID);
    assertThat(parse(read.yaml())).isEqualTo(read);
  }

  private static final String MERGED =
      """
      name: merged
      recipes:
        sft: { method: full, steps: 2, batch-rows: 4, max-tokens: 64, learning-rate: 0.001 }
      lines:
        both: { tier: industrial, parent: base, merge: { from: [cards, loans], method: ties, weights: { loans: 0.5 }, density: 0.2 } }
        base: { tier: foundation }
        cards: { tier: industrial, parent: base, recipe: sft }
        loans: { tier: industrial, parent: base, recipe: sft }
        helper: { tier: application-model, parent: both }
      """;

  @Test
  void aLineMayBeMergedFromOthers() {
    Declaration read = parse(MERGED);
    assertThat(read.lines().keySet()).containsExactly("base", "cards", "loans", "both", "helper");
    assertThat(read.line("both").merge())
        .isEqualTo(
            new Merging(
                List.of("cards", "loans"), new MergeMethod.Ties(List.of(1.0, 0.5), 0.2, 1)));
    assertThat(read.line("both").above()).containsExactly("base", "cards", "loans");
    assertThat(read.descendants("cards")).extracting(Line::name).containsExactly("both", "helper");
    assertThat(parse(read.yaml()).lines()).isEqualTo(read.lines());
    for (String method :
        List.of(
            "linear",
            "slerp, share: 0.3",
            "task",
            "dare, density: 0.1, seed: 9",
            "regmean, off-diagonal: 0.5, tokens: 100")) {
      Declaration other =
          parse(
              MERGED.replace(
                  "method: ties, weights: { loans: 0.5 }, density: 0.2", "method: " + method));
      assertThat(parse(other.yaml()).lines()).isEqualTo(other.lines());
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          density: 0.2 | density: 2 | 5:122: line 'both', merge: 'density' must be a number above 0 and at most 1, not the number 2
          density: 0.2 | share: 0.2 | 5:120: line 'both', merge: method ties has no 'share'; it has weights, density, scale
          density: 0.2 | densty: 0.2 | 5:113: line 'both', merge: unknown field 'densty'; did you mean 'density'?
          method: ties | method: tie | 5:82: line 'both', merge: no method 'tie'; did you mean 'ties'?
          loans: 0.5 | lons: 0.5 | 5:99: line 'both', merge, weights: unknown field 'lons'; did you mean 'loans'?
          loans: 0.5 | loans: -1 | 5:97: line 'both', merge: weights must be positive: [1.0, -1.0]
          [cards, loans] | [cards, lons] | 5:66: line 'both', merge: no line 'lons'; did you mean 'loans'?
          [cards, loans] | [cards, both] | 5:66: line 'both', merge: a line cannot be merged from itself
          [cards, loans] | [cards, base] | 5:66: line 'both', merge: 'base' is built on nothing, this line on 'base'
          [cards, loans] | [cards, helper] | 5:66: line 'both', merge: 'helper' is built on 'both', this line on 'base'
          [cards, loans] | [cards] | 5:58: line 'both', merge: names fewer than two lines
          base, merge | base, recipe: sft, merge | 5:51: line 'both': a line that is made by merging is not trained
          from: [cards, loans], | `` | 5:50: line 'both', merge: 'from' is missing; the lines to merge
          method: ties, | `` | 5:50: line 'both', merge: 'method' is missing; one of dare, linear, regmean
          """)
  void aWrongMergeIsNamedWithItsPlace(String found, String instead, String expected) {
    assertThat(MERGED).contains(found);
    assertThat(problems(MERGED.replace(found, instead == null ? "" : instead)))
        .anySatisfy(problem -> assertThat(problem).startsWith("ecosystem.yaml:" + expected));
  }

  @Test
  void linesMergedFromEachOtherAreACircle() {
    String circle =
        MERGED.replace(
            "loans: { tier: industrial, parent: base, recipe: sft }",
            "loans: { tier: industrial, parent: base, merge: { from: [cards, both], method: linear } }");
    assertThat(problems(circle))
        .singleElement()
        .asString()
        .contains("in a circle: both -> loans -> both");
  }
}
