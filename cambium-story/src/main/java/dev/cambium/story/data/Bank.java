package dev.cambium.story.data;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** What is true in the world of one seed: products, their rules, card numbers. */
final class Bank {

  static final List<String> CARDS =
      List.of("gold", "silver", "student", "travel", "family", "business", "classic", "junior");

  /** Only the second edition of the text knows these. */
  static final List<String> LATER_CARDS = List.of("green", "premium", "metal", "partner");

  static final List<String> TRANSFERS =
      List.of("instant", "express", "foreign", "phone", "paper", "regular", "group", "cash");

  /**
   * One rule of a product.
   *
   * @param desk cards or payments
   * @param attribute such as {@code fee}
   * @param answer as a model answers, such as {@code 5 euros}
   */
  record Rule(String desk, String product, String attribute, String answer) {}

  private final Map<String, Rule> rules = new LinkedHashMap<>();
  private final List<RuleChange> changes = new ArrayList<>();
  private final List<String> cardNumbers;

  Bank(long seed) {
    Chance chance = Chance.of(seed, "bank");
    for (String product : CARDS) {
      addCard(chance, product);
    }
    for (String product : TRANSFERS) {
      add("payments", product, "fee", chance.between(1, 12) + " euros");
      add("payments", product, "limit", chance.between(1, 9) + "000 euros");
      add("payments", product, "time", chance.between(2, 9) + " days");
      add("payments", product, "minimum", chance.between(1, 9) + "0 euros");
    }
    Chance later = Chance.of(seed, "bank later");
    changes.add(change(later, "gold", "fee"));
    changes.add(change(later, "student", "limit"));
    for (String product : LATER_CARDS) {
      addCard(later, product);
    }
    Set<String> numbers = new TreeSet<>();
    while (numbers.size() < 24) {
      numbers.add(String.valueOf(chance.between(10, 99)));
    }
    cardNumbers = List.copyOf(numbers);
  }

  private void addCard(Chance chance, String product) {
    add("cards", product, "fee", fee(chance));
    add("cards", product, "limit", limit(chance));
    add("cards", product, "delivery", chance.between(2, 9) + " days");
    add("cards", product, "age", chance.pick(List.of(12, 14, 16, 18, 21)) + " years");
  }

  private static String fee(Chance chance) {
    return chance.between(1, 12) + " euros";
  }

  private static String limit(Chance chance) {
    return chance.between(2, 9) + "00 euros";
  }

  private void add(String desk, String product, String attribute, String answer) {
    rules.put(product + " " + attribute, new Rule(desk, product, attribute, answer));
  }

  private RuleChange change(Chance chance, String product, String attribute) {
    String before = rule(product, attribute).answer();
    String after = before;
    while (after.equals(before)) {
      after = attribute.equals("fee") ? fee(chance) : limit(chance);
    }
    return new RuleChange(product, attribute, before, after);
  }

  Rule rule(String product, String attribute) {
    Rule rule = rules.get(product + " " + attribute);
    if (rule == null) {
      throw new IllegalArgumentException("no rule for the " + attribute + " of " + product);
    }
    return rule;
  }

  /** The rules of the first edition for a desk. */
  List<Rule> rules(String desk) {
    Set<String> later = new HashSet<>(LATER_CARDS);
    return rules.values().stream()
        .filter(r -> r.desk().equals(desk) && !later.contains(r.product()))
        .toList();
  }

  /** All rules as an edition of the text knows them. */
  List<Rule> rules(Edition edition) {
    List<Rule> known = new ArrayList<>(rules("cards"));
    known.addAll(rules("payments"));
    if (edition == Edition.V2) {
      known.replaceAll(this::changed);
      rules.values().stream().filter(r -> LATER_CARDS.contains(r.product())).forEach(known::add);
    }
    return known;
  }

  /** The rule as it is after wave 1. */
  Rule changed(Rule rule) {
    for (RuleChange change : changes) {
      if (change.product().equals(rule.product()) && change.attribute().equals(rule.attribute())) {
        return new Rule(rule.desk(), rule.product(), rule.attribute(), change.after());
      }
    }
    return rule;
  }

  List<RuleChange> changes() {
    return List.copyOf(changes);
  }

  /** The last two digits of the cards in use; longer numbers are hard to copy for a small model. */
  List<String> cardNumbers() {
    return cardNumbers;
  }

  static List<String> cards(Edition edition) {
    if (edition == Edition.V1) {
      return CARDS;
    }
    List<String> all = new ArrayList<>(CARDS);
    all.addAll(LATER_CARDS);
    return all;
  }
}
