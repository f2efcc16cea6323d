import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/**
 * Turns CLINC150, Banking77 and GSM8K into what a user of Cambium would have: text to pre-train on,
 * training rows per line, a suite per capability, and application files.
 *
 * <p>Training rows come from the data sets' training files only, suites from their test files only
 * (GSM8K: the last questions of its training file, which no text contains). Everything is ordered
 * by a hash of its words, so the same input gives the same files.
 *
 * <pre>  java -cp "$(cambium's class path)" Prepare.java DATA OUT</pre>
 */
final class Prepare {

  private static final ObjectMapper JSON = JsonMapper.builder().build();

  // ---- what is chosen ---------------------------------------------------------------------------

  /** The domains that the assistant serves: 15 intents each. */
  private static final List<String> ASSISTANT =
      List.of("travel", "kitchen_and_dining", "home", "auto_and_commute");

  /** Domains whose questions and intents the foundation sees as conversations. */
  private static final List<String> FOUNDATION = List.of("small_talk", "meta", "work");

  private static final Set<String> CARD_ISSUES =
      ordered(
          "activate_my_card",
          "card_about_to_expire",
          "card_acceptance",
          "card_arrival",
          "card_delivery_estimate",
          "card_linking",
          "card_not_working",
          "card_swallowed",
          "change_pin",
          "compromised_card",
          "contactless_not_working",
          "declined_card_payment",
          "disposable_card_limits",
          "get_disposable_virtual_card",
          "getting_spare_card",
          "getting_virtual_card",
          "lost_or_stolen_card",
          "order_physical_card",
          "pin_blocked",
          "virtual_card_not_working");

  private static final Set<String> TRANSFERS =
      ordered(
          "balance_not_updated_after_bank_transfer",
          "balance_not_updated_after_cheque_or_cash_deposit",
          "beneficiary_not_allowed",
          "cancel_transfer",
          "declined_transfer",
          "failed_transfer",
          "pending_transfer",
          "receiving_money",
          "transfer_fee_charged",
          "transfer_into_account",
          "transfer_not_received_by_recipient",
          "transfer_timing");

  /** The intents that nobody has seen before wave 1: four about cards, two about transfers. */
  private static final Set<String> NEW =
      ordered(
          "card_swallowed",
          "contactless_not_working",
          "pin_blocked",
          "virtual_card_not_working",
          "cancel_transfer",
          "transfer_timing",
          "lost_or_stolen_phone",
          "terminate_account");

  /** Items per intent in the suites of the industrial models; application models use more. */
  private static final int INDUSTRIAL_ITEMS = 12;

  private static final int APPLICATION_ITEMS = 20;
  private static final int DESK_ITEMS = 15;

  /** Characters of the longest row of pre-training text that can hold more than one sentence. */
  private static final int PIECE = 240;

  private static final int SUMS_V1 = 1500;
  private static final int SUMS_V2 = 1500;
  private static final int SUMS_HELD_BACK = 100;

  private static final String CARD_FRAME = "about a card: {input}";
  private static final String TRAVEL_FRAME = "from a traveller: {input}";

  // ---- running ----------------------------------------------------------------------------------

  /** One utterance with its intent. */
  private record Utterance(String text, String intent, String group) {
    String answer() {
      return label(intent);
    }
  }

  private final Path out;
  private final Map<String, List<Utterance>> clincTrain = new TreeMap<>(); // by domain
  private final Map<String, List<Utterance>> clincTest = new TreeMap<>();
  private final List<Utterance> bankTrain = new ArrayList<>();
  private final List<Utterance> bankTest = new ArrayList<>();
  private final List<String> sums = new ArrayList<>();

  private Prepare(Path out) {
    this.out = out;
  }

  public static void main(String[] args) throws IOException {
    if (args.length != 2) {
      System.err.println("usage: Prepare DATA OUT");
      System.exit(2);
    }
    Prepare prepare = new Prepare(Path.of(args[1]));
    prepare.read(Path.of(args[0]));
    prepare.write();
  }

  private void read(Path data) throws IOException {
    JsonNode domains = json(data.resolve("clinc150/domains.json"));
    JsonNode clinc = json(data.resolve("clinc150/data_full.json"));
    Map<String, String> domainOf = new TreeMap<>();
    domains
        .properties()
        .forEach(d -> d.getValue().forEach(i -> domainOf.put(i.asText(), d.getKey())));
    clinc(clinc.get("train"), domainOf, clincTrain);
    clinc(clinc.get("test"), domainOf, clincTest);
    banking(data.resolve("banking77/train.csv"), bankTrain);
    banking(data.resolve("banking77/test.csv"), bankTest);
    Set<String> known = bankTest.stream().map(Utterance::intent).collect(Collectors.toSet());
    for (Set<String> named : List.of(CARD_ISSUES, TRANSFERS, NEW)) {
      if (!known.containsAll(named)) {
        throw new IllegalStateException("not intents of this Banking77: " + minus(named, known));
      }
    }
    for (String line : Files.readAllLines(data.resolve("gsm8k/train.jsonl"))) {
      JsonNode row = JSON.readTree(line);
      // The calculator's annotations, <<48/2=24>>, are no language.
      String answer = row.get("answer").asText().replaceAll("<<[^>]*>>", "");
      int result = answer.indexOf("####");
      sums.add(clean(row.get("question").asText()) + " " + clean(answer.substring(0, result)));
    }
    sums.sort(Comparator.comparing(Prepare::place));
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
        FOUNDATION.stream().flatMap(d -> clincTrain.get(d).stream()).toList();
    List<Utterance> others =
        clincTrain.entrySet().stream()
            .filter(e -> !FOUNDATION.contains(e.getKey()))
            .flatMap(e -> e.getValue().stream())
            .toList();
    List<Utterance> bankKnown = where(bankTrain, u -> !NEW.contains(u.intent()));
    List<Utterance> bankNew = where(bankTrain, u -> NEW.contains(u.intent()));
    List<String> told = sums.subList(0, SUMS_V1);
    List<String> more = sums.subList(SUMS_V1, SUMS_V1 + SUMS_V2);

    List<ObjectNode> v1 = new ArrayList<>();
    talks.forEach(u -> v1.add(row(u.text(), u.answer(), Map.of())));
    others.forEach(u -> v1.add(text(u.text())));
    bankKnown.forEach(u -> v1.add(text(u.text())));
    told.forEach(sum -> pieces(sum).forEach(piece -> v1.add(text(piece))));
    rows("text/v1.jsonl", "t", v1);

    // Version 2 goes on with further text: other sums, the new intents' questions, and part of what
    // version 1 has read, so that it forgets none of it.
    List<ObjectNode> v2 = new ArrayList<>();
    half(talks).forEach(u -> v2.add(row(u.text(), u.answer(), Map.of())));
    half(others).forEach(u -> v2.add(text(u.text())));
    half(bankKnown).forEach(u -> v2.add(text(u.text())));
    bankNew.forEach(u -> v2.add(text(u.text())));
    more.forEach(sum -> pieces(sum).forEach(piece -> v2.add(text(piece))));
    rows("text/v2.jsonl", "u", v2);

    List<ObjectNode> language = new ArrayList<>();
    List<Utterance> unread = new ArrayList<>();
    clincTest.values().forEach(unread::addAll);
    pick(unread, 150).forEach(u -> language.add(tagged(text(u.text()), Map.of("text", "clinc"))));
    pick(bankTest, 100).forEach(u -> language.add(tagged(text(u.text()), Map.of("text", "bank"))));
    sums.subList(sums.size() - SUMS_HELD_BACK, sums.size())
        .forEach(sum -> language.add(tagged(text(pieces(sum).get(0)), Map.of("text", "sums"))));
    items("suites/language.jsonl", "l", language);
    List<Utterance> talkTests =
        FOUNDATION.stream().flatMap(d -> clincTest.get(d).stream()).toList();
    suite("suites/talk.jsonl", "k", perIntent(talkTests, 8));
  }

  /** Whole sentences together, as long as a row of pre-training may be. */
  private static List<String> pieces(String text) {
    List<String> pieces = new ArrayList<>();
    StringBuilder piece = new StringBuilder();
    for (String sentence : text.split("(?<=[.?!])\\s+")) {
      if (!piece.isEmpty() && piece.length() + sentence.length() > PIECE) {
        pieces.add(piece.toString());
        piece.setLength(0);
      }
      piece.append(piece.isEmpty() ? "" : " ").append(sentence);
    }
    pieces.add(piece.toString());
    return pieces;
  }

  // ---- industrial and application models --------------------------------------------------------

  private void assistant() throws IOException {
    List<Utterance> train = ASSISTANT.stream().flatMap(d -> clincTrain.get(d).stream()).toList();
    List<Utterance> test = ASSISTANT.stream().flatMap(d -> clincTest.get(d).stream()).toList();
    train("data/assistant.jsonl", "a", train);
    suite("suites/assistant-intents.jsonl", "a", perIntent(test, INDUSTRIAL_ITEMS));
    List<Utterance> travel = clincTrain.get("travel");
    rows("data/travel.jsonl", "v", framed(travel, TRAVEL_FRAME));
    suite("suites/travel-intents.jsonl", "v", perIntent(clincTest.get("travel"), APPLICATION_ITEMS));
    suite("suites/travel-desk.jsonl", "d", perIntent(clincTest.get("travel"), DESK_ITEMS));
    train("data/kitchen.jsonl", "e", clincTrain.get("kitchen_and_dining"));
    suite(
        "suites/kitchen-intents.jsonl",
        "e",
        perIntent(clincTest.get("kitchen_and_dining"), APPLICATION_ITEMS));
  }

  /** Suites and rows as they are at first, and under {@code wave-1} as they become then. */
  private void bank() throws IOException {
    for (String wave : List.of("", "wave-1/")) {
      Predicate<Utterance> trained = u -> NEW.contains(u.intent()) == !wave.isEmpty();
      Predicate<Utterance> tested = u -> !wave.isEmpty() || !NEW.contains(u.intent());
      Predicate<Utterance> card = u -> CARD_ISSUES.contains(u.intent());
      Predicate<Utterance> transfer = u -> TRANSFERS.contains(u.intent());
      train(wave + "data/banking.jsonl", "b" + mark(wave), where(bankTrain, trained));
      suite(
          wave + "suites/banking-intents.jsonl",
          "b",
          perIntent(where(bankTest, tested), INDUSTRIAL_ITEMS));
      rows(
          wave + "data/card-issues.jsonl",
          "c" + mark(wave),
          framed(where(bankTrain, trained.and(card)), CARD_FRAME));
      List<Utterance> cards = where(bankTest, tested.and(card));
      suite(wave + "suites/card-intents.jsonl", "c", perIntent(cards, APPLICATION_ITEMS));
      suite(wave + "suites/card-desk.jsonl", "d", perIntent(cards, DESK_ITEMS));
      train(
          wave + "data/transfers.jsonl",
          "f" + mark(wave),
          where(bankTrain, trained.and(transfer)));
      suite(
          wave + "suites/transfer-intents.jsonl",
          "f",
          perIntent(where(bankTest, tested.and(transfer)), APPLICATION_ITEMS));
    }
  }

  private static String mark(String wave) {
    return wave.isEmpty() ? "" : "n";
  }

  private void applications() throws IOException {
    file("apps/card-desk.yaml", "prompt: '" + CARD_FRAME + "'\nmax-new-tokens: 16\n");
    file("apps/travel-desk.yaml", "prompt: '" + TRAVEL_FRAME + "'\nmax-new-tokens: 16\n");
  }

  // ---- choosing and ordering --------------------------------------------------------------------

  private static Set<String> ordered(String... names) {
    return new LinkedHashSet<>(List.of(names));
  }

  private static Set<String> minus(Set<String> all, Set<String> known) {
    Set<String> rest = new TreeSet<>(all);
    rest.removeAll(known);
    return rest;
  }

  private static List<Utterance> where(List<Utterance> all, Predicate<Utterance> wanted) {
    return all.stream().filter(wanted).toList();
  }

  /** The first of a random order that depends on the words only. */
  private static List<Utterance> pick(Collection<Utterance> all, int most) {
    return all.stream().sorted(Comparator.comparing(u -> place(u.text()))).limit(most).toList();
  }

  private static List<Utterance> half(List<Utterance> all) {
    return pick(all, all.size() / 2);
  }

  /** So many of each intent, the intents in turn, so that every piece of a suite has all of them. */
  private static List<Utterance> perIntent(List<Utterance> all, int each) {
    Map<String, List<Utterance>> byIntent = new TreeMap<>();
    all.forEach(u -> byIntent.computeIfAbsent(u.intent(), i -> new ArrayList<>()).add(u));
    byIntent.replaceAll((intent, list) -> pick(list, each));
    List<Utterance> mixed = new ArrayList<>();
    for (int round = 0; round < each; round++) {
      List<Utterance> one = new ArrayList<>();
      for (List<Utterance> list : byIntent.values()) {
        if (round < list.size()) {
          one.add(list.get(round));
        }
      }
      mixed.addAll(pick(one, one.size()));
    }
    return mixed;
  }

  private static String place(String text) {
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(hash);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }

  // ---- reading ----------------------------------------------------------------------------------

  private static void clinc(
      JsonNode rows, Map<String, String> domainOf, Map<String, List<Utterance>> byDomain) {
    for (JsonNode row : rows) {
      String intent = row.get(1).asText();
      String domain = domainOf.get(intent);
      byDomain
          .computeIfAbsent(domain, d -> new ArrayList<>())
          .add(new Utterance(clean(row.get(0).asText()), intent, domain));
    }
  }

  private static void banking(Path file, List<Utterance> utterances) throws IOException {
    CSVFormat format =
        CSVFormat.DEFAULT.builder().setHeader().setSkipHeaderRecord(true).get();
    try (CSVParser parser = CSVParser.parse(file, StandardCharsets.UTF_8, format)) {
      for (CSVRecord row : parser) {
        String intent = row.get("category");
        utterances.add(new Utterance(clean(row.get("text")), intent, topic(intent)));
      }
    }
  }

  /** What a bank would call the desk that answers; a slice of the suite. */
  private static String topic(String intent) {
    if (CARD_ISSUES.contains(intent)) {
      return "cards";
    } else if (TRANSFERS.contains(intent)) {
      return "transfers";
    } else if (intent.contains("top_up") || intent.startsWith("topping_up")) {
      return "top-ups";
    } else if (intent.contains("exchange") || intent.contains("currenc")) {
      return "exchange";
    } else if (intent.contains("cash") || intent.startsWith("atm")) {
      return "cash";
    } else if (intent.contains("payment") || intent.contains("charge") || intent.contains("efund")) {
      return "payments";
    }
    return "account";
  }

  private static JsonNode json(Path file) throws IOException {
    return JSON.readTree(Files.readAllBytes(file));
  }

  private static String clean(String text) {
    return text.strip().replaceAll("\\s+", " ");
  }

  /** An intent as words: {@code Refund_not_showing_up} is "refund not showing up". */
  private static String label(String intent) {
    return intent.toLowerCase(Locale.ROOT).replace('_', ' ').replace("?", "").strip();
  }

  // ---- writing ----------------------------------------------------------------------------------

  private static ObjectNode text(String text) {
    return JSON.createObjectNode().put("text", text);
  }

  private static ObjectNode row(String prompt, String answer, Map<String, String> tags) {
    return tagged(JSON.createObjectNode().put("prompt", prompt).put("completion", answer), tags);
  }

  private static ObjectNode tagged(ObjectNode row, Map<String, String> tags) {
    if (!tags.isEmpty()) {
      ObjectNode object = row.putObject("tags");
      tags.forEach(object::put);
    }
    return row;
  }

  private static Map<String, String> tags(Utterance utterance) {
    return Map.of("group", utterance.group(), "intent", label(utterance.intent()));
  }

  private void train(String name, String prefix, List<Utterance> utterances) throws IOException {
    rows(name, prefix, utterances.stream().map(u -> row(u.text(), u.answer(), tags(u))).toList());
  }

  /** Every utterance as it is and, for every second one, as an application will ask it. */
  private static List<ObjectNode> framed(List<Utterance> utterances, String frame) {
    List<ObjectNode> rows = new ArrayList<>();
    Set<Utterance> half = new LinkedHashSet<>(half(utterances));
    for (Utterance u : utterances) {
      rows.add(row(u.text(), u.answer(), tags(u)));
      if (half.contains(u)) {
        rows.add(row(frame.replace("{input}", u.text()), u.answer(), tags(u)));
      }
    }
    return rows;
  }

  private void suite(String name, String prefix, List<Utterance> utterances) throws IOException {
    items(
        name,
        prefix,
        utterances.stream()
            .map(
                u ->
                    tagged(
                        JSON.createObjectNode().put("prompt", u.text()).put("answer", u.answer()),
                        tags(u)))
            .toList());
  }

  /** Rows in a random order that depends on their words only; a row that is there twice, once. */
  private void rows(String name, String prefix, List<ObjectNode> rows) throws IOException {
    Map<String, ObjectNode> sorted = new TreeMap<>();
    rows.forEach(row -> sorted.put(place(row.toString()), row));
    lines(name, prefix, sorted.values());
  }

  private void items(String name, String prefix, List<ObjectNode> items) throws IOException {
    Map<String, ObjectNode> once = new LinkedHashMap<>();
    items.forEach(item -> once.putIfAbsent(item.toString(), item));
    lines(name, prefix, once.values());
  }

  /** Ids depend on the words, so that an item keeps its id when a suite grows. */
  private void lines(String name, String prefix, Collection<ObjectNode> rows) throws IOException {
    StringBuilder lines = new StringBuilder();
    for (ObjectNode row : rows) {
      ObjectNode line = JSON.createObjectNode();
      line.put("id", prefix + "-" + place(row.toString()).substring(0, 12));
      line.setAll(row);
      lines.append(line).append('\n');
    }
    file(name, lines.toString());
    System.err.printf("%6d rows  %s%n", rows.size(), name);
  }

  private void file(String name, String text) throws IOException {
    Path file = out.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }
}
