package dev.cambium.loop.headroom;

import dev.cambium.engine.decoder.SplitMix64;
import dev.cambium.model.Json;
import dev.cambium.model.ProbeTask;
import dev.cambium.model.Row;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Makes the tasks of probes, of three kinds:
 *
 * <ul>
 *   <li>{@code associations}: made-up words, each with one of four made-up names. There is nothing
 *       to generalise to; what is measured is whether they are known.
 *   <li>{@code rule}: two old words are answered by a made-up name that depends on one of them, the
 *       first or the second. Measured on pairs that were not learnt.
 *   <li>{@code format}: an old word and a digit are written in brackets of a new form, in one order
 *       or the other. Measured on pairs that were not learnt.
 * </ul>
 *
 * <p>All text is short and plain ASCII, so that every tokenizer can encode it. What is made up is
 * drawn from a seed and a number that moves on every few versions ({@link #rotation}), so that no
 * version can have been trained on it; both sides of a comparison get the same.
 */
public final class ProbeTasks {

  /** So many versions of a line share tasks, and with them the probe of their foundation. */
  public static final int ROTATION = 8;

  /** The kinds of task. */
  static final List<String> KINDS = List.of("associations", "rule", "format");

  /** Rows that each task has to learn. */
  static final int TRAINED = 12;

  private static final int HELD_OUT = 8;
  private static final int NAMES = 4;

  private static final List<String> WORDS = List.of("red", "sun", "key", "cat", "map", "box");
  private static final List<String> BRACKETS = List.of("<>", "[]", "()", "{}");
  private static final String MARKS = "|/=~:";
  private static final String CONSONANTS = "bdfgklmnprstvz";
  private static final String VOWELS = "aeiou";

  private ProbeTasks() {}

  /** The number of the tasks that a version is probed with. */
  public static int rotation(int version) {
    return (version - 1) / ROTATION;
  }

  /**
   * Tasks.
   *
   * @param seed of the ecosystem
   * @param rotation see {@link #rotation}
   * @param ofKind tasks of each kind
   * @param seeds draws of each task
   */
  public static List<ProbeTask> of(long seed, int rotation, int ofKind, int seeds) {
    List<ProbeTask> tasks = new ArrayList<>();
    for (String kind : KINDS) {
      for (int task = 0; task < ofKind; task++) {
        String name = kind + "-" + (task + 1);
        SplitMix64 random = SplitMix64.named(seed, "probe/" + rotation + "/" + name);
        long first = random.nextLong() & 0x7fffffffL; // canonical JSON holds numbers as doubles
        for (int draw = 0; draw < seeds; draw++) {
          tasks.add(task(kind, name, task, first + draw));
        }
      }
    }
    return tasks;
  }

  /** One task a line, canonical JSON. */
  public static byte[] encode(List<ProbeTask> tasks) {
    ByteArrayOutputStream lines = new ByteArrayOutputStream();
    for (ProbeTask task : tasks) {
      lines.writeBytes(Json.canonical(task));
      lines.write('\n');
    }
    return lines.toByteArray();
  }

  /**
   * @param number of the task among those of its kind; decides what a task is about
   * @param seed decides what its words are
   */
  private static ProbeTask task(String kind, String name, int number, long seed) {
    SplitMix64 random = SplitMix64.named(seed, name);
    return switch (kind) {
      case "associations" -> associations(kind, name, seed, random);
      case "rule" -> rule(kind, name, number, seed, random);
      default -> format(kind, name, number, seed, random);
    };
  }

  private static ProbeTask associations(String kind, String name, long seed, SplitMix64 random) {
    List<String> names = distinct(NAMES, () -> closed(random));
    List<String> words = distinct(TRAINED, () -> open(random) + open(random) + open(random));
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < TRAINED; i++) {
      rows.add(row(i, "what is " + words.get(i), names.get(i % NAMES)));
    }
    return new ProbeTask(name, kind, seed, rows, List.of());
  }

  private static ProbeTask rule(
      String kind, String name, int number, long seed, SplitMix64 random) {
    String rule = closed(random) + open(random);
    List<String> names = distinct(WORDS.size() / 2, () -> closed(random));
    List<String> words = shuffled(WORDS, random);
    boolean second = number % 2 == 1;
    List<Row> rows = new ArrayList<>();
    for (int[] pair : pairs(words.size(), words.size(), random)) {
      String one = words.get(second ? pair[1] : pair[0]);
      String other = words.get(second ? pair[0] : pair[1]);
      rows.add(
          row(rows.size(), rule + ": " + one + " " + other, names.get(pair[0] % names.size())));
    }
    return new ProbeTask(
        name, kind, seed, rows.subList(0, TRAINED), rows.subList(TRAINED, TRAINED + HELD_OUT));
  }

  private static ProbeTask format(
      String kind, String name, int number, long seed, SplitMix64 random) {
    String form = closed(random) + open(random);
    String brackets = BRACKETS.get(random.nextInt(BRACKETS.size()));
    char mark = MARKS.charAt(random.nextInt(MARKS.length()));
    List<String> words = shuffled(WORDS, random).subList(0, 4);
    boolean turned = number % 2 == 0;
    List<Row> rows = new ArrayList<>();
    for (int[] pair : pairs(words.size(), 5, random)) {
      String word = words.get(pair[0]);
      int digit = 2 + pair[1];
      rows.add(
          row(
              rows.size(),
              form + ": " + word + " " + digit,
              brackets.substring(0, 1)
                  + (turned ? digit + "" + mark + word : word + mark + digit)
                  + brackets.substring(1)));
    }
    return new ProbeTask(
        name, kind, seed, rows.subList(0, TRAINED), rows.subList(TRAINED, TRAINED + HELD_OUT));
  }

  /** All pairs, drawn so that the first few hold every element about equally often. */
  private static List<int[]> pairs(int firsts, int seconds, SplitMix64 random) {
    List<Integer> turns = new ArrayList<>();
    for (int i = 0; i < seconds; i++) {
      turns.add(i);
    }
    List<Integer> drawn = shuffled(turns, random);
    List<int[]> pairs = new ArrayList<>();
    for (int turn : drawn) {
      for (int i = 0; i < firsts; i++) {
        pairs.add(new int[] {i, (i + turn) % seconds});
      }
    }
    return pairs;
  }

  private static Row row(int number, String question, String answer) {
    return Row.qa("p" + number, question, answer, Map.of());
  }

  private static String open(SplitMix64 random) {
    return "" + one(CONSONANTS, random) + one(VOWELS, random);
  }

  private static String closed(SplitMix64 random) {
    return open(random) + one(CONSONANTS, random);
  }

  private static char one(String letters, SplitMix64 random) {
    return letters.charAt(random.nextInt(letters.length()));
  }

  private static List<String> distinct(int count, java.util.function.Supplier<String> draw) {
    Set<String> drawn = new LinkedHashSet<>();
    while (drawn.size() < count) {
      drawn.add(draw.get());
    }
    return List.copyOf(drawn);
  }

  private static <T> List<T> shuffled(List<T> items, SplitMix64 random) {
    List<T> shuffled = new ArrayList<>(items);
    for (int i = shuffled.size() - 1; i > 0; i--) {
      java.util.Collections.swap(shuffled, i, random.nextInt(i + 1));
    }
    return shuffled;
  }
}
