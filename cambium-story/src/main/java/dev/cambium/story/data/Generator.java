package dev.cambium.story.data;

import dev.cambium.model.Application;
import dev.cambium.model.Item;
import dev.cambium.model.Row;
import dev.cambium.model.Scorer;
import dev.cambium.model.ScorerKind;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * The demo's data. The same seed and scale give the same rows and items, to the byte, in whatever
 * order the sets are asked for; another seed gives another bank, with other rules, card numbers and
 * sentences.
 *
 * <p>Training rows and suite items never share a wording: each intent, rule and tool has patterns
 * for training and patterns for measuring, the openers differ, and for payment forms the pairs of
 * amount and name differ too.
 */
public final class Generator {

  private static final String INTENT_PROMPT = "intent: {input}";
  private static final String ROUTE_PROMPT = "route: {input}";

  private final long seed;
  private final Scale scale;
  private final Bank bank;

  private Generator(long seed, Scale scale) {
    this.seed = seed;
    this.scale = scale;
    this.bank = new Bank(seed);
  }

  /** The generator of a seed. */
  public static Generator of(long seed, Scale scale) {
    return new Generator(seed, scale);
  }

  /**
   * The foundation: plain text and transcripts to pre-train on, and items on copying, sums and
   * counting. Transcripts are conversations, so that the foundation knows the chat form of its
   * template.
   */
  public DataSet foundation(Edition edition) {
    FoundationText text = new FoundationText(bank, edition);
    return new DataSet(
        FoundationText.NAME,
        text.rows(chance("text " + edition), scale.textRows(edition)),
        text.items(chance("basics test"), scale.testItems()),
        scorer(ScorerKind.EXACT_MATCH, 16));
  }

  /** Industrial model {@code cards}: utterance to intent, ten intents. */
  public DataSet cardIntents() {
    return intents("card-intents", INTENT_PROMPT, Phrases.CARDS, Intent::label);
  }

  /** Industrial model {@code cards}: fee, limit, delivery and age of eight cards. */
  public DataSet cardRules() {
    return rules("card-rules", "cards");
  }

  /** Industrial model {@code payments}: utterance to intent, ten intents. */
  public DataSet paymentIntents() {
    return intents("payment-intents", INTENT_PROMPT, Phrases.PAYMENTS, Intent::label);
  }

  /** Industrial model {@code payments}: fee, limit, time and minimum of eight transfers. */
  public DataSet paymentRules() {
    return rules("payment-rules", "payments");
  }

  /** Application model on {@code cards}: utterance to intent and the desk that handles it. */
  public DataSet cardRouting() {
    return intents("card-routing", ROUTE_PROMPT, Phrases.CARDS, Intent::route);
  }

  /** Application model on {@code payments}: utterance to intent and the desk that handles it. */
  public DataSet paymentRouting() {
    return intents("payment-routing", ROUTE_PROMPT, Phrases.PAYMENTS, Intent::route);
  }

  /** Application model on {@code payments}: payment order to JSON. */
  public DataSet paymentSlots() {
    return new DataSet(
        FormTask.NAME,
        FormTask.rows(chance("slots"), scale.trainRows()),
        FormTask.items(chance("slots test"), scale.testItems(), FormTask.PROMPT, "slots-test"),
        scorer(ScorerKind.JSON, 32));
  }

  /** Application model on {@code payments}: sums of two amounts, both at most 9. */
  public DataSet paymentSums() {
    return new DataSet(
        SumTask.NAME,
        SumTask.rows(chance("sums"), scale.trainRows()),
        SumTask.items(chance("sums test"), scale.testItems()),
        scorer(ScorerKind.NUMERIC, 8));
  }

  /** Application model on {@code cards}: wish to tool call, five tools. */
  public DataSet cardCalls() {
    return new DataSet(
        CallTask.NAME,
        CallTask.rows(chance("calls"), bank, scale.trainRows()),
        CallTask.items(
            chance("calls test"), bank, scale.testItems(), CallTask.PROMPT, "calls-test"),
        scorer(ScorerKind.EXACT_MATCH, 24));
  }

  /** Application on the model of {@link #cardRouting}. */
  public AppSet cardDesk() {
    IntentTask task = new IntentTask("card-desk", ROUTE_PROMPT, Phrases.CARDS, Intent::route);
    return new AppSet(
        task.name(),
        application(ROUTE_PROMPT, 16),
        task.bareItems(chance("card-desk test"), scale.testItems(), "card-desk"),
        scorer(ScorerKind.EXACT_MATCH, 16));
  }

  /** Application on the model of {@link #paymentSlots}. */
  public AppSet paymentForm() {
    return new AppSet(
        "payment-form",
        application(FormTask.PROMPT, 32),
        FormTask.items(chance("payment-form test"), scale.testItems(), "{input}", "form"),
        scorer(ScorerKind.JSON, 32));
  }

  /** Application on the model of {@link #cardCalls}. */
  public AppSet actionDesk() {
    return new AppSet(
        "action-desk",
        application(CallTask.PROMPT, 24),
        CallTask.items(chance("action-desk test"), bank, scale.testItems(), "{input}", "action"),
        scorer(ScorerKind.EXACT_MATCH, 24));
  }

  /** What the new data of wave 1 changes in the bank's rules. */
  public List<RuleChange> ruleChanges() {
    return bank.changes();
  }

  /**
   * Wave 1, for {@code cards}: three new intents and the changed rules. The suites keep every old
   * item whose answer still holds, give the others their new answer, and add items for the new
   * intents.
   */
  public Drop newCardData() {
    IntentTask task =
        new IntentTask("card-intents", INTENT_PROMPT, Phrases.NEW_CARDS, Intent::label);
    int changed = scale.dropRows() / 4;
    List<Row> rows =
        new ArrayList<>(
            task.rows(chance("new intents"), scale.dropRows() - changed, "new-intents"));
    List<Bank.Rule> rules =
        bank.rules("cards").stream()
            .filter(r -> !bank.changed(r).equals(r))
            .map(bank::changed)
            .toList();
    rows.addAll(
        new RuleTask("card-rules", "cards").rows(chance("new rules"), rules, changed, "new-rules"));

    DataSet oldIntents = cardIntents();
    List<Item> intentItems = new ArrayList<>(oldIntents.test());
    int added = scale.testItems() * Phrases.NEW_CARDS.size() / Phrases.CARDS.size();
    intentItems.addAll(task.items(chance("new intents test"), added, "card-intents-new"));

    DataSet oldRules = cardRules();
    List<Item> ruleItems = oldRules.test().stream().map(this::afterChange).toList();

    return new Drop(
        "cards-new-intents-and-rules",
        chance("new cards order").shuffled(rows),
        List.of(
            new DataSet(
                oldIntents.name(),
                oldIntents.train(),
                chance("new intents suite").shuffled(intentItems),
                oldIntents.scorer()),
            new DataSet(oldRules.name(), oldRules.train(), ruleItems, oldRules.scorer())));
  }

  private Item afterChange(Item item) {
    for (RuleChange change : bank.changes()) {
      if ((change.product() + "-" + change.attribute()).equals(item.tags().get("rule"))) {
        TreeMap<String, String> tags = new TreeMap<>(item.tags());
        tags.put("changed", "yes");
        return new Item(
            item.id(), item.text(), item.messages(), change.after(), item.choices(), tags);
      }
    }
    return item;
  }

  /**
   * Wave 2, for {@code cards}: a poisoned drop. Half of it is sound; in the other half everybody
   * who lost a card is said to ask for the limit.
   */
  public Drop poisonedCardData() {
    int half = scale.dropRows() / 2;
    List<Intent> known = new ArrayList<>(Phrases.CARDS);
    known.removeIf(i -> i.label().equals("card-lost"));
    known.addAll(Phrases.NEW_CARDS);
    List<Row> rows =
        new ArrayList<>(
            new IntentTask("card-intents", INTENT_PROMPT, known, Intent::label)
                .rows(chance("sound rows"), half, "desk-log-a"));
    Intent lost = intent("card-lost");
    Intent limit = intent("card-limit");
    Intent poison = new Intent(limit.label(), limit.desk(), lost.train(), lost.test());
    rows.addAll(
        new IntentTask("card-intents", INTENT_PROMPT, List.of(poison), Intent::label)
            .rows(chance("poisoned rows"), half, "desk-log-b"));
    return new Drop("cards-desk-log", chance("desk log order").shuffled(rows), List.of());
  }

  private static Intent intent(String label) {
    return Phrases.CARDS.stream()
        .filter(i -> i.label().equals(label))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no intent " + label));
  }

  private DataSet intents(
      String name, String prompt, List<Intent> intents, Function<Intent, String> label) {
    IntentTask task = new IntentTask(name, prompt, intents, label);
    return new DataSet(
        name,
        task.rows(chance(name), scale.trainRows(), name),
        task.items(chance(name + " test"), scale.testItems(), name + "-test"),
        scorer(ScorerKind.EXACT_MATCH, 16));
  }

  private DataSet rules(String name, String desk) {
    RuleTask task = new RuleTask(name, desk);
    List<Bank.Rule> rules = bank.rules(desk);
    return new DataSet(
        name,
        task.rows(chance(name), rules, scale.trainRows(), name),
        task.items(chance(name + " test"), rules, scale.testItems(), name + "-test"),
        scorer(ScorerKind.EXACT_MATCH, 16));
  }

  private static Application application(String prompt, int maxNewTokens) {
    return new Application(null, prompt, List.of(), maxNewTokens, 0);
  }

  private static Scorer scorer(ScorerKind kind, int maxNewTokens) {
    return new Scorer(kind, maxNewTokens, null);
  }

  private Chance chance(String what) {
    return Chance.of(seed, what);
  }
}
