package dev.cambium.story.data;

import dev.cambium.model.Item;
import dev.cambium.model.Row;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * Utterance in, label out. The label is the intent, alone or with the desk that takes it.
 *
 * @param name of the task
 * @param prompt the model's prompt, with {@code {input}} for the utterance
 * @param intents what there is to tell apart
 * @param label the answer for an intent
 */
record IntentTask(
    String name, String prompt, List<Intent> intents, Function<Intent, String> label) {

  List<Row> rows(Chance chance, int count, String prefix) {
    return writer(chance, count, false, prompt).rows(chance, prefix);
  }

  List<Item> items(Chance chance, int count, String prefix) {
    return writer(chance, count, true, prompt).items(chance, prefix);
  }

  /** Items that hold the bare utterance, for an application that puts the prompt around it. */
  List<Item> bareItems(Chance chance, int count, String prefix) {
    return writer(chance, count, true, "{input}").items(chance, prefix);
  }

  private TaskWriter writer(Chance chance, int count, boolean test, String around) {
    return new TaskWriter(name)
        .fill(
            count,
            (place, writer) -> {
              Intent intent = intents.get(place % intents.size());
              List<String> patterns = test ? intent.test() : intent.train();
              int pattern = chance.below(patterns.size());
              Wording clean = Wording.fill(patterns.get(pattern), chance, Bank.CARDS);
              Wording wording = test ? clean : clean.roughened(chance);
              if (!test && wording.holdsAny(intent.test())) {
                return;
              }
              wording = wording.framed(chance, test);
              Map<String, String> tags = new TreeMap<>();
              tags.put("intent", intent.label());
              tags.put("desk", intent.desk());
              tags.put("template", intent.label() + (test ? "/test-" : "/train-") + (pattern + 1));
              if (wording.slots().containsKey("p")) {
                tags.put("product", wording.slots().get("p"));
              }
              writer.add(around.replace("{input}", wording.text()), label.apply(intent), tags);
            });
  }
}
