package dev.cambium.loop.campaign;

import dev.cambium.artifact.ArtifactStore;
import dev.cambium.loop.data.RowFile;
import dev.cambium.model.Action;
import dev.cambium.model.Digest;
import dev.cambium.model.Message;
import dev.cambium.model.Row;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The data mix of a training: new rows, and replay of earlier ones that the new rows do not
 * contradict.
 *
 * <p>A row is superseded by later data when a later row asks the same (the same conversation up to
 * the answer, case and white space aside) and answers differently, or when both carry the tag
 * {@value #FACT} with the same value and answer differently: the fee was 5, it is 7 now. Replaying
 * such rows would teach the old rule beside the new one.
 */
final class TrainingMix {

  /** Tag that names the fact which a row states. */
  static final String FACT = "fact";

  private final ArtifactStore store;

  TrainingMix(ArtifactStore store) {
    this.store = store;
  }

  /**
   * Mixes new data with replay.
   *
   * @param history artifacts of earlier data, oldest first
   * @param fresh artifacts of new data, oldest first
   * @param replayShare share of rows drawn from the history, in [0, 1)
   * @param balanceBy tag whose values get equal shares of the replay, rows without it together one;
   *     none for shares by the number of rows
   */
  List<Action.DataShare> update(
      List<Digest> history, List<Digest> fresh, double replayShare, @Nullable String balanceBy) {
    List<Action.DataShare> kept = remaining(history, fresh);
    if (balanceBy != null) {
      kept = balanced(kept, balanceBy);
    }
    List<Action.DataShare> added = remaining(fresh, List.of());
    if (kept.isEmpty() || replayShare == 0) {
      return added;
    }
    List<Action.DataShare> mix = new ArrayList<>(scaled(added, 1 - replayShare));
    mix.addAll(scaled(kept, replayShare));
    return mix;
  }

  /** How many rows of earlier data still hold beside later ones. */
  long held(List<Digest> history, List<Digest> fresh) {
    return (long) remaining(history, fresh).stream().mapToDouble(Action.DataShare::weight).sum();
  }

  /**
   * Questions of earlier data that a version can be asked: conversations without tools that later
   * data do not contradict, in the order of a digest of their ids, so that any first n are a fair
   * sample.
   *
   * @param history artifacts of earlier data, oldest first
   * @param fresh artifacts of new data
   * @param most how many at most
   */
  List<Row> questions(List<Digest> history, List<Digest> fresh, int most) {
    return remaining(history, fresh).stream()
        .flatMap(share -> rows(share.data()).stream())
        .filter(row -> row.text() == null && row.tools().isEmpty())
        .sorted(Comparator.comparing(row -> Digest.ofText("question\n" + row.id()).hex()))
        .limit(most)
        .toList();
  }

  /** A mix with a share of another source. */
  List<Action.DataShare> with(List<Action.DataShare> mix, Digest other, double share) {
    List<Action.DataShare> all = new ArrayList<>(scaled(mix, 1 - share));
    all.add(new Action.DataShare(other, share));
    return all;
  }

  /**
   * Everything that still holds, as a teacher says it: its own answer where it has one, the
   * recorded one where it has not.
   *
   * @param history artifacts of data, oldest first
   * @param answers the teacher's, by the ids of their rows
   */
  List<Action.DataShare> taught(List<Digest> history, List<Row> answers) {
    Map<String, Row> own = new HashMap<>();
    answers.forEach(row -> own.put(row.id(), row));
    return remaining(history, List.of()).stream()
        .map(
            share -> {
              List<Row> rows = rows(share.data());
              List<Row> told = rows.stream().map(row -> own.getOrDefault(row.id(), row)).toList();
              return told.equals(rows)
                  ? share
                  : new Action.DataShare(store.put(RowFile.encode(told)), share.weight());
            })
        .toList();
  }

  /** Everything that still holds, each row as likely as any other. */
  List<Action.DataShare> all(List<Digest> history) {
    return remaining(history, List.of());
  }

  /**
   * Rows set aside in the past that no later data supersede.
   *
   * @param history artifacts of training data, oldest first
   * @param heldOut artifact of what was set aside from each of them
   */
  List<Row> holding(List<Digest> history, Map<Digest, Digest> heldOut) {
    Said later = new Said();
    List<Row> rows = new ArrayList<>();
    Set<String> seen = new HashSet<>();
    for (int i = history.size() - 1; i >= 0; i--) {
      Digest aside = heldOut.get(history.get(i));
      if (aside != null) {
        for (Row row : rows(aside)) {
          if (!later.contradicts(row) && seen.add(row.id())) {
            rows.add(row);
          }
        }
      }
      rows(history.get(i)).forEach(later::add);
    }
    return rows;
  }

  /** Shares whose weights are their row counts, superseded rows taken out. */
  private List<Action.DataShare> remaining(List<Digest> data, List<Digest> later) {
    Said said = new Said();
    for (Digest digest : later) {
      rows(digest).forEach(said::add);
    }
    List<Action.DataShare> shares = new ArrayList<>();
    for (int i = data.size() - 1; i >= 0; i--) { // newest first: it may supersede older ones
      List<Row> rows = rows(data.get(i));
      List<Row> holding = rows.stream().filter(row -> !said.contradicts(row)).toList();
      if (!holding.isEmpty()) {
        Digest digest =
            holding.size() == rows.size() ? data.get(i) : store.put(RowFile.encode(holding));
        shares.add(0, new Action.DataShare(digest, holding.size()));
      }
      rows.forEach(said::add);
    }
    return shares;
  }

  /** One share of weight 1 for each value of a tag. */
  private List<Action.DataShare> balanced(List<Action.DataShare> shares, String tag) {
    Map<String, List<Row>> groups = new TreeMap<>();
    for (Action.DataShare share : shares) {
      for (Row row : rows(share.data())) {
        groups
            .computeIfAbsent(row.tags().getOrDefault(tag, ""), value -> new ArrayList<>())
            .add(row);
      }
    }
    return groups.values().stream()
        .map(group -> new Action.DataShare(store.put(RowFile.encode(group)), 1))
        .toList();
  }

  private static List<Action.DataShare> scaled(List<Action.DataShare> shares, double total) {
    double sum = shares.stream().mapToDouble(Action.DataShare::weight).sum();
    return shares.stream()
        .map(s -> new Action.DataShare(s.data(), s.weight() / sum * total))
        .toList();
  }

  private List<Row> rows(Digest data) {
    return RowFile.decode(store.bytes(data));
  }

  /** What later rows say. */
  private static final class Said {
    private final Map<String, Set<String>> answersByQuestion = new HashMap<>();
    private final Map<String, Set<String>> answersByFact = new HashMap<>();

    void add(Row row) {
      String answer = answer(row);
      if (answer == null) {
        return;
      }
      answersByQuestion.computeIfAbsent(question(row), q -> new HashSet<>()).add(answer);
      String fact = row.tags().get(FACT);
      if (fact != null) {
        answersByFact.computeIfAbsent(fact, f -> new HashSet<>()).add(answer);
      }
    }

    boolean contradicts(Row row) {
      String answer = answer(row);
      if (answer == null) {
        return false;
      }
      Set<String> same = answersByQuestion.get(question(row));
      if (same != null && !same.contains(answer)) {
        return true;
      }
      String fact = row.tags().get(FACT);
      Set<String> stated = fact == null ? null : answersByFact.get(fact);
      return stated != null && !stated.contains(answer);
    }

    private static @Nullable String answer(Row row) {
      List<Message> messages = row.messages();
      return messages.isEmpty() ? null : messages.get(messages.size() - 1).summary().strip();
    }

    private static String question(Row row) {
      StringBuilder text = new StringBuilder();
      for (Message message : row.messages().subList(0, row.messages().size() - 1)) {
        text.append(message.role())
            .append(':')
            .append(message.summary().strip().toLowerCase(Locale.ROOT).replaceAll("\\s+", " "))
            .append('\n');
      }
      return text.toString();
    }
  }
}
