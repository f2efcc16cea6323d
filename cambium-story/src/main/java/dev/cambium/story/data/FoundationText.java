package dev.cambium.story.data;

import dev.cambium.model.Item;
import dev.cambium.model.Row;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The text that a foundation is pre-trained on: what the bank offers, transcripts of its help desk,
 * numbers and sums, small JSON and tool calls. It uses the words of all tasks, and none of the
 * wordings that suites use.
 */
final class FoundationText {

  static final String NAME = "basics";

  private static final int LARGEST_NEXT = 40;
  private static final List<String> NUMBER_WORDS =
      List.of(
          "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
          "eleven", "twelve");
  private static final List<String> THINGS = List.of("cards", "days", "euros", "points", "friends");
  private static final List<String> TOOLS =
      List.of("find_card", "close_card", "show_card", "block_card", "unblock_card");

  private static final List<String> COPY_TRAIN =
      List.of("repeat {x}", "say {x}", "please repeat {x}", "copy {x}");
  private static final List<String> COPY_TEST = List.of("hey, repeat {x}", "please say {x}");
  private static final List<String> SUM_TRAIN =
      List.of("what is {x} plus {y}", "{x} plus {y}", "the sum of {x} and {y}");
  private static final List<String> SUM_TEST =
      List.of("how much is {x} plus {y}", "what is the sum of {x} and {y}");
  private static final List<String> NEXT_TRAIN =
      List.of("what comes after {x}", "which number follows {x}", "the number after {x}");
  private static final List<String> NEXT_TEST =
      List.of("which number comes after {x}", "what follows {x}");

  private final Bank bank;
  private final Edition edition;

  FoundationText(Bank bank, Edition edition) {
    this.bank = bank;
    this.edition = edition;
  }

  List<Row> rows(Chance chance, int count) {
    List<Row> rows = new ArrayList<>();
    String prefix = "text-" + edition.name().toLowerCase(java.util.Locale.ROOT);
    for (int i = 0; i < count; i++) {
      rows.add(row(chance, String.format("%s-%05d", prefix, i + 1)));
    }
    return rows;
  }

  private Row row(Chance chance, String id) {
    Line line =
        switch (chance.below(20)) {
          case 0 -> ruleSentence(chance);
          case 1, 2 -> ruleQuestion(chance);
          case 3, 4, 5 -> deskTalk(chance);
          case 6 -> story(chance);
          case 7, 8 -> numbers(chance);
          case 9, 10, 11 -> sum(chance);
          case 12, 13 -> copy(chance);
          case 14, 15, 16, 17 -> json(chance);
          default -> toolCall(chance);
        };
    String answer = line.answer();
    return answer == null ? Row.text(id, line.text()) : Row.qa(id, line.text(), answer, Map.of());
  }

  /** A sentence, or a question with its answer. */
  private record Line(String text, @Nullable String answer) {}

  private static Line sentence(String text) {
    return new Line(text, null);
  }

  private static Line talk(String question, String answer) {
    return new Line(question, answer);
  }

  private Line ruleSentence(Chance chance) {
    Bank.Rule rule = chance.pick(bank.rules(edition));
    String what = rule.product() + (rule.desk().equals("cards") ? " card" : " transfer");
    String pattern =
        chance.pick(
            List.of(
                "the {r} of the {p} is {a} .",
                "the {p} has a {r} of {a} .",
                "{a} is the {r} of the {p} ."));
    return sentence(
        pattern
            .replace("{r}", rule.attribute())
            .replace("{p}", what)
            .replace("{a}", rule.answer()));
  }

  private Line ruleQuestion(Chance chance) {
    Bank.Rule rule = chance.pick(bank.rules(edition));
    return talk(RuleTask.question(chance, rule), rule.answer());
  }

  private Line deskTalk(Chance chance) {
    List<Intent> known = new ArrayList<>(Phrases.CARDS);
    known.addAll(Phrases.PAYMENTS);
    if (edition == Edition.V2) {
      known.addAll(Phrases.NEW_CARDS);
    }
    Intent intent = chance.pick(known);
    Wording clean = Wording.fill(chance.pick(intent.train()), chance, Bank.cards(edition));
    Wording rough = clean.roughened(chance);
    String utterance = (rough.holdsAny(intent.test()) ? clean : rough).framed(chance, false).text();
    int dash = intent.label().indexOf('-');
    String about = intent.label().substring(dash + 1);
    return talk(
        utterance,
        chance.pick(
            List.of(
                "this is about " + about + " . the " + intent.desk() + " desk helps you .",
                "i see , " + about + " . i ask the " + intent.desk() + " desk .")));
  }

  private Line story(Chance chance) {
    String name = chance.pick(Phrases.NAMES);
    String place = chance.pick(Phrases.PLACES);
    int x = chance.between(1, SumTask.LARGEST);
    int y = chance.between(1, SumTask.LARGEST);
    return sentence(
        name
            + " was "
            + place
            + " on "
            + chance.pick(Phrases.DAYS)
            + " . "
            + name
            + " paid "
            + x
            + " euros and then "
            + y
            + " euros , in all "
            + (x + y)
            + " euros .");
  }

  private Line numbers(Chance chance) {
    int x = chance.below(LARGEST_NEXT);
    return switch (chance.below(5)) {
      case 0 -> sentence(x + " , " + (x + 1) + " , " + (x + 2) + " , " + (x + 3) + " .");
      case 1 -> sentence("after " + x + " comes " + (x + 1) + " .");
      case 2 -> {
        int small = x % NUMBER_WORDS.size();
        yield sentence(NUMBER_WORDS.get(small) + " is " + small + " .");
      }
      default ->
          talk(
              asked(chance, chance.pick(NEXT_TRAIN).replace("{x}", String.valueOf(x))),
              String.valueOf(x + 1));
    };
  }

  private Line sum(Chance chance) {
    int x = chance.between(1, SumTask.LARGEST);
    int y = chance.between(1, SumTask.LARGEST);
    if (chance.oneIn(3)) {
      return sentence(x + " plus " + y + " is " + (x + y) + " .");
    }
    String question =
        chance.pick(SUM_TRAIN).replace("{x}", String.valueOf(x)).replace("{y}", String.valueOf(y));
    return talk(asked(chance, question), String.valueOf(x + y));
  }

  private Line copy(Chance chance) {
    String what = word(chance);
    return talk(asked(chance, chance.pick(COPY_TRAIN).replace("{x}", what)), what);
  }

  /** A question with an opener, at times. */
  private static String asked(Chance chance, String question) {
    return chance.pick(Phrases.TRAIN_OPENERS) + question;
  }

  private String word(Chance chance) {
    return switch (chance.below(4)) {
      case 0 -> chance.pick(Phrases.NAMES);
      case 1 -> chance.pick(bank.cardNumbers());
      case 2 -> chance.pick(Phrases.DAYS);
      default -> String.valueOf(chance.between(10, 99));
    };
  }

  private Line json(Chance chance) {
    String name = chance.pick(Phrases.NAMES);
    String amount = String.valueOf(chance.between(0, 99));
    return switch (chance.below(3)) {
      case 0 -> {
        String thing = chance.pick(THINGS);
        yield talk(
            "json: " + name + " has " + amount + " " + thing,
            "{\"name\":\"" + name + "\",\"" + thing + "\":\"" + amount + "\"}");
      }
      case 1 -> {
        String day = chance.pick(Phrases.DAYS);
        yield talk(
            "json: " + amount + " euros for " + name + " , " + day,
            FormTask.json(Map.of("a", amount, "n", name, "d", day)));
      }
      default ->
          talk(
              "json: " + name + " , " + amount + " euros",
              FormTask.json(Map.of("a", amount, "n", name)));
    };
  }

  private Line toolCall(Chance chance) {
    String tool = chance.pick(TOOLS);
    String number = chance.pick(bank.cardNumbers());
    if (chance.oneIn(3)) {
      String limit = chance.between(1, 9) + "00";
      return talk(
          "tool: set limit " + number + " , " + limit, "set_limit(" + number + "," + limit + ")");
    }
    if (chance.oneIn(3)) {
      String product = chance.pick(Bank.cards(edition));
      return talk("tool: new card , " + product, "order_card(" + product + ")");
    }
    return talk("tool: " + tool.replace('_', ' ') + " " + number, tool + "(" + number + ")");
  }

  /** Copying, sums and counting, asked in other words than in the text. */
  List<Item> items(Chance chance, int count) {
    return new TaskWriter(NAME)
        .fill(
            count,
            (place, writer) -> {
              int x = chance.between(1, SumTask.LARGEST);
              int y = chance.between(1, SumTask.LARGEST);
              switch (place % 3) {
                case 0 -> {
                  String what = word(chance);
                  writer.add(
                      chance.pick(COPY_TEST).replace("{x}", what), what, Map.of("kind", "copy"));
                }
                case 1 ->
                    writer.add(
                        chance
                            .pick(SUM_TEST)
                            .replace("{x}", String.valueOf(x))
                            .replace("{y}", String.valueOf(y)),
                        String.valueOf(x + y),
                        Map.of("kind", "sum"));
                default -> {
                  int number = chance.below(LARGEST_NEXT);
                  writer.add(
                      chance.pick(NEXT_TEST).replace("{x}", String.valueOf(number)),
                      String.valueOf(number + 1),
                      Map.of("kind", "next"));
                }
              }
            })
        .items(chance, "basics");
  }
}
