package dev.cambium.story.data;

import dev.cambium.model.Item;
import dev.cambium.model.Row;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Wishes in, one tool call out. */
final class CallTask {

  static final String NAME = "card-calls";
  static final String PROMPT = "call: {input}";

  /** A tool, its arguments in call order, and the ways to ask for it. */
  private record Tool(String name, List<String> arguments, List<String> train, List<String> test) {}

  private static final List<Tool> TOOLS =
      List.of(
          new Tool(
              "block_card",
              List.of("c"),
              List.of(
                  "block my card ending {c}",
                  "my card {c} is lost, block it",
                  "stop all payments with card {c}",
                  "please block {c}",
                  "the card ending {c} was stolen, block"),
              List.of(
                  "block the card {c}",
                  "card {c} was stolen, please block it",
                  "my card ending {c} is lost, block it")),
          new Tool(
              "unblock_card",
              List.of("c"),
              List.of(
                  "unblock my card ending {c}",
                  "i found card {c}, unblock it",
                  "allow payments with card {c} again",
                  "please unblock {c}",
                  "the card ending {c} is back, unblock"),
              List.of(
                  "unblock the card {c}",
                  "card {c} is back, please unblock it",
                  "i found my card ending {c}, unblock it")),
          new Tool(
              "show_pin",
              List.of("c"),
              List.of(
                  "show me the pin of card {c}",
                  "i forgot the pin, card ending {c}",
                  "which pin has card {c}",
                  "pin for {c}",
                  "tell me the pin of the card ending {c}"),
              List.of(
                  "show the pin for my card {c}",
                  "i forgot the pin of card {c}",
                  "tell me which pin card ending {c} has")),
          new Tool(
              "set_limit",
              List.of("c", "l"),
              List.of(
                  "set the limit of card {c} to {l}",
                  "limit {l} for card ending {c}",
                  "change the limit for {c} to {l}",
                  "card {c} needs a limit of {l}",
                  "i want {l} as limit on card {c}"),
              List.of(
                  "change the limit of my card {c} to {l}",
                  "set a limit of {l} for card ending {c}",
                  "card ending {c}, i want a limit of {l}")),
          new Tool(
              "order_card",
              List.of("p"),
              List.of(
                  "order a {p} card",
                  "i want a new {p} card",
                  "send me the {p} card",
                  "a {p} card for me",
                  "please make me a {p} card"),
              List.of(
                  "please order the {p} card",
                  "i want to order a {p} card",
                  "send a new {p} card")));

  private CallTask() {}

  static List<Row> rows(Chance chance, Bank bank, int count) {
    return writer(chance, bank, count, false, PROMPT).rows(chance, "calls");
  }

  static List<Item> items(Chance chance, Bank bank, int count, String prompt, String prefix) {
    return writer(chance, bank, count, true, prompt).items(chance, prefix);
  }

  private static TaskWriter writer(
      Chance chance, Bank bank, int count, boolean test, String around) {
    return new TaskWriter(NAME)
        .fill(
            count,
            (place, writer) -> {
              Tool tool = TOOLS.get(place % TOOLS.size());
              List<String> patterns = test ? tool.test() : tool.train();
              int pattern = chance.below(patterns.size());
              Map<String, String> slots = new TreeMap<>();
              slots.put("c", chance.pick(bank.cardNumbers()));
              slots.put("l", chance.between(1, 9) + "00");
              slots.put("p", chance.pick(Bank.CARDS));
              Wording wording = Wording.fill(patterns.get(pattern), slots).framed(chance, test);
              List<String> arguments = tool.arguments().stream().map(slots::get).toList();
              Map<String, String> tags = new TreeMap<>();
              tags.put("tool", tool.name());
              tags.put("template", tool.name() + (test ? "/test-" : "/train-") + (pattern + 1));
              if (tool.arguments().contains("p")) {
                tags.put("product", slots.get("p"));
              }
              writer.add(
                  around.replace("{input}", wording.text()),
                  tool.name() + "(" + String.join(",", arguments) + ")",
                  tags);
            });
  }
}
