package dev.cambium.artifact.huggingface;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;

/** {@link RopeScaling} in and out of {@code rope_scaling} or {@code rope_parameters}. */
final class RopeFields {

  private static final String ORIGINAL = "original_max_position_embeddings";

  /** The options of each type, needed or not. */
  private static final Map<String, Set<String>> OPTIONS =
      Map.of(
          "default",
          Set.of(),
          "linear",
          Set.of("factor"),
          "dynamic",
          Set.of("factor"),
          "llama3",
          Set.of("factor", "low_freq_factor", "high_freq_factor", ORIGINAL),
          "yarn",
          Set.of(
              "factor",
              ORIGINAL,
              "attention_factor",
              "mscale",
              "mscale_all_dim",
              "beta_fast",
              "beta_slow",
              "truncate"));

  private final JsonFile config;
  private final JsonNode rope;
  private final String field;

  private RopeFields(JsonFile config, JsonNode rope, String field) {
    this.config = config;
    this.rope = rope;
    this.field = field;
  }

  /**
   * Reads an object; none, with a problem, if it is not supported.
   *
   * @param field where it lies in the file
   * @param context {@code max_position_embeddings}
   * @param current whether it is {@code rope_parameters}, which has a default type
   */
  static RopeScaling read(
      JsonFile config,
      JsonNode rope,
      String field,
      int context,
      boolean current,
      Findings findings) {
    JsonNode named = rope.has("rope_type") ? rope.path("rope_type") : rope.path("type");
    String type = named.isMissingNode() && current ? "default" : named.asText();
    Set<String> options = OPTIONS.get(type);
    if (options == null) {
      findings.refuse(
          config.name(),
          field + ".rope_type",
          JsonFile.shown(named),
          "default, linear, dynamic, llama3 or yarn",
          "This version supports no other scaling of the rotary embedding.");
      return RopeScaling.NONE;
    }
    findings.fact("rope", type);
    RopeFields fields = new RopeFields(config, rope, field);
    int before = findings.refusals();
    fields.refuseOthers(type, options, current, findings);
    RopeScaling scaling = RopeScaling.NONE;
    try {
      scaling = fields.read(type, context, findings, before);
    } catch (IllegalArgumentException e) {
      config.refuse(field, JsonFile.shown(rope), String.valueOf(e.getMessage()));
    }
    return scaling;
  }

  private void refuseOthers(String type, Set<String> options, boolean current, Findings findings) {
    rope.fieldNames()
        .forEachRemaining(
            key -> {
              boolean known =
                  options.contains(key)
                      || key.equals("rope_type")
                      || key.equals("type")
                      || (current && key.equals("rope_theta"))
                      || (key.equals("partial_rotary_factor") && rope.path(key).asDouble() == 1);
              if (!known && !rope.path(key).isNull()) {
                findings.refuse(
                    config.name(),
                    field + "." + key,
                    JsonFile.shown(rope.path(key)),
                    "no such option for rope_type " + type,
                    "It changes the computation in a way that this version does not support.");
              }
            });
  }

  private RopeScaling read(String type, int context, Findings findings, int before) {
    if (type.equals("default")) {
      return RopeScaling.NONE;
    }
    double factor = needed("factor");
    double low = type.equals("llama3") ? needed("low_freq_factor") : 0;
    double high = type.equals("llama3") ? needed("high_freq_factor") : 0;
    int original =
        OPTIONS.getOrDefault(type, Set.of()).contains(ORIGINAL)
            ? config.positive(
                rope,
                ORIGINAL,
                field + "." + ORIGINAL,
                type.equals("yarn") ? context : 0,
                Integer.MAX_VALUE)
            : 0;
    OptionalDouble attention = optional("attention_factor");
    OptionalDouble mscale = optional("mscale");
    OptionalDouble mscaleAllDim = optional("mscale_all_dim");
    OptionalDouble fast = optional("beta_fast");
    OptionalDouble slow = optional("beta_slow");
    JsonNode truncate = rope.path("truncate");
    if (!truncate.isMissingNode() && !truncate.isNull() && !truncate.isBoolean()) {
      config.refuse(field + ".truncate", JsonFile.shown(truncate), "true or false");
    }
    if (findings.refusals() > before) {
      return RopeScaling.NONE;
    }
    return switch (type) {
      case "linear" -> new RopeScaling.Linear(factor);
      case "dynamic" -> new RopeScaling.Dynamic(factor);
      case "llama3" -> new RopeScaling.Llama3(factor, low, high, original);
      default -> {
        double implied = (double) context / original;
        if (implied != 1 && implied != factor) {
          findings.warn(
              config.name(),
              field + ".factor",
              String.valueOf(factor),
              implied + ", max_position_embeddings over " + ORIGINAL,
              "The factor in the file is used, as by transformers 5; some earlier versions used"
                  + " the ratio.");
        }
        yield new RopeScaling.Yarn(
            factor,
            original,
            attention,
            mscale,
            mscaleAllDim,
            fast.orElse(RopeScaling.Yarn.BETA_FAST),
            slow.orElse(RopeScaling.Yarn.BETA_SLOW),
            truncate.asBoolean(true));
      }
    };
  }

  private double needed(String key) {
    return config.positiveNumber(rope, key, field + "." + key, null);
  }

  private OptionalDouble optional(String key) {
    return rope.hasNonNull(key) ? OptionalDouble.of(needed(key)) : OptionalDouble.empty();
  }

  /** Writes {@code rope_scaling}, which transformers 5 still reads. */
  static void write(RopeScaling scaling, ObjectNode config) {
    if (scaling instanceof RopeScaling.None) {
      config.putNull("rope_scaling");
      return;
    }
    ObjectNode node = config.putObject("rope_scaling");
    if (scaling instanceof RopeScaling.Linear linear) {
      node.put("rope_type", "linear");
      node.put("factor", linear.factor());
    } else if (scaling instanceof RopeScaling.Dynamic dynamic) {
      node.put("rope_type", "dynamic");
      node.put("factor", dynamic.factor());
    } else if (scaling instanceof RopeScaling.Llama3 llama) {
      node.put("rope_type", "llama3");
      node.put("factor", llama.factor());
      node.put("low_freq_factor", llama.lowFreqFactor());
      node.put("high_freq_factor", llama.highFreqFactor());
      node.put(ORIGINAL, llama.originalMaxPositions());
    } else if (scaling instanceof RopeScaling.Yarn yarn) {
      node.put("rope_type", "yarn");
      node.put("factor", yarn.factor());
      node.put(ORIGINAL, yarn.originalMaxPositions());
      yarn.attentionFactor().ifPresent(value -> node.put("attention_factor", value));
      yarn.mscale().ifPresent(value -> node.put("mscale", value));
      yarn.mscaleAllDim().ifPresent(value -> node.put("mscale_all_dim", value));
      node.put("beta_fast", yarn.betaFast());
      node.put("beta_slow", yarn.betaSlow());
      node.put("truncate", yarn.truncate());
    }
  }
}
