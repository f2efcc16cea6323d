package dev.cambium.model;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A memoised step: a function from content digests to content digests. Two actions with the same
 * {@link #key} are the same work, and it is done once.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "action")
@JsonSubTypes({
  @JsonSubTypes.Type(value = Action.Train.class, name = "train"),
  @JsonSubTypes.Type(value = Action.Answer.class, name = "answer"),
  @JsonSubTypes.Type(value = Action.Consolidate.class, name = "consolidate"),
  @JsonSubTypes.Type(value = Action.Transplant.class, name = "transplant"),
  @JsonSubTypes.Type(value = Action.Crossing.class, name = "crossing"),
  @JsonSubTypes.Type(value = Action.Merge.class, name = "merge"),
  @JsonSubTypes.Type(value = Action.Align.class, name = "align"),
  @JsonSubTypes.Type(value = Action.Distill.class, name = "distill"),
  @JsonSubTypes.Type(value = Action.Prompt.class, name = "prompt"),
  @JsonSubTypes.Type(value = Action.Evaluate.class, name = "evaluate"),
  @JsonSubTypes.Type(value = Action.Probe.class, name = "probe")
})
public sealed interface Action {

  /** The name of the kind of action, as in the JSON form. */
  default String kind() {
    return getClass().getSimpleName().toLowerCase(java.util.Locale.ROOT);
  }

  /**
   * The artifacts that the work starts from: manifests of versions, suites and data. Without them
   * it could not be carried out again.
   */
  List<Digest> inputs();

  /** Those of the {@link #inputs} that are manifests of versions. */
  List<Digest> versions();

  /**
   * The identity of the work: this action together with what else its result depends on.
   *
   * @param engineFingerprint see the engine: library versions, BLAS, kernels, threads, precision
   */
  default Digest key(String engineFingerprint) {
    return Digest.ofText(Json.digest(this) + "\n" + engineFingerprint);
  }

  /**
   * A share of a data mix.
   *
   * @param data digest of a file of {@link Row}s (JSON lines)
   * @param weight relative to the other shares; a batch holds rows in proportion
   */
  record DataShare(Digest data, double weight) {
    public DataShare {
      if (!(weight > 0)) {
        throw new IllegalArgumentException("a data share needs a positive weight, not " + weight);
      }
    }
  }

  /**
   * Trains. With {@link Recipe.Method#FULL} the result is a model that started from {@code start};
   * with {@link Recipe.Method#LORA} an adapter on {@code start}, continued from {@code adapter} if
   * that is given.
   *
   * @param start version whose effective model the training starts from
   * @param adapter version of an adapter to continue, its parent replaced by {@code start}
   * @param earlier data whose answers elastic weight consolidation protects; empty without it
   * @param foundation model whose spectrum spectral regularization keeps; none without it
   */
  record Train(
      Digest start,
      @Nullable Digest adapter,
      Recipe recipe,
      List<DataShare> mix,
      long seed,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) List<Digest> earlier,
      @Nullable Digest foundation)
      implements Action {
    /** Without anything that protection needs. */
    public Train(
        Digest start, @Nullable Digest adapter, Recipe recipe, List<DataShare> mix, long seed) {
      this(start, adapter, recipe, mix, seed, List.of(), null);
    }

    @SuppressWarnings("ConstantValue") // absent in JSON is null here
    public Train {
      mix = List.copyOf(mix);
      earlier = earlier == null ? List.of() : List.copyOf(earlier);
      if (mix.isEmpty()) {
        throw new IllegalArgumentException("training without data");
      }
    }

    @Override
    public List<Digest> versions() {
      return adapter == null ? List.of(start) : List.of(start, adapter);
    }

    @Override
    public List<Digest> inputs() {
      List<Digest> inputs = new ArrayList<>(versions());
      mix.forEach(share -> inputs.add(share.data()));
      return List.copyOf(inputs);
    }
  }

  /**
   * Lets a version answer the questions of some rows in its own words, and keeps the answers that a
   * scorer finds right.
   *
   * @param version any version that answers
   * @param rows digest of a file of {@link Row}s (JSON lines) with the right answers
   * @param scorer one that judges what is generated
   * @param temperature of the draws; 0 takes the likeliest token always
   */
  record Answer(Digest version, Digest rows, Scorer scorer, double temperature, long seed)
      implements Action {
    public Answer {
      if (!(temperature >= 0 && temperature <= 100)) {
        throw new IllegalArgumentException("temperature must be in [0, 100]: " + temperature);
      }
    }

    @Override
    public List<Digest> versions() {
      return List.of(version);
    }

    @Override
    public List<Digest> inputs() {
      return List.of(version, rows);
    }
  }

  /**
   * Writes an adapter into the weights of a model: a whole model that does the same.
   *
   * @param model version of a whole model
   * @param adapter version of an adapter that was made on it
   */
  record Consolidate(Digest model, Digest adapter) implements Action {
    @Override
    public List<Digest> versions() {
      return List.of(model, adapter);
    }

    @Override
    public List<Digest> inputs() {
      return versions();
    }
  }

  /**
   * Carries a full-weight change to a new base: new + alpha · (tuned − old) (task arithmetic;
   * Ilharco et al., 2023). For an adapter version the low-rank update is scaled by alpha; where
   * both bases are the adapter that it was continued from, its own weights go that way. With one
   * base twice the result lies between it and what was tuned.
   *
   * @param oldBase what {@code tuned} was made from
   * @param newBase the base it is carried to
   * @param alpha of all modules that {@code groups} does not name
   * @param groups alphas of some groups, by their {@link ModuleGroup#label}
   */
  record Transplant(
      Digest oldBase,
      Digest newBase,
      Digest tuned,
      double alpha,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) Map<String, Double> groups)
      implements Action {
    /** One alpha for all. */
    public Transplant(Digest oldBase, Digest newBase, Digest tuned, double alpha) {
      this(oldBase, newBase, tuned, alpha, Map.of());
    }

    @SuppressWarnings("ConstantValue") // absent in JSON is null here
    public Transplant {
      groups =
          groups == null ? Map.of() : java.util.Collections.unmodifiableMap(new TreeMap<>(groups));
      groups.keySet().forEach(ModuleGroup::of);
    }

    /** The share that a weight's change is taken with. */
    public double alpha(String weight) {
      return groups.getOrDefault(ModuleGroup.ofWeight(weight).label(), alpha);
    }

    @Override
    public List<Digest> versions() {
      return List.of(oldBase, newBase, tuned);
    }

    @Override
    public List<Digest> inputs() {
      return versions();
    }
  }

  /**
   * Measures the loss of text on the straight line between two bases.
   *
   * @param text files of {@link Row}s (JSON lines)
   */
  record Crossing(Digest oldBase, Digest newBase, List<Digest> text) implements Action {
    public Crossing {
      text = List.copyOf(text);
      if (text.isEmpty()) {
        throw new IllegalArgumentException("a loss without text");
      }
    }

    @Override
    public List<Digest> versions() {
      return List.of(oldBase, newBase);
    }

    @Override
    public List<Digest> inputs() {
      List<Digest> inputs = new ArrayList<>(versions());
      inputs.addAll(text);
      return List.copyOf(inputs);
    }
  }

  /**
   * A model that is merged: whole, or an adapter on one.
   *
   * @param text artifacts of rows that it was made for, where the method looks at them
   */
  record Source(
      Digest model,
      @Nullable Digest adapter,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) List<Digest> text) {
    @SuppressWarnings("ConstantValue") // absent in JSON is null here
    public Source {
      text = text == null ? List.of() : List.copyOf(text);
    }
  }

  /**
   * Merges several models into one. An adapter is written into its model first, in the model's
   * type.
   *
   * @param method for as many models as there are sources
   * @param base whole model that all were made from; none where the method needs none
   */
  record Merge(MergeMethod method, @Nullable Digest base, List<Source> sources) implements Action {
    public Merge {
      sources = List.copyOf(sources);
      if (sources.size() != method.weights().size()) {
        throw new IllegalArgumentException(
            sources.size() + " models to merge with " + method.weights().size() + " weights");
      }
      if (method.needsBase() != (base != null)) {
        throw new IllegalArgumentException(
            "a base goes with methods that see models as its changes, and only there");
      }
    }

    @Override
    public List<Digest> versions() {
      List<Digest> versions = new ArrayList<>();
      if (base != null) {
        versions.add(base);
      }
      for (Source source : sources) {
        versions.add(source.model());
        if (source.adapter() != null) {
          versions.add(source.adapter());
        }
      }
      return List.copyOf(versions);
    }

    @Override
    public List<Digest> inputs() {
      List<Digest> inputs = new ArrayList<>(versions());
      sources.forEach(source -> inputs.addAll(source.text()));
      return List.copyOf(inputs);
    }
  }

  /**
   * Carries a change to a base whose parts lie elsewhere or that has other widths or more layers.
   *
   * @param oldBase what {@code tuned} was made from
   * @param newBase the base it is carried to
   * @param calibration files of {@link Row}s (JSON lines) on which the two bases are compared
   */
  record Align(Digest oldBase, Digest newBase, Digest tuned, List<Digest> calibration)
      implements Action {
    public Align {
      calibration = List.copyOf(calibration);
      if (calibration.isEmpty()) {
        throw new IllegalArgumentException("aligning without calibration text");
      }
    }

    @Override
    public List<Digest> versions() {
      return List.of(oldBase, newBase, tuned);
    }

    @Override
    public List<Digest> inputs() {
      List<Digest> inputs = new ArrayList<>(versions());
      inputs.addAll(calibration);
      return List.copyOf(inputs);
    }
  }

  /**
   * Trains a student to answer as a teacher does, on rows' prompts. Start, adapter, recipe and seed
   * are those of {@link Train}.
   *
   * @param teacher any version that answers: a model, or an adapter with its parent
   * @param recipe with {@link Recipe#distill}, and as many steps as are taken
   * @param mix rows whose prompts are asked; empty where no data may be kept
   * @param samples in place of a mix: how many questions the teacher makes up itself
   */
  record Distill(
      Digest start,
      @Nullable Digest adapter,
      Digest teacher,
      Recipe recipe,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) List<DataShare> mix,
      @Nullable Integer samples,
      long seed)
      implements Action {
    @SuppressWarnings("ConstantValue") // absent in JSON is null here
    public Distill {
      mix = mix == null ? List.of() : List.copyOf(mix);
      if (mix.isEmpty() == (samples == null) || (samples != null && samples < 1)) {
        throw new IllegalArgumentException("distilling takes rows' prompts or samples, not both");
      }
      if (recipe.distill() == null) {
        throw new IllegalArgumentException("distilling by a recipe that does not say how");
      }
    }

    @Override
    public List<Digest> versions() {
      return adapter == null ? List.of(start, teacher) : List.of(start, adapter, teacher);
    }

    @Override
    public List<Digest> inputs() {
      List<Digest> inputs = new ArrayList<>(versions());
      mix.forEach(share -> inputs.add(share.data()));
      return List.copyOf(inputs);
    }
  }

  /**
   * Searches for a wording by which an application's new parent answers. It is made of evaluations,
   * each an action of its own, and does nothing beside them.
   *
   * @param parent what the application is to run on
   * @param current the version of the application that is to be carried there
   * @param declared what the application's file said
   * @param candidates what is tried, the likeliest first; the first is what {@code current} says
   * @param parts the items that candidates are scored on
   */
  record Prompt(
      Digest parent,
      Digest current,
      Application declared,
      List<Application> candidates,
      List<SearchPart> parts)
      implements Action {
    public Prompt {
      candidates = List.copyOf(candidates);
      parts = List.copyOf(parts);
      if (candidates.size() < 2 || parts.isEmpty()) {
        throw new IllegalArgumentException(
            "a search needs two wordings and some items, not "
                + candidates.size()
                + " and "
                + parts.size());
      }
    }

    @Override
    public List<Digest> versions() {
      return List.of(parent, current);
    }

    @Override
    public List<Digest> inputs() {
      List<Digest> inputs = new ArrayList<>(versions());
      parts.forEach(part -> inputs.add(part.suite()));
      return List.copyOf(inputs);
    }
  }

  /**
   * The items of a capability that a search may look at.
   *
   * @param suite digest of a file of {@link Item}s (JSON lines)
   */
  record SearchPart(String capability, Digest suite, Scorer scorer) {}

  /**
   * Scores a version on a range of a suite's items.
   *
   * @param version any version; adapters and applications bring their parents
   * @param suite digest of a file of {@link Item}s (JSON lines)
   * @param from first item, from 0
   * @param to one past the last
   */
  record Evaluate(Digest version, Digest suite, Scorer scorer, int from, int to) implements Action {
    public Evaluate {
      if (from < 0 || to <= from) {
        throw new IllegalArgumentException("an empty range of items: " + from + " to " + to);
      }
    }

    @Override
    public List<Digest> versions() {
      return List.of(version);
    }

    @Override
    public List<Digest> inputs() {
      return List.of(version, suite);
    }
  }

  /**
   * Lets copies of a version learn what it never saw, and records how fast they did. The version
   * itself stays as it is.
   *
   * @param version a model or an adapter; an adapter brings its parent
   * @param tasks digest of a file of {@link ProbeTask}s (JSON lines)
   * @param recipe how each is learnt, all rows of it in every step
   * @param every steps between two looks at how well it is known
   */
  record Probe(Digest version, Digest tasks, Recipe recipe, int every) implements Action {
    public Probe {
      if (every < 1 || recipe.steps() % every != 0) {
        throw new IllegalArgumentException(
            "a probe looks every n steps, n a divisor of " + recipe.steps() + ", not " + every);
      }
    }

    @Override
    public List<Digest> versions() {
      return List.of(version);
    }

    @Override
    public List<Digest> inputs() {
      return List.of(version, tasks);
    }
  }
}
