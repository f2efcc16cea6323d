package dev.cambium.loop.headroom;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cambium.model.Json;
import dev.cambium.model.ProbeTask;
import dev.cambium.model.Row;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class ProbeTasksTest {

  private static final List<ProbeTask> TASKS = ProbeTasks.of(5, 0, 3, 3);

  private static String question(Row row) {
    return row.messages().get(0).content();
  }

  private static String answer(Row row) {
    return row.messages().get(1).content();
  }

  private static Set<String> questions(List<ProbeTask> tasks) {
    return tasks.stream()
        .flatMap(t -> t.train().stream())
        .map(ProbeTasksTest::question)
        .collect(Collectors.toSet());
  }

  @Test
  void thereAreSeveralKindsEachWithItsTasksAndSeeds() {
    assertThat(TASKS).hasSize(ProbeTasks.KINDS.size() * 3 * 3);
    assertThat(TASKS.stream().map(ProbeTask::task).distinct()).hasSize(9);
    for (ProbeTask task : TASKS) {
      assertThat(task.train()).hasSize(ProbeTasks.TRAINED);
      assertThat(TASKS.stream().filter(t -> t.task().equals(task.task())).map(ProbeTask::seed))
          .doesNotHaveDuplicates()
          .hasSize(3);
    }
  }

  @Test
  void theyAreAFunctionOfSeedAndRotation() {
    assertThat(ProbeTasks.of(5, 0, 3, 3)).isEqualTo(TASKS);
    for (List<ProbeTask> others : List.of(ProbeTasks.of(6, 0, 3, 3), ProbeTasks.of(5, 1, 3, 3))) {
      Set<String> shared = questions(others);
      shared.retainAll(questions(TASKS));
      assertThat(shared).hasSizeLessThan(questions(TASKS).size() / 50);
    }
    assertThat(ProbeTasks.rotation(1)).isEqualTo(ProbeTasks.rotation(ProbeTasks.ROTATION));
    assertThat(ProbeTasks.rotation(ProbeTasks.ROTATION + 1)).isEqualTo(1);
    // A smaller probe is a part of a larger one, so that a contract can ask for less.
    assertThat(TASKS).containsAll(ProbeTasks.of(5, 0, 1, 3));
  }

  @Test
  void textIsShortAndPlain() {
    for (ProbeTask task : TASKS) {
      for (Row row : task.train()) {
        assertThat(question(row) + answer(row)).matches("[ -~]{1,40}");
      }
    }
  }

  @Test
  void whatIsMeasuredFollowsFromWhatIsLearntAndWasNotLearntItself() {
    for (ProbeTask task : TASKS) {
      Set<String> learnt = new HashSet<>();
      task.train().forEach(row -> learnt.add(question(row)));
      assertThat(learnt).as("each question once").hasSize(task.train().size());
      assertThat(task.heldOut()).noneMatch(row -> learnt.contains(question(row)));
      if (task.kind().equals("associations")) {
        assertThat(task.measured()).isEqualTo(task.train());
        assertThat(task.train().stream().map(ProbeTasksTest::answer).distinct()).hasSize(4);
      } else {
        assertThat(task.measured()).hasSize(8);
        for (Row row : task.heldOut()) {
          String[] words = question(row).split(" ");
          for (int place = 1; place <= 2; place++) {
            int at = place;
            assertThat(task.train())
                .as("%s is learnt at place %d", row, place)
                .anyMatch(known -> question(known).split(" ")[at].equals(words[at]));
          }
        }
      }
    }
  }

  @Test
  void aRuleDependsOnOneOfItsWordsOnly() {
    for (ProbeTask task : TASKS) {
      if (!task.kind().equals("rule")) {
        continue;
      }
      List<Row> all = new java.util.ArrayList<>(task.train());
      all.addAll(task.heldOut());
      boolean first = decides(all, 1);
      assertThat(first).isNotEqualTo(decides(all, 2));
    }
  }

  private static boolean decides(List<Row> rows, int place) {
    return rows.stream()
        .collect(
            Collectors.groupingBy(
                row -> question(row).split(" ")[place],
                Collectors.mapping(ProbeTasksTest::answer, Collectors.toSet())))
        .values()
        .stream()
        .allMatch(answers -> answers.size() == 1);
  }

  @Test
  void aFileHoldsOneTaskALine() {
    List<String> lines =
        new String(ProbeTasks.encode(TASKS), StandardCharsets.UTF_8).lines().toList();
    assertThat(lines).hasSize(TASKS.size());
    for (int i = 0; i < lines.size(); i++) {
      assertThat(Json.read(lines.get(i).getBytes(StandardCharsets.UTF_8), ProbeTask.class))
          .isEqualTo(TASKS.get(i));
    }
  }
}
