package dev.cambium.bench.peer;

import java.util.List;

/**
 * One piece of work with its data, as both sides read it from a JSON file. Token ids are given, so
 * that both sides work on the same; texts as well, for the side that encodes them by itself.
 *
 * @param work which
 * @param model Hugging Face directory
 * @param variant how the peer does it
 * @param threads of one operation
 * @param steps of training in one run
 * @param rows token ids to train on, or to generate from
 * @param supervisedFrom for each row the first token that carries loss
 * @param newTokens generated for each row, at most
 * @param stops tokens that end an answer; none where every row gets all its tokens
 * @param system the instruction ahead of every question
 * @param questions texts behind the rows, for evaluation
 * @param choices answers to choose from
 * @param continuations for each row the token ids of each choice
 */
record Task(
    Work work,
    String model,
    String variant,
    int threads,
    int steps,
    List<List<Integer>> rows,
    List<Integer> supervisedFrom,
    int newTokens,
    List<Integer> stops,
    String system,
    List<String> questions,
    List<String> choices,
    List<List<List<Integer>>> continuations) {

  /** The same, done in another way. */
  Task with(String otherVariant, int otherThreads) {
    return new Task(
        work,
        model,
        otherVariant,
        otherThreads,
        steps,
        rows,
        supervisedFrom,
        newTokens,
        stops,
        system,
        questions,
        choices,
        continuations);
  }

  int[][] rowArrays() {
    return rows.stream().map(Task::array).toArray(int[][]::new);
  }

  static int[] array(List<Integer> ids) {
    return ids.stream().mapToInt(Integer::intValue).toArray();
  }
}
