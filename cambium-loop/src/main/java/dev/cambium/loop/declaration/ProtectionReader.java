package dev.cambium.loop.declaration;

import dev.cambium.model.Protection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads what protects a model from forgetting and from losing plasticity, which recipes have and
 * rules of the governor add.
 */
final class ProtectionReader {

  private static final List<String> PROTECTION = Written.fields(Protection.class);

  private final Problems problems;

  ProtectionReader(Problems problems) {
    this.problems = problems;
  }

  /**
   * Notes what is wrong with it.
   *
   * @param owner what it belongs to, for messages, such as {@code recipe 'careful'}
   */
  void check(String owner, Node.Mapping mapping) {
    String what = owner + ", protect";
    Fields fields = new Fields(mapping, what, PROTECTION, problems);
    for (String strength : List.of("kl", "l2-init", "ewc", "orthogonal", "spectral")) {
      fields.number(strength, s -> s > 0 && Double.isFinite(s), "above 0");
    }
    fields.number("interpolate", a -> a > 0 && a < 1, "above 0 and below 1");
    fields.text("balance-by");
    fields.number(
        "rehearse", p -> p > 0 && Double.isFinite(p), "above 0: passes over earlier rows");
    fields.numbers("interpolate-search", a -> a > 0 && a <= 1, "above 0 and at most 1");
    Node.Mapping onPolicy = fields.mapping("on-policy");
    if (onPolicy != null) {
      whole(
          onPolicy,
          what + ", on-policy",
          Written.fields(Protection.OnPolicy.class),
          List.of(),
          "such as on-policy: { share: 0.05, temperature: 1 }");
    }
    whole(
        fields.mapping("rewarm"),
        what + ", rewarm",
        Written.fields(Protection.Rewarm.class),
        List.of("warmup", "cooldown"),
        "such as rewarm: { warmup: 20, cooldown: 100, floor: 0.3 }");
    whole(
        fields.mapping("reset-dormant"),
        what + ", reset-dormant",
        Written.fields(Protection.ResetDormant.class),
        List.of("every"),
        "such as reset-dormant: { every: 100, threshold: 0.025 }");
    whole(
        fields.mapping("shrink-perturb"),
        what + ", shrink-perturb",
        Written.fields(Protection.ShrinkPerturb.class),
        List.of(),
        "such as shrink-perturb: { shrink: 0.9, noise: 0.1 }");
  }

  /** A mapping in which every field is required; those named are whole numbers. */
  private void whole(
      Node.@Nullable Mapping mapping,
      String what,
      List<String> required,
      List<String> integers,
      String example) {
    if (mapping == null) {
      return;
    }
    Fields fields = new Fields(mapping, what, required, problems);
    for (String field : required) {
      if (!fields.has(field)) {
        fields.missing(field, example);
      } else if (integers.contains(field)) {
        fields.integer(field, 0, 0, 1_000_000_000);
      } else {
        fields.number(field, v -> v >= 0 && v <= 1, "from 0 to 1");
      }
    }
  }
}
