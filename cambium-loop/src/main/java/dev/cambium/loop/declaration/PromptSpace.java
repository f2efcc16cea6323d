package dev.cambium.loop.declaration;

import dev.cambium.model.Application;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What may be tried of an application's prompt where it does not do on a new parent: each of these
 * beside what the application says itself, and all their combinations.
 *
 * @param systems instructions
 * @param prompts templates of the user's turn
 * @param examples questions with their answers, of which the first few are shown
 * @param shots how many of them
 * @param maxNewTokens lengths of the longest answer
 * @param share of each suite that is set aside for the search, in (0, 0.5]
 */
public record PromptSpace(
    List<String> systems,
    List<String> prompts,
    List<Application.Example> examples,
    List<Integer> shots,
    List<Integer> maxNewTokens,
    double share) {

  static final double USUAL_SHARE = 0.25;

  /** Combinations that may be declared: what is more than these cannot be told apart anyway. */
  static final int MOST_CANDIDATES = 24;

  /** Items of one suite, as many as other searches take. */
  private static final int MOST_ITEMS = 60;

  public PromptSpace {
    systems = List.copyOf(systems);
    prompts = List.copyOf(prompts);
    examples = List.copyOf(examples);
    shots = List.copyOf(shots);
    maxNewTokens = List.copyOf(maxNewTokens);
  }

  /** How many items of a suite the search gets. */
  public int items(int suite) {
    return Math.min(MOST_ITEMS, (int) Math.round(share * suite));
  }

  /**
   * All that is tried, each once.
   *
   * @param current what the version says that is to be carried; comes first
   * @param declared what the application's file says; comes before its variations
   */
  public List<Application> candidates(Application current, Application declared) {
    Set<Application> found = new LinkedHashSet<>(List.of(current));
    for (int tokens : with(declared.maxNewTokens(), maxNewTokens)) {
      for (List<Application.Example> shown : with(declared.examples(), shown())) {
        for (Optional<String> system : texts(declared.system(), systems)) {
          for (Optional<String> prompt : texts(declared.prompt(), prompts)) {
            found.add(
                new Application(
                    system.orElse(null),
                    prompt.orElse(null),
                    shown,
                    declared.tools(),
                    tokens,
                    declared.temperature()));
          }
        }
      }
    }
    return List.copyOf(found);
  }

  private List<List<Application.Example>> shown() {
    return shots.stream().map(count -> examples.subList(0, count)).toList();
  }

  /** What there is, and others. */
  private static <T> List<T> with(T own, List<T> others) {
    return Stream.concat(Stream.of(own), others.stream()).toList();
  }

  /** A text, which may be none, and others. */
  private static List<Optional<String>> texts(@Nullable String own, List<String> others) {
    return with(Optional.ofNullable(own), others.stream().map(Optional::of).toList());
  }
}
