import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;

/** Chooses and orders by a hash of the words, so that the same data give the same files. */
final class Pick {

  private Pick() {}

  static List<Utterance> where(List<Utterance> all, Predicate<Utterance> wanted) {
    return all.stream().filter(wanted).toList();
  }

  /** The first of a random order that depends on the words only. */
  static List<Utterance> some(Collection<Utterance> all, int most) {
    return all.stream().sorted(Comparator.comparing(u -> place(u.text()))).limit(most).toList();
  }

  static List<Utterance> half(List<Utterance> all) {
    return some(all, all.size() / 2);
  }

  /**
   * So many of each intent, the intents in turn, so that every piece of a suite has all of them.
   */
  static List<Utterance> perIntent(List<Utterance> all, int each) {
    Map<String, List<Utterance>> byIntent = new TreeMap<>();
    all.forEach(u -> byIntent.computeIfAbsent(u.intent(), i -> new ArrayList<>()).add(u));
    byIntent.replaceAll((intent, list) -> some(list, each));
    List<Utterance> mixed = new ArrayList<>();
    for (int round = 0; round < each; round++) {
      List<Utterance> one = new ArrayList<>();
      for (List<Utterance> list : byIntent.values()) {
        if (round < list.size()) {
          one.add(list.get(round));
        }
      }
      mixed.addAll(some(one, one.size()));
    }
    return mixed;
  }

  /** A text's place in the random order. */
  static String place(String text) {
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(hash);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }
}
