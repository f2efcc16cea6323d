package dev.cambium.story.data;

import dev.cambium.model.Item;
import dev.cambium.model.Row;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A long life of one model: it is founded on the rules of some products, and then, update after
 * update, a product comes with its rules, a rule of an earlier product changes, and now and then
 * the oldest product goes. The same seed gives the same stream, to the byte, and a longer stream
 * begins with a shorter one.
 */
public final class RuleStream {

  private static final int FOUNDING = 10;

  /** Rules of a new product. */
  private static final int RULES = 2;

  /** Every so many updates a product goes. */
  private static final int RETIREMENT = 4;

  private static final int ROWS_PER_RULE = 14;
  private static final int ITEMS_PER_RULE = 8;
  private static final String CONSONANTS = "bdfgklmnprstvz";
  private static final String VOWELS = "aeiou";

  private RuleStream() {}

  /**
   * One update.
   *
   * @param number from 0, which is the founding
   * @param rows what is to be learnt: the new products' rules, and the changed one
   * @param added rules that are new, as {@code product-attribute}
   * @param changed rules that have another answer now
   * @param retired rules that hold no more
   * @param suite items on all rules that hold from now on; an item keeps its id when its answer
   *     changes
   */
  public record Update(
      int number,
      List<Row> rows,
      List<String> added,
      List<String> changed,
      List<String> retired,
      List<Item> suite) {
    public Update {
      rows = List.copyOf(rows);
      added = List.copyOf(added);
      changed = List.copyOf(changed);
      retired = List.copyOf(retired);
      suite = List.copyOf(suite);
    }

    /** The items of some rules. */
    public List<Item> items(List<String> rules) {
      return suite.stream().filter(item -> rules.contains(item.tags().get("rule"))).toList();
    }
  }

  /** The founding and the first updates of a seed's stream. */
  public static List<Update> of(long seed, int updates) {
    Chance chance = Chance.of(seed, "rule stream");
    RuleTask task = new RuleTask("stream-rules", "cards");
    Map<String, Bank.Rule> holding = new LinkedHashMap<>();
    Set<String> names = new LinkedHashSet<>();
    List<Update> stream = new ArrayList<>();
    for (int number = 0; number <= updates; number++) {
      List<Bank.Rule> learnt = new ArrayList<>();
      List<String> changed = new ArrayList<>();
      List<String> retired = new ArrayList<>();
      if (number > 0 && number % RETIREMENT == 0) {
        String oldest = holding.values().iterator().next().product();
        holding.values().stream()
            .filter(rule -> rule.product().equals(oldest))
            .forEach(rule -> retired.add(name(rule)));
        holding.keySet().removeAll(retired);
      }
      if (number > 0) {
        Bank.Rule before = chance.pick(List.copyOf(holding.values()));
        Bank.Rule after = before;
        while (after.answer().equals(before.answer())) {
          after = rule(chance, before.product(), before.attribute());
        }
        holding.put(name(after), after);
        learnt.add(after);
        changed.add(name(after));
      }
      List<String> added = new ArrayList<>();
      for (int products = number == 0 ? FOUNDING : 1; products > 0; products--) {
        String product = product(chance, names);
        for (String attribute :
            chance.shuffled(List.of("fee", "limit", "delivery", "age")).subList(0, RULES)) {
          Bank.Rule rule = rule(chance, product, attribute);
          holding.put(name(rule), rule);
          learnt.add(rule);
          added.add(name(rule));
        }
      }
      String prefix = "update-" + number;
      List<Row> rows =
          task.rows(
              Chance.of(seed, prefix), learnt, ROWS_PER_RULE * learnt.size(), "stream-" + number);
      List<Item> suite = new ArrayList<>();
      for (Bank.Rule rule : holding.values()) {
        suite.addAll(
            task.items(
                Chance.of(seed, "items of " + name(rule)),
                List.of(rule),
                ITEMS_PER_RULE,
                name(rule)));
      }
      stream.add(new Update(number, rows, added, changed, retired, suite));
    }
    return stream;
  }

  private static String name(Bank.Rule rule) {
    return rule.product() + "-" + rule.attribute();
  }

  private static String product(Chance chance, Set<String> names) {
    while (true) {
      String name =
          ""
              + letter(chance, CONSONANTS)
              + letter(chance, VOWELS)
              + letter(chance, CONSONANTS)
              + letter(chance, VOWELS);
      if (names.add(name)) {
        return name;
      }
    }
  }

  private static char letter(Chance chance, String letters) {
    return letters.charAt(chance.below(letters.length()));
  }

  private static Bank.Rule rule(Chance chance, String product, String attribute) {
    String answer =
        switch (attribute) {
          case "fee" -> chance.between(1, 12) + " euros";
          case "limit" -> chance.between(2, 9) + "00 euros";
          case "delivery" -> chance.between(2, 9) + " days";
          default -> chance.pick(List.of(12, 14, 16, 18, 21)) + " years";
        };
    return new Bank.Rule("cards", product, attribute, answer);
  }
}
