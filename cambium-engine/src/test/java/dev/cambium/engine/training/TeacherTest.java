package dev.cambium.engine.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.engine.ModelInitializer;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.Logits;
import dev.cambium.engine.decoder.SplitMix64;
import dev.cambium.engine.decoder.Trainable;
import dev.cambium.engine.text.RowEncoder;
import dev.cambium.engine.text.TokenMap;
import dev.cambium.model.Distillation;
import dev.cambium.model.Distillation.Divergence;
import dev.cambium.model.Message;
import dev.cambium.model.Progress;
import dev.cambium.model.Recipe;
import dev.cambium.model.Row;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TeacherTest {

  @TempDir static Path dir;
  private static List<Row> rows;
  private static Path one;
  private static Path coarse;

  @BeforeAll
  static void tokenizers() {
    rows = new ArrayList<>();
    String[] things = {"card", "account", "statement", "transfer", "payment"};
    String[] fates = {"lost", "blocked", "pending", "refunded", "stolen"};
    for (String thing : things) {
      for (String fate : fates) {
        rows.add(
            Row.qa(
                "r" + rows.size(),
                "my " + thing + " is " + fate,
                "the " + thing + " was " + fate + " yesterday",
                Map.of()));
      }
    }
    one = dir.resolve("one");
    ModelInitializer.initialize(rows, new ModelInitializer.Shape(1, 16, 2, 1, 24, 340, 64), 1, one);
    coarse = dir.resolve("coarse");
    ModelInitializer.initialize(
        rows, new ModelInitializer.Shape(1, 16, 2, 1, 24, 275, 96), 1, coarse);
  }

  private static Decoder loud(Path tokenizerOf, long seed) {
    DecoderConfig like = DecoderConfig.read(tokenizerOf);
    Decoder decoder =
        Decoder.random(
            DecoderConfig.builder()
                .hiddenSize(16)
                .layers(2)
                .heads(2)
                .keyValueHeads(1)
                .intermediateSize(24)
                .vocabularySize(like.vocabularySize())
                .maxPositions(96)
                .initializerRange(0.3)
                .build(),
            seed);
    return decoder;
  }

  private static Distillation how(Divergence divergence) {
    return new Distillation(0.5, 0.5, divergence, 0.3, 1);
  }

  private static double[] logSoftmax(float[] line) {
    double most = Double.NEGATIVE_INFINITY;
    for (float value : line) {
      most = Math.max(most, value);
    }
    double sum = 0;
    for (float value : line) {
      sum += Math.exp(value - most);
    }
    double[] result = new double[line.length];
    for (int i = 0; i < line.length; i++) {
      result[i] = line[i] - most - Math.log(sum);
    }
    return result;
  }

  private static double[][] lines(Decoder decoder, int[] row, int[] positions) {
    double[][] lines = new double[positions.length][];
    try (Logits logits = decoder.logits(new int[][] {row}, new int[][] {positions})) {
      for (int i = 0; i < lines.length; i++) {
        lines[i] = logSoftmax(logits.line(i));
      }
    }
    return lines;
  }

  private static double divergence(Distillation how, double[] p, double[] q) {
    double sum = 0;
    for (int i = 0; i < p.length; i++) {
      double beta = how.mixture();
      double m = Math.log(beta * Math.exp(p[i]) + (1 - beta) * Math.exp(q[i]));
      sum +=
          switch (how.divergence()) {
            case FORWARD_KL -> Math.exp(p[i]) * (p[i] - q[i]);
            case REVERSE_KL -> Math.exp(q[i]) * (q[i] - p[i]);
            case JSD ->
                beta * Math.exp(p[i]) * (p[i] - m) + (1 - beta) * Math.exp(q[i]) * (q[i] - m);
          };
    }
    return sum;
  }

  /** A row as a student reads it, and its answer. */
  private record Case(int[] prompt, int[] answer) {
    static Case of(RowEncoder encoder, Row row) {
      int[] prompt = encoder.prompt(row.messages().subList(0, 1), List.of());
      int[] all = encoder.row(row, 999).ids();
      int end = all.length;
      while (!encoder.row(row, 999).supervised()[end - 1]) {
        end--;
      }
      return new Case(prompt, Arrays.copyOfRange(all, prompt.length, end));
    }

    int[] whole() {
      int[] whole = Arrays.copyOf(prompt, prompt.length + answer.length);
      System.arraycopy(answer, 0, whole, prompt.length, answer.length);
      return whole;
    }

    int[] inputs() {
      return Arrays.copyOf(whole(), prompt.length + answer.length - 1);
    }

    int[] positions() {
      int[] positions = new int[answer.length];
      Arrays.setAll(positions, i -> prompt.length - 1 + i);
      return positions;
    }

    int end() {
      return answer[answer.length - 1];
    }
  }

  private static double loss(Trainable trainable, Teacher teacher, List<Case> cases) {
    return trainable.accumulate(
        cases.stream().map(Case::inputs).toArray(int[][]::new),
        cases.stream().map(Case::positions).toArray(int[][]::new),
        cases.stream().map(Case::answer).toArray(int[][]::new),
        teacher,
        1);
  }

  /** One whose tokens are the student's. */
  private static Teacher teacher(
      RowEncoder encoder, Decoder student, Decoder master, int endOfTurn, Distillation how) {
    return new Teacher(
        new Teacher.Side(student, encoder.tokenizer(), endOfTurn),
        new Teacher.Side(master, encoder.tokenizer(), endOfTurn),
        TokenMap.between(one, one),
        how);
  }

  @ParameterizedTest
  @EnumSource(Divergence.class)
  void tokenByTokenItIsTheDivergenceByItsDefinition(Divergence divergence) throws IOException {
    try (RowEncoder encoder = RowEncoder.load(one);
        Decoder student = loud(one, 3);
        Decoder master = loud(one, 4)) {
      List<Case> cases = List.of(Case.of(encoder, rows.get(0)), Case.of(encoder, rows.get(7)));
      int end = cases.get(0).end();
      Teacher teacher = teacher(encoder, student, master, end, how(divergence));
      assertThat(teacher.hasSameTokens()).isTrue();
      double expected = 0;
      for (Case one : cases) {
        double[][] ours = lines(student, one.inputs(), one.positions());
        double[][] theirs = lines(master, one.inputs(), one.positions());
        for (int i = 0; i < ours.length; i++) {
          expected += divergence(how(divergence), theirs[i], ours[i]);
        }
      }
      try (Trainable trainable = Trainable.of(student)) {
        assertThat(loss(trainable, teacher, cases)).isCloseTo(expected, within(1e-4 * expected));
        GradientTest.check(trainable, t -> loss(t, teacher, cases));
      }
    }
  }

  @Test
  void whatWasRecordedCountsByItsWeight() throws IOException {
    Distillation half = new Distillation(0.5, 0, Divergence.FORWARD_KL, 0.5, 1, 1, 1, 0.25);
    try (RowEncoder encoder = RowEncoder.load(one);
        Decoder student = loud(one, 3);
        Decoder master = loud(one, 4)) {
      List<Case> cases = List.of(Case.of(encoder, rows.get(0)), Case.of(encoder, rows.get(7)));
      int end = cases.get(0).end();
      Teacher teacher = teacher(encoder, student, master, end, half);
      double expected = 0;
      for (Case one : cases) {
        double[][] ours = lines(student, one.inputs(), one.positions());
        double[][] theirs = lines(master, one.inputs(), one.positions());
        for (int i = 0; i < ours.length; i++) {
          expected += 0.75 * divergence(half, theirs[i], ours[i]) - 0.25 * ours[i][one.answer()[i]];
        }
      }
      try (Trainable trainable = Trainable.of(student)) {
        assertThat(loss(trainable, teacher, cases)).isCloseTo(expected, within(1e-4 * expected));
        GradientTest.check(trainable, t -> loss(t, teacher, cases));
      }
    }
  }

  @Test
  void aPromptOfTheTeachersOwnIsReadInPlaceOfTheStudents() throws IOException {
    try (RowEncoder encoder = RowEncoder.load(one);
        Decoder student = loud(one, 3);
        Decoder master = loud(one, 4)) {
      Case asked = Case.of(encoder, rows.get(3));
      int[] own = encoder.prompt(List.of(Message.user("please: my card is lost")), List.of());
      Teacher teacher = teacher(encoder, student, master, asked.end(), Distillation.DEFAULT);
      teacher.prompt(asked.prompt(), own);
      Case theirs = new Case(own, asked.answer());
      double expected = 0;
      double[][] p = lines(master, theirs.inputs(), theirs.positions());
      double[][] q = lines(student, asked.inputs(), asked.positions());
      for (int i = 0; i < p.length; i++) {
        expected += divergence(Distillation.DEFAULT, p[i], q[i]);
      }
      try (Trainable trainable = Trainable.of(student)) {
        assertThat(loss(trainable, teacher, List.of(asked)))
            .isCloseTo(expected, within(1e-4 * expected));
      }
    }
  }

  /** Both cut text alike, but the student ends a turn by one token and the teacher by another. */
  @Test
  void theEndOfATurnIsOneTokenWhateverEachCallsIt() throws IOException {
    try (RowEncoder encoder = RowEncoder.load(one);
        Decoder student = loud(one, 3);
        Decoder master = loud(one, 4)) {
      Case asked = Case.of(encoder, rows.get(5));
      int end = asked.end();
      int theirEnd = 0;
      assertThat(end).isNotEqualTo(theirEnd);
      Teacher teacher =
          new Teacher(
              new Teacher.Side(student, encoder.tokenizer(), end),
              new Teacher.Side(master, encoder.tokenizer(), theirEnd),
              TokenMap.between(one, one),
              Distillation.DEFAULT);
      teacher.prompt(asked.prompt(), asked.prompt());
      double expected = 0;
      double[][] p = lines(master, asked.inputs(), asked.positions());
      double[][] q = lines(student, asked.inputs(), asked.positions());
      for (int i = 0; i < p.length; i++) {
        double theirs = p[i][theirEnd];
        p[i][theirEnd] = p[i][end];
        p[i][end] = theirs;
        expected += divergence(Distillation.DEFAULT, p[i], q[i]);
      }
      try (Trainable trainable = Trainable.of(student)) {
        assertThat(loss(trainable, teacher, List.of(asked)))
            .isCloseTo(expected, within(1e-4 * expected));
      }
    }
  }

  private static double sorted(double[] ours, double[] theirs) {
    double[] a = Arrays.stream(ours).map(Math::exp).sorted().toArray();
    double[] b = Arrays.stream(theirs).map(Math::exp).sorted().toArray();
    double sum = 0;
    for (int i = 1; i <= Math.max(a.length, b.length); i++) {
      double x = i <= a.length ? a[a.length - i] : 0;
      double y = i <= b.length ? b[b.length - i] : 0;
      sum += Math.abs(x - y);
    }
    return sum;
  }

  /** Two numbers: log p and log (1 − p). */
  private static double[] orNot(double logP) {
    return new double[] {logP, Math.log(1 - Math.exp(logP))};
  }

  @ParameterizedTest
  @EnumSource(Divergence.class)
  void otherTokensAreComparedBySpans(Divergence divergence) throws IOException {
    try (RowEncoder encoder = RowEncoder.load(one);
        RowEncoder theirEncoder = RowEncoder.load(coarse);
        Decoder student = loud(one, 3);
        Decoder master = loud(coarse, 4)) {
      Row row = rows.get(12);
      Case ours = Case.of(encoder, row);
      Case theirs = Case.of(theirEncoder, row);
      assertThat(theirs.answer().length).as("cut finer").isGreaterThan(ours.answer().length);
      TokenMap map = TokenMap.between(one, coarse);
      assertThat(map.sameTokens()).isFalse();
      Distillation how = how(divergence);
      Teacher teacher =
          new Teacher(
              new Teacher.Side(student, encoder.tokenizer(), ours.end()),
              new Teacher.Side(master, theirEncoder.tokenizer(), theirs.end()),
              map,
              how);
      teacher.prompt(ours.prompt(), theirs.prompt());
      double[][] p = lines(master, theirs.inputs(), theirs.positions());
      double[][] q = lines(student, ours.inputs(), ours.positions());
      int[] said = Arrays.copyOf(ours.answer(), ours.answer().length - 1);
      int[] theirSaid = Arrays.copyOf(theirs.answer(), theirs.answer().length - 1);
      List<Spans.Span> spans =
          new ArrayList<>(Spans.of(encoder.tokenizer(), said, theirEncoder.tokenizer(), theirSaid));
      spans.add(
          new Spans.Span(said.length, said.length + 1, theirSaid.length, theirSaid.length + 1));
      assertThat(spans.stream().filter(Spans.Span::isOneToOne)).isNotEmpty();
      assertThat(spans.stream().filter(s -> !s.isOneToOne())).isNotEmpty();
      double expected = 0;
      for (Spans.Span span : spans) {
        expected +=
            span.isOneToOne()
                ? single(how, p[span.otherFrom()], q[span.from()], map)
                : merged(how, span, p, q, theirs.answer(), ours.answer());
      }
      try (Trainable trainable = Trainable.of(student)) {
        assertThat(loss(trainable, teacher, List.of(ours)))
            .isCloseTo(expected, within(1e-5 * expected));
        // Sorted probabilities that meet leave a kink, and there are hundreds of them.
        GradientTest.check(trainable, t -> loss(t, teacher, List.of(ours)), 0.1);
      }
    }
  }

  private static double single(Distillation how, double[] p, double[] q, TokenMap map) {
    List<double[]> pairs = new ArrayList<>();
    List<Double> restOfOurs = new ArrayList<>();
    boolean[] taken = new boolean[p.length];
    double knownP = 0;
    double knownQ = 0;
    for (int id = 0; id < q.length; id++) {
      int there = map.target(id);
      if (there >= 0) {
        pairs.add(new double[] {p[there], q[id]});
        taken[there] = true;
        knownP += Math.exp(p[there]);
        knownQ += Math.exp(q[id]);
      } else {
        restOfOurs.add(q[id]);
      }
    }
    List<Double> restOfTheirs = new ArrayList<>();
    for (int id = 0; id < p.length; id++) {
      if (!taken[id]) {
        restOfTheirs.add(p[id]);
      }
    }
    pairs.add(
        new double[] {Math.log(Math.max(1e-7, 1 - knownP)), Math.log(Math.max(1e-7, 1 - knownQ))});
    double[] a = pairs.stream().mapToDouble(x -> x[0]).toArray();
    double[] b = pairs.stream().mapToDouble(x -> x[1]).toArray();
    return divergence(how, a, b)
        + sorted(
            restOfOurs.stream().mapToDouble(Double::doubleValue).toArray(),
            restOfTheirs.stream().mapToDouble(Double::doubleValue).toArray());
  }

  private static double merged(
      Distillation how, Spans.Span span, double[][] p, double[][] q, int[] theirs, int[] ours) {
    double ofTeacher = 0;
    for (int i = span.otherFrom(); i < span.otherTo(); i++) {
      ofTeacher += p[i][theirs[i]];
    }
    double ofStudent = 0;
    for (int i = span.from(); i < span.to(); i++) {
      ofStudent += q[i][ours[i]];
    }
    return (span.to() - span.from())
        * (divergence(how, orNot(ofTeacher), orNot(ofStudent))
            + sorted(q[span.from()], p[span.otherFrom()]));
  }

  private static Trainer.Builder taught(
      Recipe recipe, Decoder student, Decoder master, RowEncoder encoder, int end) {
    Teacher teacher = teacher(encoder, student, master, end, Distillation.DEFAULT);
    return Trainer.builder(recipe)
        .seed(3)
        .objective(teacher)
        .practice(new StudentAnswers(0.5, 1, 40, List.of(end), end, teacher::knows, 3));
  }

  private static DataMix mix(RowEncoder encoder) {
    List<TokenRow> tokens = new ArrayList<>();
    for (Row row : rows) {
      Case one = Case.of(encoder, row);
      tokens.add(TokenRow.from(one.whole(), one.prompt().length));
    }
    return DataMix.of(tokens);
  }

  private static Recipe recipe(int steps) {
    return new Recipe(
        Recipe.Method.FULL, null, steps, 8, 1, 48, 0.01, 0.1, Recipe.Schedule.COSINE, 0, 1, 0);
  }

  @Test
  void aStudentComesNearItsTeacherOnItsOwnAnswersToo() throws IOException {
    try (RowEncoder encoder = RowEncoder.load(one);
        Decoder student = loud(one, 3);
        Decoder master = loud(one, 4)) {
      DataMix mix = mix(encoder);
      int end = Case.of(encoder, rows.get(0)).end();
      Trainer.builder(recipe(60)).seed(1).build().train(master, mix);
      TrainingReport report =
          taught(recipe(50), student, master, encoder, end).build().train(student, mix);
      assertThat(report.finalLoss()).isLessThan(report.losses()[0] / 3.0);
    }
  }

  @Test
  void interruptedAndResumedGivesTheSameBytes(@TempDir Path folder) throws IOException {
    Progress crash =
        (task, done, total, note) -> {
          if (done == 7) {
            throw new IllegalStateException("power cut");
          }
        };
    try (RowEncoder encoder = RowEncoder.load(one);
        Decoder whole = loud(one, 3);
        Decoder parts = loud(one, 3);
        Decoder master = loud(one, 4)) {
      DataMix mix = mix(encoder);
      int end = Case.of(encoder, rows.get(0)).end();
      taught(recipe(10), whole, master, encoder, end).build().train(whole, mix);
      assertThatThrownBy(
              () ->
                  taught(recipe(10), parts, master, encoder, end)
                      .snapshots(folder, 3)
                      .progress("distill", crash)
                      .build()
                      .train(parts, mix))
          .hasMessage("power cut");
      try (Decoder again = loud(one, 3)) {
        TrainingReport report =
            taught(recipe(10), again, master, encoder, end)
                .snapshots(folder, 3)
                .build()
                .train(again, mix);
        assertThat(report.resumedFrom()).isEqualTo(6);
        for (String name : whole.shapes().keySet()) {
          assertThat(again.read(name)).as(name).isEqualTo(whole.read(name));
        }
      }
    }
  }

  @Test
  void ownAnswersAreTheShareThatIsAsked() throws IOException {
    try (RowEncoder encoder = RowEncoder.load(one);
        Decoder student = loud(one, 3)) {
      int end = Case.of(encoder, rows.get(0)).end();
      List<TokenRow> drawn = mix(encoder).sources().get(0).rows().subList(0, 5);
      StudentAnswers practice = new StudentAnswers(0.3, 1, 48, List.of(end), end, id -> true, 8);
      int changed = 0;
      for (int step = 0; step < 20; step++) {
        List<TokenRow> learnt = practice.rows(step, drawn, student);
        assertThat(practice.rows(step, drawn, student)).isEqualTo(learnt);
        for (int i = 0; i < drawn.size(); i++) {
          int begin = drawn.get(i).supervised().nextSetBit(0);
          assertThat(Arrays.copyOf(learnt.get(i).tokens(), begin))
              .isEqualTo(Arrays.copyOf(drawn.get(i).tokens(), begin));
          changed += learnt.get(i).equals(drawn.get(i)) ? 0 : 1;
        }
      }
      assertThat(changed).isEqualTo(30);
      assertThat(
              new StudentAnswers(0, 1, 48, List.of(end), end, id -> true, 8)
                  .rows(1, drawn, student))
          .isSameAs(drawn);
    }
  }

  @Test
  void spansBeginAndEndAtTheSameCharacters() throws IOException {
    try (RowEncoder a = RowEncoder.load(one);
        RowEncoder b = RowEncoder.load(coarse)) {
      SplitMix64 random = new SplitMix64(5);
      for (int run = 0; run < 50; run++) {
        String text =
            "the " + rows.get(random.nextInt(rows.size())).messages().get(1).content() + " é東 end";
        int[] ours = a.tokenizer().encodePlain(text);
        int[] theirs = b.tokenizer().encodePlain(text);
        StringBuilder whole = new StringBuilder();
        int at = 0;
        int there = 0;
        for (Spans.Span span : Spans.of(a.tokenizer(), ours, b.tokenizer(), theirs)) {
          assertThat(span.from()).isEqualTo(at);
          assertThat(span.otherFrom()).isEqualTo(there);
          String piece =
              a.tokenizer().decode(Arrays.copyOfRange(ours, span.from(), span.to()), false);
          assertThat(
                  b.tokenizer()
                      .decode(Arrays.copyOfRange(theirs, span.otherFrom(), span.otherTo()), false))
              .isEqualTo(piece);
          whole.append(piece);
          at = span.to();
          there = span.otherTo();
        }
        assertThat(whole.toString()).isEqualTo(text);
      }
    }
  }
}
