package dev.cambium.story.data;

import dev.cambium.model.Item;
import dev.cambium.model.Row;
import java.util.List;
import java.util.Map;

/**
 * Questions about the bank's rules.
 *
 * @param name of the task
 * @param desk whose rules
 */
record RuleTask(String name, String desk) {

  private static final String PROMPT = "rule: ";

  private record Ways(List<String> train, List<String> test) {}

  private static final Map<String, Ways> CARDS =
      Map.of(
          "fee",
          new Ways(
              List.of(
                  "what is the fee of the {p} card",
                  "how much does the {p} card cost",
                  "tell me the price of the {p} card",
                  "the {p} card, what does it cost each month",
                  "which monthly fee has the {p} card",
                  "what do i pay for a {p} card"),
              List.of(
                  "what does the {p} card cost",
                  "tell me the monthly fee of the {p} card",
                  "how much is the fee for the {p} card",
                  "which price has a {p} card")),
          "limit",
          new Ways(
              List.of(
                  "what is the limit of the {p} card",
                  "how much can i spend with the {p} card",
                  "tell me the spending limit of the {p} card",
                  "the {p} card, how high is its limit",
                  "which limit has the {p} card",
                  "up to how much can i spend by {p} card"),
              List.of(
                  "how high is the limit of the {p} card",
                  "tell me how much i can spend by {p} card",
                  "what is the spending limit for a {p} card",
                  "which limit does the {p} card have")),
          "delivery",
          new Ways(
              List.of(
                  "how long does delivery of the {p} card take",
                  "when does a {p} card arrive",
                  "how many days until the {p} card arrives",
                  "the {p} card, how long is the delivery",
                  "tell me the delivery time of the {p} card",
                  "how fast is a new {p} card delivered"),
              List.of(
                  "how long until a {p} card arrives",
                  "tell me how fast the {p} card is delivered",
                  "what is the delivery time for a {p} card",
                  "how many days does the {p} card delivery take")),
          "age",
          new Ways(
              List.of(
                  "how old must i be for the {p} card",
                  "what is the minimum age for the {p} card",
                  "from which age can i get the {p} card",
                  "tell me the age for a {p} card",
                  "the {p} card, how old must one be",
                  "at what age is the {p} card possible"),
              List.of(
                  "how old must one be to get a {p} card",
                  "tell me the minimum age of the {p} card",
                  "at which age can i get a {p} card",
                  "what age is the {p} card for")));

  private static final Map<String, Ways> PAYMENTS =
      Map.of(
          "fee",
          new Ways(
              List.of(
                  "what is the fee of the {p} transfer",
                  "how much does the {p} transfer cost",
                  "tell me the price of the {p} transfer",
                  "the {p} transfer, what does it cost",
                  "which fee has the {p} transfer",
                  "what do i pay for a {p} transfer"),
              List.of(
                  "what does the {p} transfer cost",
                  "tell me the fee of the {p} transfer",
                  "how much is the fee for a {p} transfer",
                  "which price has a {p} transfer")),
          "limit",
          new Ways(
              List.of(
                  "what is the limit of the {p} transfer",
                  "how much can i send with the {p} transfer",
                  "tell me the upper limit of the {p} transfer",
                  "the {p} transfer, how high is its limit",
                  "which limit has the {p} transfer",
                  "up to how much can i send by {p} transfer"),
              List.of(
                  "how high is the limit of the {p} transfer",
                  "tell me how much i can send by {p} transfer",
                  "what is the upper limit for a {p} transfer",
                  "which is the upper limit of the {p} transfer")),
          "time",
          new Ways(
              List.of(
                  "how long does the {p} transfer take",
                  "when does a {p} transfer arrive",
                  "how many days until the {p} transfer arrives",
                  "the {p} transfer, how long is it on its way",
                  "tell me the time of the {p} transfer",
                  "how fast is a {p} transfer",
                  "in how many days is the {p} transfer there"),
              List.of(
                  "how long until a {p} transfer arrives",
                  "tell me how fast the {p} transfer is",
                  "how many days does the {p} transfer take",
                  "what is the time for a {p} transfer")),
          "minimum",
          new Ways(
              List.of(
                  "what is the minimum of the {p} transfer",
                  "what is the least i can send by {p} transfer",
                  "tell me the minimum amount of the {p} transfer",
                  "the {p} transfer, what is the least amount",
                  "which minimum has the {p} transfer",
                  "from which amount is the {p} transfer possible"),
              List.of(
                  "tell me the minimum for a {p} transfer",
                  "what is the least amount by {p} transfer",
                  "which minimum amount has the {p} transfer",
                  "from which amount can i send a {p} transfer")));

  List<Row> rows(Chance chance, List<Bank.Rule> rules, int count, String prefix) {
    return writer(chance, rules, count, false).rows(chance, prefix);
  }

  List<Item> items(Chance chance, List<Bank.Rule> rules, int count, String prefix) {
    return writer(chance, rules, count, true).items(chance, prefix);
  }

  /** A question as the text of a foundation may hold it. */
  static String question(Chance chance, Bank.Rule rule) {
    return Wording.fill(chance.pick(ways(rule).train()), Map.of("p", rule.product())).text();
  }

  private static Ways ways(Bank.Rule rule) {
    Ways ways = (rule.desk().equals("cards") ? CARDS : PAYMENTS).get(rule.attribute());
    if (ways == null) {
      throw new IllegalArgumentException("nobody asks for the " + rule.attribute());
    }
    return ways;
  }

  private TaskWriter writer(Chance chance, List<Bank.Rule> rules, int count, boolean test) {
    return new TaskWriter(name)
        .fill(
            count,
            (place, writer) -> {
              Bank.Rule rule = rules.get(place % rules.size());
              Ways ways = ways(rule);
              List<String> patterns = test ? ways.test() : ways.train();
              int pattern = chance.below(patterns.size());
              Wording clean = Wording.fill(patterns.get(pattern), Map.of("p", rule.product()));
              Wording wording = test ? clean : clean.hasty(chance);
              if (!test && wording.holdsAny(ways.test())) {
                return;
              }
              wording = wording.framed(chance, test);
              writer.add(
                  PROMPT + wording.text(),
                  rule.answer(),
                  Map.of(
                      "attribute",
                      rule.attribute(),
                      "fact", // what a later row with another answer supersedes
                      rule.product() + "-" + rule.attribute(),
                      "product",
                      rule.product(),
                      "rule",
                      rule.product() + "-" + rule.attribute(),
                      "template",
                      rule.attribute() + (test ? "/test-" : "/train-") + (pattern + 1)));
            });
  }
}
