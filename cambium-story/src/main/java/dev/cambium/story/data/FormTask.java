package dev.cambium.story.data;

import dev.cambium.model.Item;
import dev.cambium.model.Row;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Payment orders in, the fields of the payment form as JSON out. */
final class FormTask {

  static final String NAME = "payment-slots";
  static final String PROMPT = "form: {input}";

  private static final List<String> TRAIN =
      List.of(
          "send {a} to {n}",
          "i owe {n} {a} euros",
          "please pay {n} {a}",
          "transfer {a} euros to {n}",
          "{n} gets {a} euros from me",
          "move {a} over to {n}",
          "make a payment to {n}, {a} euros",
          "my friend {n} needs {a} euros",
          "send {a} to {n} on {d}",
          "on {d} pay {n} {a} euros",
          "transfer {a} euros to {n} by {d}",
          "{n} gets {a} on {d}");
  private static final List<String> TEST =
      List.of(
          "pay {a} euros to {n}",
          "i want to send {n} {a} euros",
          "a payment of {a} to {n}",
          "{n} needs {a} from me",
          "on {d} send {a} euros to {n}",
          "pay {n} {a} euros by {d}");

  private FormTask() {}

  static List<Row> rows(Chance chance, int count) {
    return writer(chance, count, false, PROMPT).rows(chance, "slots");
  }

  static List<Item> items(Chance chance, int count, String prompt, String prefix) {
    return writer(chance, count, true, prompt).items(chance, prefix);
  }

  private static TaskWriter writer(Chance chance, int count, boolean test, String around) {
    List<String> patterns = test ? TEST : TRAIN;
    return new TaskWriter(NAME)
        .fill(
            count,
            (place, writer) -> {
              int pattern = place % patterns.size();
              int amount = chance.between(2, 60);
              int name = chance.below(Phrases.NAMES.size());
              // A fifth of all pairs of amount and name is kept for the suite.
              if (((amount * 7 + name * 3) % 5 == 0) != test) {
                return;
              }
              Map<String, String> slots = new TreeMap<>();
              slots.put("a", String.valueOf(amount));
              slots.put("n", Phrases.NAMES.get(name));
              if (patterns.get(pattern).contains("{d}")) {
                slots.put("d", chance.pick(Phrases.DAYS));
              }
              Wording wording = Wording.fill(patterns.get(pattern), slots).framed(chance, test);
              Map<String, String> tags = new TreeMap<>();
              tags.put("fields", slots.containsKey("d") ? "amount-to-day" : "amount-to");
              tags.put("name", slots.get("n"));
              tags.put("amount", amount < 20 ? "below-20" : amount < 40 ? "20-39" : "40-60");
              tags.put("template", "slots" + (test ? "/test-" : "/train-") + (pattern + 1));
              writer.add(around.replace("{input}", wording.text()), json(slots), tags);
            });
  }

  static String json(Map<String, String> slots) {
    String day = slots.get("d");
    return "{\"amount\":\""
        + slots.get("a")
        + "\",\"to\":\""
        + slots.get("n")
        + "\""
        + (day == null ? "" : ",\"day\":\"" + day + "\"")
        + "}";
  }
}
