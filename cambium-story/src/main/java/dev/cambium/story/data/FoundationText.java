package dev.cambium.story.data;

import dev.cambium.model.Item;
import dev.cambium.model.Message;
import dev.cambium.model.Row;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * The text that a foundation is pre-trained on: what the bank offers, transcripts of its help desk,
 * numbers and sums, small JSON and tool calls. It uses the words of all tasks, and none of the
 * wordings that suites use.
 */
final class FoundationText {

  static final String NAME = "basics";

  private static final List<String> NUMBER_WORDS =
      List.of(
          "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
          "eleven", "twelve");
  private static final List<String> THINGS = List.of("cards", "days", "euros", "points", "friends");
  private static final List<String> TOOLS =
      List.of("find_card", "close_card", "show_card", "block_card", "unblock_card");

  private static final List<String> COPY_TRAIN = List.of("repeat {x}", "write {x}", "read out {x}");
  private static final List<String> COPY_TEST = List.of("please repeat {x}", "write down {x}");
  private static final List<String> SUM_TRAIN =
      List.of("what is {x} plus {y}", "{x} plus {y}", "add {x} and {y}");
  private static final List<String> SUM_TEST =
      List.of("how much is {x} plus {y}", "add {y} to {x}");
  private static final List<String> NEXT_TRAIN =
      List.of("what comes after {x}", "which number follows {x}");
  private static final List<String> NEXT_TEST =
      List.of("which number comes after {x}", "what follows {x}");

  private final Bank bank;
  private final Edition edition;
  private final Function<List<Message>, String> chatForm;

  FoundationText(Bank bank, Edition edition, Function<List<Message>, String> chatForm) {
    this.bank = bank;
    this.edition = edition;
    this.chatForm = chatForm;
  }

  List<Row> rows(Chance chance, int count) {
    List<Row> rows = new ArrayList<>();
    String prefix = "text-" + edition.name().toLowerCase(java.util.Locale.ROOT);
    for (int i = 0; i < count; i++) {
      rows.add(Row.text(String.format("%s-%05d", prefix, i + 1), line(chance)));
    }
    return rows;
  }

  private String line(Chance chance) {
    return switch (chance.below(20)) {
      case 0, 1 -> ruleSentence(chance);
      case 2, 3, 4 -> ruleQuestion(chance);
      case 5, 6, 7, 8, 9 -> deskTalk(chance);
      case 10 -> story(chance);
      case 11, 12 -> numbers(chance);
      case 13, 14 -> sum(chance);
      case 15, 16 -> copy(chance);
      case 17, 18 -> json(chance);
      default -> toolCall(chance);
    };
  }

  private String ruleSentence(Chance chance) {
    Bank.Rule rule = chance.pick(bank.rules(edition));
    String what = rule.product() + (rule.desk().equals("cards") ? " card" : " transfer");
    return chance
        .pick(
            List.of(
                "the {r} of the {p} is {a} .",
                "the {p} has a {r} of {a} .",
                "{a} is the {r} of the {p} ."))
        .replace("{r}", rule.attribute())
        .replace("{p}", what)
        .replace("{a}", rule.answer());
  }

  private String ruleQuestion(Chance chance) {
    Bank.Rule rule = chance.pick(bank.rules(edition));
    return talk(RuleTask.question(chance, rule), rule.answer());
  }

  private String deskTalk(Chance chance) {
    List<Intent> known = new ArrayList<>(Phrases.CARDS);
    known.addAll(Phrases.PAYMENTS);
    if (edition == Edition.V2) {
      known.addAll(Phrases.NEW_CARDS);
    }
    Intent intent = chance.pick(known);
    String utterance =
        Wording.fill(chance.pick(intent.train()), chance, Bank.cards(edition))
            .framed(chance, false)
            .text();
    int dash = intent.label().indexOf('-');
    String about = intent.label().substring(dash + 1);
    return talk(
        utterance,
        chance.pick(
            List.of(
                "this is about " + about + " . the " + intent.desk() + " desk helps you .",
                "i see , " + about + " . i ask the " + intent.desk() + " desk .")));
  }

  private String story(Chance chance) {
    String name = chance.pick(Phrases.NAMES);
    String place = chance.pick(Phrases.PLACES);
    int x = chance.between(1, SumTask.LARGEST);
    int y = chance.between(1, SumTask.LARGEST);
    return name
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
        + " euros .";
  }

  private String numbers(Chance chance) {
    int x = chance.below(60);
    return switch (chance.below(5)) {
      case 0 -> x + " , " + (x + 1) + " , " + (x + 2) + " , " + (x + 3) + " .";
      case 1 -> "after " + x + " comes " + (x + 1) + " .";
      case 2 -> {
        int small = x % NUMBER_WORDS.size();
        yield NUMBER_WORDS.get(small) + " is " + small + " .";
      }
      default ->
          talk(chance.pick(NEXT_TRAIN).replace("{x}", String.valueOf(x)), String.valueOf(x + 1));
    };
  }

  private String sum(Chance chance) {
    int x = chance.between(1, SumTask.LARGEST);
    int y = chance.between(1, SumTask.LARGEST);
    if (chance.oneIn(2)) {
      return x + " plus " + y + " is " + (x + y) + " .";
    }
    String question =
        chance.pick(SUM_TRAIN).replace("{x}", String.valueOf(x)).replace("{y}", String.valueOf(y));
    return talk(question, String.valueOf(x + y));
  }

  private String copy(Chance chance) {
    String what = sequence(chance);
    return talk(chance.pick(COPY_TRAIN).replace("{x}", what), what);
  }

  private String sequence(Chance chance) {
    StringBuilder words = new StringBuilder();
    int length = chance.between(1, 3);
    for (int i = 0; i < length; i++) {
      String word =
          switch (chance.below(4)) {
            case 0 -> chance.pick(Phrases.NAMES);
            case 1 -> chance.pick(bank.cardNumbers());
            case 2 -> chance.pick(Phrases.DAYS);
            default -> String.valueOf(chance.between(0, 99));
          };
      words.append(i == 0 ? "" : " ").append(word);
    }
    return words.toString();
  }

  private String json(Chance chance) {
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

  private String toolCall(Chance chance) {
    String tool = chance.pick(TOOLS);
    String number = chance.pick(bank.cardNumbers());
    if (chance.oneIn(3)) {
      String limit = chance.between(1, 9) + "00";
      return talk(
          "tool: set limit " + number + " , " + limit, "set_limit(" + number + "," + limit + ")");
    }
    return talk("tool: " + tool.replace('_', ' ') + " " + number, tool + "(" + number + ")");
  }

  private String talk(String question, String answer) {
    return chatForm.apply(List.of(Message.user(question), Message.assistant(answer)));
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
                  String what = sequence(chance);
                  writer.add(
                      chance.pick(COPY_TEST).replace("{x}", what),
                      what,
                      Map.of("kind", "copy", "length", String.valueOf(what.split(" ").length)));
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
                  int number = chance.below(60);
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
