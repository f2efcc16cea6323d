package dev.cambium.engine.training;

import dev.cambium.engine.backend.Natives;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.Trainable.PositionLoss;
import dev.cambium.engine.text.TokenMap;
import dev.cambium.engine.text.Tokenizer;
import dev.cambium.model.Distillation;
import dev.cambium.model.Json;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * Distillation: the divergence of a student from a teacher at every token of the student's answers
 * (Hinton et al., 2015; Agarwal et al., 2024).
 *
 * <p>The teacher reads its own rendering of each prompt, then the student's answer in its own
 * tokens. Where both have the same tokens, in any order of ids, distributions are compared token by
 * token. Otherwise the answer is cut into spans that begin and end at the same characters:
 *
 * <ul>
 *   <li>a span of one token on each side compares the probabilities of the tokens that both have,
 *       all others as one; and what lies among these others by their sorted probabilities
 *       (universal logit distance; Boizard et al., 2024);
 *   <li>a longer one compares the probability of the span as a whole, the product over its tokens,
 *       with that of anything else; and the sorted probabilities where it begins.
 * </ul>
 *
 * <p>A span counts as often as it has tokens of the student. The tokens that end a turn count as
 * one, whatever they are called.
 */
public final class Teacher implements Objective {

  /** A model with its own cutting of text. */
  public record Side(Decoder decoder, Tokenizer tokenizer, int endOfTurn) {}

  /** Below this a probability is this: no logarithm of nothing. */
  private static final double LEAST = 1e-7;

  private record Prompt(int[] tokens) {
    @Override
    public boolean equals(Object other) {
      return other instanceof Prompt prompt && Arrays.equals(tokens, prompt.tokens);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(tokens);
    }
  }

  private final Decoder teacher;
  private final Side student;
  private final Side other;
  private final Distillation how;
  private final boolean sameTokens;
  private final int[] targets;
  private final long[] common;
  private final long[] commonOfTeacher;
  private final Map<Prompt, int[]> prompts = new HashMap<>();

  /**
   * A teacher of one student.
   *
   * @param student whom it teaches; its decoder is asked for its shape only
   * @param teacher with its adapter attached; stays the caller's to close
   * @param tokens of the student as the old ones, of the teacher as the new ones
   */
  public Teacher(Side student, Side teacher, TokenMap tokens, Distillation how) {
    this.teacher = teacher.decoder;
    this.student = student;
    this.other = teacher;
    this.how = how;
    this.sameTokens = tokens.sameTokens();
    int size = Math.min(tokens.oldSize(), student.decoder.config().vocabularySize());
    this.targets = new int[size];
    for (int id = 0; id < size; id++) {
      int target = tokens.target(id);
      targets[id] = target < teacher.decoder.config().vocabularySize() ? target : -1;
    }
    swapEnds();
    common =
        java.util.stream.IntStream.range(0, size)
            .filter(i -> targets[i] >= 0)
            .asLongStream()
            .toArray();
    commonOfTeacher = Arrays.stream(common).map(i -> targets[(int) i]).toArray();
  }

  /** The end of a turn is the end of a turn, though the two name it differently. */
  private void swapEnds() {
    int end = student.endOfTurn;
    if (end >= 0
        && end < targets.length
        && other.endOfTurn >= 0
        && targets[end] != other.endOfTurn) {
      int before = targets[end];
      for (int id = 0; id < targets.length; id++) {
        if (targets[id] == other.endOfTurn) {
          targets[id] = before;
        }
      }
      targets[end] = other.endOfTurn;
    }
  }

  /**
   * Tells how the teacher reads a prompt; without this it reads the student's tokens one by one.
   *
   * @param ofStudent ids of the prompt for the student
   * @param ofTeacher ids of the prompt for the teacher
   */
  public void prompt(int[] ofStudent, int[] ofTeacher) {
    prompts.put(new Prompt(ofStudent.clone()), ofTeacher.clone());
  }

  /** Whether distributions are compared token by token. */
  public boolean hasSameTokens() {
    return sameTokens;
  }

  /** Whether the teacher has a token for one of the student's; always, where spans are compared. */
  public boolean knows(int token) {
    return !sameTokens || (token >= 0 && token < targets.length && targets[token] >= 0);
  }

  @Override
  public String name() {
    return "distill-" + Json.digest(how).brief() + (sameTokens ? "" : "-spans");
  }

  @Override
  public boolean alone() {
    return true;
  }

  @Override
  public Tensor sum(Tensor logits, Tensor targets) {
    throw new IllegalStateException("a teacher judges rows, not positions by themselves");
  }

  @Override
  public PositionLoss of(int[][] rows, int[][] positions, int[][] targets) {
    return sameTokens
        ? new ByToken(rows, positions, targets)
        : new BySpan(rows, positions, targets);
  }

  /** A row of the student's: what it reads and the last target. */
  private static int[] whole(int[] row, int[] positions, int[] targets) {
    int last = positions.length - 1;
    if (positions[last] < row.length - 1) {
      return row;
    }
    int[] whole = Arrays.copyOf(row, row.length + 1);
    whole[row.length] = targets[last];
    return whole;
  }

  private int[] promptOf(int[] prompt) {
    int[] known = prompts.get(new Prompt(prompt));
    if (known != null) {
      return known;
    }
    return Arrays.stream(prompt)
        .map(t -> t < targets.length ? targets[t] : -1)
        .filter(t -> t >= 0)
        .toArray();
  }

  private static int[] joined(int[] a, int[] b) {
    int[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  /** Token by token. */
  private final class ByToken implements PositionLoss {
    private final Tensor states;

    ByToken(int[][] rows, int[][] positions, int[][] targetTokens) {
      int[][] read = new int[rows.length][];
      int[][] at = new int[rows.length][];
      for (int b = 0; b < rows.length; b++) {
        int[] whole = whole(rows[b], positions[b], targetTokens[b]);
        int begin = positions[b][0] + 1;
        int[] prompt = promptOf(Arrays.copyOf(whole, begin));
        int[] answer = new int[whole.length - begin];
        for (int i = 0; i < answer.length; i++) {
          int token = whole[begin + i];
          if (!knows(token)) {
            throw new IllegalArgumentException("the teacher has no token for " + token);
          }
          answer[i] = targets[token];
        }
        int[] all = joined(prompt, answer);
        read[b] = Arrays.copyOf(all, all.length - 1);
        at[b] = Arrays.stream(positions[b]).map(p -> p - begin + prompt.length).toArray();
      }
      states = teacher.states(read, at);
    }

    @Override
    public Tensor sum(Tensor logits, Tensor targetIds) {
      throw new IllegalStateException("which positions these are must be told");
    }

    @Override
    public Tensor sum(Tensor logits, Tensor targetIds, int from) {
      Tensor theirs = teacher.logits(states.narrow(0, from, logits.size(0)));
      Tensor ours = logits.log_softmax(1);
      // The rest are rows of an embedding without a token.
      Tensor p = theirs.index_select(1, Natives.longs(commonOfTeacher)).log_softmax(1).detach();
      Tensor q =
          common.length == logits.size(1) ? ours : ours.index_select(1, Natives.longs(common));
      return withLabels(Divergence.of(how, p, q).sum(), ours, targetIds);
    }
  }

  /** The divergence and, with their weight, what was recorded. */
  private Tensor withLabels(Tensor divergence, Tensor logProbabilities, Tensor targetIds) {
    if (how.labels() == 0) {
      return divergence;
    }
    Tensor missed = logProbabilities.gather(1, targetIds.unsqueeze(1)).sum().neg();
    return divergence.mul(new Scalar(1 - how.labels())).add(missed.mul(new Scalar(how.labels())));
  }

  /** A span, by positions that predict it, counted over the pass for each side. */
  private record Stretch(int from, int to, int teacherFrom, int teacherTo, boolean oneToOne) {}

  /** By spans of equal text. */
  private final class BySpan implements PositionLoss {
    private final Tensor states;
    private final int[] teacherTargets;
    private final List<Stretch> stretches = new ArrayList<>();
    private final int[] rowEnds;

    BySpan(int[][] rows, int[][] positions, int[][] targetTokens) {
      int[][] read = new int[rows.length][];
      int[][] at = new int[rows.length][];
      List<int[]> theirTargets = new ArrayList<>();
      rowEnds = new int[rows.length];
      int ours = 0;
      int theirs = 0;
      for (int b = 0; b < rows.length; b++) {
        int[] whole = whole(rows[b], positions[b], targetTokens[b]);
        int begin = positions[b][0] + 1;
        int[] prompt = promptOf(Arrays.copyOf(whole, begin));
        int[] answer = Arrays.copyOfRange(whole, begin, whole.length);
        boolean ended = answer[answer.length - 1] == student.endOfTurn;
        int[] said = ended ? Arrays.copyOf(answer, answer.length - 1) : answer;
        int[] theirSaid = other.tokenizer.encodePlain(student.tokenizer.decode(said, false));
        boolean end = ended && other.endOfTurn >= 0;
        int[] theirAnswer = end ? joined(theirSaid, new int[] {other.endOfTurn}) : theirSaid;
        if (prompt.length == 0) { // nothing predicts a first token
          prompt = new int[] {other.tokenizer.bos().orElse(Math.max(0, other.endOfTurn))};
        }
        int[] all = joined(prompt, theirAnswer);
        read[b] = all.length > prompt.length ? Arrays.copyOf(all, all.length - 1) : all;
        int first = prompt.length - 1;
        at[b] =
            java.util.stream.IntStream.range(0, theirAnswer.length).map(i -> first + i).toArray();
        theirTargets.add(theirAnswer);
        for (Spans.Span span : Spans.of(student.tokenizer, said, other.tokenizer, theirSaid)) {
          stretches.add(
              new Stretch(
                  ours + span.from(),
                  ours + span.to(),
                  theirs + span.otherFrom(),
                  theirs + span.otherTo(),
                  span.isOneToOne()));
        }
        if (end) {
          int last = ours + said.length;
          int theirLast = theirs + theirSaid.length;
          stretches.add(new Stretch(last, last + 1, theirLast, theirLast + 1, true));
        }
        ours += positions[b].length;
        theirs += theirAnswer.length;
        rowEnds[b] = ours;
      }
      states = teacher.states(read, at);
      teacherTargets = theirTargets.stream().flatMapToInt(Arrays::stream).toArray();
    }

    /** Rows are not cut: a span may not be. */
    @Override
    public int together(int from, int most) {
      int to = from;
      for (int end : rowEnds) {
        if (end > from && (to == from || end - from <= most)) {
          to = end;
        }
      }
      return to - from;
    }

    @Override
    public Tensor sum(Tensor logits, Tensor targetIds) {
      throw new IllegalStateException("which positions these are must be told");
    }

    @Override
    public Tensor sum(Tensor logits, Tensor targetIds, int from) {
      int to = from + Math.toIntExact(logits.size(0));
      Tensor ours = logits.log_softmax(1);
      Tensor chosen = ours.gather(1, targetIds.unsqueeze(1)).squeeze(1);
      List<Stretch> single = new ArrayList<>();
      Tensor total = chosen.sum().mul(new Scalar(0.0));
      for (Stretch stretch : stretches) {
        if (stretch.from < from || stretch.to > to) {
          continue;
        }
        if (stretch.oneToOne) {
          single.add(stretch);
        } else {
          total =
              total.add(
                  merged(stretch, ours, targetIds, from)
                      .mul(new Scalar(stretch.to - stretch.from)));
        }
      }
      return withLabels(
          single.isEmpty() ? total : total.add(single(single, ours, from)), ours, targetIds);
    }

    /** log P of the teacher's tokens: places × vocabulary. */
    private Tensor theirs(int from, int count) {
      return teacher.logits(states.narrow(0, from, count)).log_softmax(1).detach();
    }

    private Tensor merged(Stretch stretch, Tensor ours, Tensor targetIds, int from) {
      int count = stretch.teacherTo - stretch.teacherFrom;
      Tensor theirs = theirs(stretch.teacherFrom, count);
      long[] tokens = new long[count];
      for (int i = 0; i < count; i++) {
        tokens[i] = teacherTargets[stretch.teacherFrom + i];
      }
      Tensor mine = ours.narrow(0, stretch.from - from, stretch.to - stretch.from);
      Tensor own = targetIds.narrow(0, stretch.from - from, stretch.to - stretch.from);
      Tensor p = orNot(theirs, Natives.longs(tokens, count, 1));
      Tensor q = orNot(mine, own.unsqueeze(1));
      Tensor whole = Divergence.of(how, p, q).sum();
      Tensor begin = mine.narrow(0, 0, 1);
      return whole.add(sorted(begin.exp(), theirs.narrow(0, 0, 1).exp()));
    }

    /**
     * Log-probabilities of some tokens after one another, and of anything else: that the first is
     * another, or that it is the first and the second is another, and so on. As a difference to one
     * the latter would be nothing but rounding where the tokens are nearly certain.
     */
    private static Tensor orNot(Tensor lines, Tensor tokens) {
      Tensor each = lines.gather(1, tokens);
      Tensor others = lines.scatter(1, tokens, new Scalar(Double.NEGATIVE_INFINITY));
      Tensor before = each.cumsum(0).sub(each);
      TensorVector both = new TensorVector();
      both.push_back(each.sum(0));
      both.push_back(least(before.squeeze(1).add(others.logsumexp(1)).logsumexp(0).reshape(1)));
      return torch.stack(both, 1);
    }

    private static Tensor least(Tensor logProbabilities) {
      return logProbabilities.clamp_min(new Scalar(Math.log(LEAST)));
    }

    private Tensor single(List<Stretch> spans, Tensor ours, int from) {
      long[] at = new long[spans.size()];
      TensorVector lines = new TensorVector();
      for (int i = 0; i < at.length; i++) {
        at[i] = spans.get(i).from - from;
        lines.push_back(states.narrow(0, spans.get(i).teacherFrom, 1));
      }
      Tensor theirs = teacher.logits(torch.cat(lines, 0)).log_softmax(1).detach();
      Tensor mine = ours.index_select(0, Natives.longs(at));
      Tensor p = theirs.index_select(1, Natives.longs(commonOfTeacher));
      Tensor q = mine.index_select(1, Natives.longs(common));
      Tensor rest = columns(mine, without(common, Math.toIntExact(mine.size(1))));
      Tensor theirRest = columns(theirs, without(commonOfTeacher, Math.toIntExact(theirs.size(1))));
      Tensor known = Divergence.of(how, withRest(p, theirRest), withRest(q, rest)).sum();
      if (rest.size(1) == 0 && theirRest.size(1) == 0) {
        return known;
      }
      return known.add(sorted(rest.exp(), theirRest.exp()));
    }

    /** One more column: what the others have together, however little. */
    private static Tensor withRest(Tensor logProbabilities, Tensor others) {
      TensorVector both = new TensorVector();
      both.push_back(logProbabilities);
      both.push_back(least(others.logsumexp(new long[] {1}, true)));
      return torch.cat(both, 1);
    }

    private static Tensor columns(Tensor lines, long[] columns) {
      return columns.length == 0
          ? lines.narrow(1, 0, 0)
          : lines.index_select(1, Natives.longs(columns));
    }

    private static long[] without(long[] ids, int size) {
      boolean[] gone = new boolean[size];
      for (long id : ids) {
        gone[(int) id] = true;
      }
      return java.util.stream.IntStream.range(0, size)
          .filter(i -> !gone[i])
          .asLongStream()
          .toArray();
    }

    /** Σ |sorted P − sorted Q|, the shorter filled up with nothing. */
    private static Tensor sorted(Tensor ours, Tensor theirs) {
      long width = Math.max(ours.size(1), theirs.size(1));
      Tensor a = torch.sort(filled(ours, width), 1, true).get0();
      Tensor b = torch.sort(filled(theirs, width), 1, true).get0();
      return a.sub(b).abs().sum();
    }

    private static Tensor filled(Tensor values, long width) {
      if (values.size(1) == width) {
        return values;
      }
      TensorVector both = new TensorVector();
      both.push_back(values);
      both.push_back(
          torch.zeros(new long[] {values.size(0), width - values.size(1)}, values.options()));
      return torch.cat(both, 1);
    }
  }
}
