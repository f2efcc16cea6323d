import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Turns CLINC150, Banking77 and GSM8K into what a bank would give to a model that it has: training
 * rows per line, a suite per capability, an application file, and further text for the foundation.
 *
 * <p>Training rows come from the data sets' training files only, suites from their test files only
 * (GSM8K: the last questions of its training file, which no text contains). Everything is ordered
 * by a hash of its words, so the same input gives the same files.
 *
 * <pre>  Prepare DATA OUT</pre>
 */
final class Prepare {

  /** Items per intent of the industrial model's suite, which asks for more than eighty. */
  private static final int HELP_DESK_ITEMS = 2;

  private static final int CLINC_ITEMS = 10;
  private static final int BANK_ITEMS = 10;
  private static final int DESK_ITEMS = 6;
  private static final int MONEY_ITEMS = 150;

  /** Of each kind: probabilities of texts differ much, and a gate should come to a decision. */
  private static final int LANGUAGE_ITEMS = 180;

  private static final int SUMS = 600;
  private static final int SUMS_HELD_BACK = 40;

  private static final String CARD_FRAME = "A customer asks about a card: {input}";

  private final DataSets data;
  private final Rows rows;

  private Prepare(DataSets data, Rows rows) {
    this.data = data;
    this.rows = rows;
  }

  public static void main(String[] args) throws IOException {
    if (args.length != 2) {
      System.err.println("usage: Prepare DATA OUT");
      System.exit(2);
    }
    new Prepare(DataSets.read(Path.of(args[0])), new Rows(Path.of(args[1]))).write();
  }

  private void write() throws IOException {
    foundation();
    helpDesk();
    for (String wave : List.of("", "wave-1/")) {
      bank(wave, wave.isEmpty() ? "" : "n");
    }
    clinc("accounts", "a", "banking");
    clinc("credit-cards", "k", "credit_cards");
    money();
    rows.file("apps/card-desk.yaml", "prompt: '" + CARD_FRAME + "'\nmax-new-tokens: 16\n");
  }

  // ---- the foundation ---------------------------------------------------------------------------

  /**
   * Further text for version 2: sums as text and as conversations, what customers write. And what
   * no version may lose: how likely it finds text and answers that it has not read.
   */
  private void foundation() throws IOException {
    List<ObjectNode> text = new ArrayList<>();
    for (DataSets.Sum sum : data.sums.subList(0, SUMS)) {
      text.add(Rows.row(sum.question(), sum.answer(), Map.of()));
    }
    for (DataSets.Sum sum : data.sums.subList(SUMS, 2 * SUMS)) {
      DataSets.pieces(sum.text()).forEach(piece -> text.add(Rows.text(piece)));
    }
    Pick.some(data.bankTrain, 1000).forEach(u -> text.add(Rows.text(u.text())));
    rows.write("text/v2.jsonl", "u", text);

    List<DataSets.Sum> unread =
        data.sums.subList(data.sums.size() - SUMS_HELD_BACK, data.sums.size());
    List<Utterance> said = new ArrayList<>();
    data.clincTest.values().forEach(said::addAll);
    List<ObjectNode> language = new ArrayList<>();
    Pick.some(said, LANGUAGE_ITEMS).forEach(u -> language.add(language(u.text(), "clinc")));
    Pick.some(data.bankTest, LANGUAGE_ITEMS).forEach(u -> language.add(language(u.text(), "bank")));
    unread.forEach(sum -> language.add(language(DataSets.pieces(sum.text()).get(0), "sums")));
    rows.items("suites/language.jsonl", "l", language);
    rows.items(
        "suites/conversation.jsonl",
        "t",
        unread.stream().map(sum -> Rows.item(sum.question(), sum.answer(), Map.of())).toList());
  }

  private static ObjectNode language(String text, String kind) {
    return Rows.tagged(Rows.text(text), Map.of("text", kind));
  }

  // ---- intents ----------------------------------------------------------------------------------

  /** The industrial model knows what both data sets say about a bank, but for what is to be new. */
  private void helpDesk() throws IOException {
    Predicate<Utterance> known = u -> !DataSets.NEW.contains(u.intent());
    List<Utterance> said = new ArrayList<>(Pick.where(data.bankTrain, known));
    said.addAll(data.clincTrain.get("banking"));
    rows.train("data/help-desk.jsonl", "h", said);
    List<Utterance> asked = new ArrayList<>(Pick.where(data.bankTest, known));
    asked.addAll(data.clincTest.get("banking"));
    rows.suite("suites/help-desk.jsonl", "h", Pick.perIntent(asked, HELP_DESK_ITEMS));
  }

  /** Suites and rows as they are at first, and under {@code wave-1} as they become then. */
  private void bank(String wave, String mark) throws IOException {
    Predicate<Utterance> trained = u -> DataSets.NEW.contains(u.intent()) == !wave.isEmpty();
    Predicate<Utterance> tested = u -> !wave.isEmpty() || !DataSets.NEW.contains(u.intent());
    Predicate<Utterance> card = u -> DataSets.CARD_ISSUES.contains(u.intent());
    Predicate<Utterance> transfer = u -> DataSets.TRANSFERS.contains(u.intent());

    rows.write(
        wave + "data/card-issues.jsonl",
        "c" + mark,
        Rows.framed(Pick.where(data.bankTrain, trained.and(card)), CARD_FRAME));
    List<Utterance> cards = Pick.where(data.bankTest, tested.and(card));
    rows.suite(wave + "suites/card-issues.jsonl", "c", Pick.perIntent(cards, BANK_ITEMS));
    rows.suite(wave + "suites/card-desk.jsonl", "d", Pick.perIntent(cards, DESK_ITEMS));

    rows.train(
        wave + "data/transfers.jsonl",
        "f" + mark,
        Pick.where(data.bankTrain, trained.and(transfer)));
    rows.suite(
        wave + "suites/transfers.jsonl",
        "f",
        Pick.perIntent(Pick.where(data.bankTest, tested.and(transfer)), BANK_ITEMS));
  }

  private void clinc(String line, String prefix, String domain) throws IOException {
    rows.train("data/" + line + ".jsonl", prefix, data.clincTrain.get(domain));
    rows.suite(
        "suites/" + line + ".jsonl",
        prefix,
        Pick.perIntent(data.clincTest.get(domain), CLINC_ITEMS));
  }

  // ---- extraction -------------------------------------------------------------------------------

  /** What sums of money and which currencies a customer names, as JSON. */
  private void money() throws IOException {
    List<ObjectNode> train = new ArrayList<>();
    List<ObjectNode> test = new ArrayList<>();
    for (Utterance u : aboutMoney(data.clincTrain, data.bankTrain)) {
      train.add(Rows.row(u.text(), Money.in(u.text()).orElseThrow(), Map.of("group", u.group())));
    }
    for (Utterance u : Pick.some(aboutMoney(data.clincTest, data.bankTest), MONEY_ITEMS)) {
      test.add(Rows.item(u.text(), Money.in(u.text()).orElseThrow(), Map.of("group", u.group())));
    }
    rows.write("data/money.jsonl", "m", train);
    rows.items("suites/money.jsonl", "m", test);
    rows.file("schemas/money.json", Money.SCHEMA);
  }

  private static List<Utterance> aboutMoney(
      Map<String, List<Utterance>> clinc, List<Utterance> bank) {
    List<Utterance> all = new ArrayList<>(bank);
    for (String domain : List.of("banking", "credit_cards", "travel", "work")) {
      all.addAll(clinc.get(domain));
    }
    return Pick.where(all, u -> Money.in(u.text()).isPresent());
  }
}
