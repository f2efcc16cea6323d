import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/** CLINC150, Banking77 and GSM8K as they are published, and what of Banking77 belongs together. */
final class DataSets {

  private static final ObjectMapper JSON = JsonMapper.builder().build();

  /** Characters of the longest row of text that can hold more than one sentence. */
  private static final int PIECE = 240;

  static final Set<String> CARD_ISSUES =
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

  static final Set<String> TRANSFERS =
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
  static final Set<String> NEW =
      ordered(
          "card_swallowed",
          "contactless_not_working",
          "pin_blocked",
          "virtual_card_not_working",
          "cancel_transfer",
          "transfer_timing",
          "lost_or_stolen_phone",
          "terminate_account");

  /** A sum told as a story, with its worked answer. */
  record Sum(String question, String answer) {
    String text() {
      return question + " " + answer;
    }
  }

  /** CLINC150 by domain. */
  final Map<String, List<Utterance>> clincTrain = new TreeMap<>();

  final Map<String, List<Utterance>> clincTest = new TreeMap<>();
  final List<Utterance> bankTrain = new ArrayList<>();
  final List<Utterance> bankTest = new ArrayList<>();

  /** GSM8K's training file. */
  final List<Sum> sums = new ArrayList<>();

  private DataSets() {}

  static DataSets read(Path data) throws IOException {
    DataSets sets = new DataSets();
    JsonNode domains = json(data.resolve("clinc150/domains.json"));
    JsonNode clinc = json(data.resolve("clinc150/data_full.json"));
    Map<String, String> domainOf = new TreeMap<>();
    domains
        .properties()
        .forEach(d -> d.getValue().forEach(i -> domainOf.put(i.asText(), d.getKey())));
    clinc(clinc.get("train"), domainOf, sets.clincTrain);
    clinc(clinc.get("test"), domainOf, sets.clincTest);
    banking(data.resolve("banking77/train.csv"), sets.bankTrain);
    banking(data.resolve("banking77/test.csv"), sets.bankTest);
    Set<String> known = sets.bankTest.stream().map(Utterance::intent).collect(Collectors.toSet());
    for (Set<String> named : List.of(CARD_ISSUES, TRANSFERS, NEW)) {
      if (!known.containsAll(named)) {
        Set<String> rest = new TreeSet<>(named);
        rest.removeAll(known);
        throw new IllegalStateException("not intents of this Banking77: " + rest);
      }
    }
    for (String line : Files.readAllLines(data.resolve("gsm8k/train.jsonl"))) {
      JsonNode row = JSON.readTree(line);
      // The calculator's annotations, <<48/2=24>>, are no language.
      String answer = row.get("answer").asText().replaceAll("<<[^>]*>>", "");
      int result = answer.indexOf("####");
      sets.sums.add(
          new Sum(clean(row.get("question").asText()), clean(answer.substring(0, result))));
    }
    sets.sums.sort(Comparator.comparing(sum -> Pick.place(sum.text())));
    return sets;
  }

  /** Whole sentences together, as long as a row of text may be. */
  static List<String> pieces(String text) {
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

  private static Set<String> ordered(String... names) {
    return new LinkedHashSet<>(List.of(names));
  }

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
    CSVFormat format = CSVFormat.DEFAULT.builder().setHeader().setSkipHeaderRecord(true).get();
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
    } else if (intent.contains("payment")
        || intent.contains("charge")
        || intent.contains("efund")) {
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
}
