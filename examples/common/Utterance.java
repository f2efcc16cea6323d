import java.util.Locale;
import java.util.Map;

/** What somebody said, and what they want. */
record Utterance(String text, String intent, String group) {

  /** The intent as words: {@code Refund_not_showing_up} is "refund not showing up". */
  static String label(String intent) {
    return intent.toLowerCase(Locale.ROOT).replace('_', ' ').replace("?", "").strip();
  }

  String answer() {
    return label(intent);
  }

  /** The slices that it belongs to. */
  Map<String, String> tags() {
    return Map.of("group", group, "intent", answer());
  }
}
