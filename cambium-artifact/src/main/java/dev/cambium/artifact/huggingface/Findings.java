package dev.cambium.artifact.huggingface;

import dev.cambium.artifact.huggingface.Problem.Severity;
import dev.cambium.artifact.safetensors.DType;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Gathers what an inspection finds. */
final class Findings {

  /** Of problems that repeat per tensor, so many are listed; the rest is counted. */
  private static final int LISTED = 20;

  private final List<Problem> problems = new ArrayList<>();
  private final Map<String, List<Problem>> repeated = new LinkedHashMap<>();
  private final SortedMap<String, String> facts = new TreeMap<>();
  private final SortedMap<String, Long> files = new TreeMap<>();
  private final List<Inspection.TensorSummary> tensors = new ArrayList<>();
  private final SortedSet<DType> dtypes = new TreeSet<>();
  private long parameters;
  private String architecture = "";

  void refuse(String file, String key, String found, String expected, String remedy) {
    problems.add(new Problem(Severity.REFUSED, file, key, found, expected, remedy));
  }

  void warn(String file, String key, String found, String expected, String remedy) {
    problems.add(new Problem(Severity.WARNING, file, key, found, expected, remedy));
  }

  /**
   * Refuses something that may repeat for every tensor of a model: only the first are listed.
   *
   * @param sort what repeats, for a person: {@code missing tensors}
   */
  void refuseEach(
      String sort, String file, String key, String found, String expected, String remedy) {
    Problem problem = new Problem(Severity.REFUSED, file, key, found, expected, remedy);
    List<Problem> alike = repeated.computeIfAbsent(sort, s -> new ArrayList<>());
    alike.add(problem);
    if (alike.size() <= LISTED) {
      problems.add(problem);
    }
  }

  /** How many refusals there are so far. */
  int refusals() {
    return (int) problems.stream().filter(p -> p.severity() == Severity.REFUSED).count();
  }

  /**
   * Ends a reading that cannot go on with what was refused.
   *
   * @throws IllegalArgumentException with every refusal
   */
  void throwIfRefused() {
    if (refusals() > 0) {
      throw new IllegalArgumentException(
          problems.stream()
              .filter(p -> p.severity() == Severity.REFUSED)
              .map(Problem::line)
              .collect(Collectors.joining("\n")));
    }
  }

  void fact(String name, Object value) {
    facts.put(name, value.toString());
  }

  void architecture(String name) {
    architecture = name;
  }

  void file(String name, long size) {
    files.put(name, size);
  }

  void tensor(Inspection.TensorSummary tensor, long elements) {
    tensors.add(tensor);
    dtypes.add(tensor.dtype());
    parameters += elements;
  }

  Inspection result(String location, Inspection.Kind kind, List<String> ignored) {
    repeated.forEach(
        (sort, alike) -> {
          if (alike.size() > LISTED) {
            refuse(
                ".",
                "",
                alike.size() + " " + sort,
                "none",
                "The first " + LISTED + " are listed above. " + alike.get(0).remedy());
          }
        });
    problems.sort(Comparator.comparing(Problem::severity)); // Stable: in the order found.
    tensors.sort(Comparator.comparing(Inspection.TensorSummary::name));
    return new Inspection(
        location,
        kind,
        architecture,
        parameters,
        dtypes,
        files.values().stream().mapToLong(Long::longValue).sum(),
        facts,
        files.entrySet().stream()
            .map(e -> new Inspection.ContentFile(e.getKey(), e.getValue()))
            .toList(),
        ignored,
        tensors,
        problems);
  }
}
