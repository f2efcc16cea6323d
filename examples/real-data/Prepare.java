import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Turns CLINC150, Banking77 and GSM8K into what a user of Cambium would have: text to pre-train on,
 * training rows per line, a suite per capability, and application files.
 *
 * <p>Training rows come from the data sets' training files only, suites from their test files only
 * (GSM8K: the last questions of its training file, which no text contains). Everything is ordered
 * by a hash of its words, so the same input gives the same files.
 *
 * <pre>  Prepare DATA OUT</pre>
 */
final class Prepare {

  // ---- what is chosen ---------------------------------------------------------------------------

  /** The domains that the assistant serves: 15 intents each. */
  private static final List<String> ASSISTANT =
      List.of("travel", "kitchen_and_dining", "home", "auto_and_commute");

  /** Domains whose questions and intents the foundation sees as conversations. */
  private static final List<String> FOUNDATION = List.of("small_talk", "meta", "work");

  /** Items per intent in the suites of the industrial models; application models use more. */
  private static final int INDUSTRIAL_ITEMS = 12;

  private static final int APPLICATION_ITEMS = 20;
  private static final int DESK_ITEMS = 15;

  private static final int SUMS_V1 = 1500;
  private static final int SUMS_V2 = 1500;
  private static final int SUMS_HELD_BACK = 100;

  private static final String CARD_FRAME = "about a card: {input}";
  private static final String TRAVEL_FRAME = "from a traveller: {input}";

  // ---- running ----------------------------------------------------------------------------------

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
    assistant();
    bank();
    applications();
  }

  // ---- the foundation ---------------------------------------------------------------------------

  private void foundation() throws IOException {
    List<Utterance> talks =
        FOUNDATION.stream().flatMap(d -> data.clincTrain.get(d).stream()).toList();
    List<Utterance> others =
        data.clincTrain.entrySet().stream()
            .filter(e -> !FOUNDATION.contains(e.getKey()))
            .flatMap(e -> e.getValue().stream())
            .toList();
    List<Utterance> bankKnown = Pick.where(data.bankTrain, u -> !DataSets.NEW.contains(u.intent()));
    List<Utterance> bankNew = Pick.where(data.bankTrain, u -> DataSets.NEW.contains(u.intent()));
    List<DataSets.Sum> told = data.sums.subList(0, SUMS_V1);
    List<DataSets.Sum> more = data.sums.subList(SUMS_V1, SUMS_V1 + SUMS_V2);

    List<ObjectNode> v1 = new ArrayList<>();
    talks.forEach(u -> v1.add(Rows.row(u.text(), u.answer(), Map.of())));
    others.forEach(u -> v1.add(Rows.text(u.text())));
    bankKnown.forEach(u -> v1.add(Rows.text(u.text())));
    told.forEach(sum -> DataSets.pieces(sum.text()).forEach(piece -> v1.add(Rows.text(piece))));
    rows.write("text/v1.jsonl", "t", v1);

    // Version 2 goes on with further text: other sums, the new intents' questions, and part of
    // what version 1 has read, so that it forgets none of it.
    List<ObjectNode> v2 = new ArrayList<>();
    Pick.half(talks).forEach(u -> v2.add(Rows.row(u.text(), u.answer(), Map.of())));
    Pick.half(others).forEach(u -> v2.add(Rows.text(u.text())));
    Pick.half(bankKnown).forEach(u -> v2.add(Rows.text(u.text())));
    bankNew.forEach(u -> v2.add(Rows.text(u.text())));
    more.forEach(sum -> DataSets.pieces(sum.text()).forEach(piece -> v2.add(Rows.text(piece))));
    rows.write("text/v2.jsonl", "u", v2);

    List<ObjectNode> language = new ArrayList<>();
    List<Utterance> unread = new ArrayList<>();
    data.clincTest.values().forEach(unread::addAll);
    Pick.some(unread, 150)
        .forEach(u -> language.add(Rows.tagged(Rows.text(u.text()), Map.of("text", "clinc"))));
    Pick.some(data.bankTest, 100)
        .forEach(u -> language.add(Rows.tagged(Rows.text(u.text()), Map.of("text", "bank"))));
    data.sums
        .subList(data.sums.size() - SUMS_HELD_BACK, data.sums.size())
        .forEach(
            sum ->
                language.add(
                    Rows.tagged(
                        Rows.text(DataSets.pieces(sum.text()).get(0)), Map.of("text", "sums"))));
    rows.items("suites/language.jsonl", "l", language);
    List<Utterance> talkTests =
        FOUNDATION.stream().flatMap(d -> data.clincTest.get(d).stream()).toList();
    rows.suite("suites/talk.jsonl", "k", Pick.perIntent(talkTests, 8));
  }

  // ---- industrial and application models --------------------------------------------------------

  private void assistant() throws IOException {
    List<Utterance> train =
        ASSISTANT.stream().flatMap(d -> data.clincTrain.get(d).stream()).toList();
    List<Utterance> test = ASSISTANT.stream().flatMap(d -> data.clincTest.get(d).stream()).toList();
    rows.train("data/assistant.jsonl", "a", train);
    rows.suite("suites/assistant-intents.jsonl", "a", Pick.perIntent(test, INDUSTRIAL_ITEMS));
    List<Utterance> travel = data.clincTrain.get("travel");
    rows.write("data/travel.jsonl", "v", Rows.framed(travel, TRAVEL_FRAME));
    rows.suite(
        "suites/travel-intents.jsonl",
        "v",
        Pick.perIntent(data.clincTest.get("travel"), APPLICATION_ITEMS));
    rows.suite(
        "suites/travel-desk.jsonl", "d", Pick.perIntent(data.clincTest.get("travel"), DESK_ITEMS));
    rows.train("data/kitchen.jsonl", "e", data.clincTrain.get("kitchen_and_dining"));
    rows.suite(
        "suites/kitchen-intents.jsonl",
        "e",
        Pick.perIntent(data.clincTest.get("kitchen_and_dining"), APPLICATION_ITEMS));
  }

  /** Suites and rows as they are at first, and under {@code wave-1} as they become then. */
  private void bank() throws IOException {
    for (String wave : List.of("", "wave-1/")) {
      Predicate<Utterance> trained = u -> DataSets.NEW.contains(u.intent()) == !wave.isEmpty();
      Predicate<Utterance> tested = u -> !wave.isEmpty() || !DataSets.NEW.contains(u.intent());
      Predicate<Utterance> card = u -> DataSets.CARD_ISSUES.contains(u.intent());
      Predicate<Utterance> transfer = u -> DataSets.TRANSFERS.contains(u.intent());
      rows.train(
          wave + "data/banking.jsonl", "b" + mark(wave), Pick.where(data.bankTrain, trained));
      rows.suite(
          wave + "suites/banking-intents.jsonl",
          "b",
          Pick.perIntent(Pick.where(data.bankTest, tested), INDUSTRIAL_ITEMS));
      rows.write(
          wave + "data/card-issues.jsonl",
          "c" + mark(wave),
          Rows.framed(Pick.where(data.bankTrain, trained.and(card)), CARD_FRAME));
      List<Utterance> cards = Pick.where(data.bankTest, tested.and(card));
      rows.suite(wave + "suites/card-intents.jsonl", "c", Pick.perIntent(cards, APPLICATION_ITEMS));
      rows.suite(wave + "suites/card-desk.jsonl", "d", Pick.perIntent(cards, DESK_ITEMS));
      rows.train(
          wave + "data/transfers.jsonl",
          "f" + mark(wave),
          Pick.where(data.bankTrain, trained.and(transfer)));
      rows.suite(
          wave + "suites/transfer-intents.jsonl",
          "f",
          Pick.perIntent(Pick.where(data.bankTest, tested.and(transfer)), APPLICATION_ITEMS));
    }
  }

  private static String mark(String wave) {
    return wave.isEmpty() ? "" : "n";
  }

  private void applications() throws IOException {
    rows.file("apps/card-desk.yaml", "prompt: '" + CARD_FRAME + "'\nmax-new-tokens: 16\n");
    rows.file("apps/travel-desk.yaml", "prompt: '" + TRAVEL_FRAME + "'\nmax-new-tokens: 16\n");
  }
}
