package dev.cambium.artifact.huggingface;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** The linear maps of one decoder layer: those that an adapter can change. */
enum Projection {
  Q_PROJ,
  K_PROJ,
  V_PROJ,
  O_PROJ,
  GATE_PROJ,
  UP_PROJ,
  DOWN_PROJ;

  /** As configurations write it. */
  String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  boolean isAttention() {
    return ordinal() <= O_PROJ.ordinal();
  }

  /** Its place within a layer. */
  String path() {
    return (isAttention() ? "self_attn." : "mlp.") + label();
  }

  static Optional<Projection> ofLabel(String label) {
    return Arrays.stream(values()).filter(p -> p.label().equals(label)).findFirst();
  }
}
