package dev.cambium.bench.peer;

import java.util.List;

/** What is compared. */
enum Work {
  FULL_TRAINING("full training, 3.5 M parameters, batch 32 × 64, fp32", "tokens/s", 1.3),
  LORA_FP32("LoRA r=8 on all projections, 16 rows of about 36 tokens, fp32", "tokens/s", 1.3),
  LORA_BF16("LoRA r=8 on all projections, 16 rows of about 36 tokens, bf16", "tokens/s", 1.3),
  DECODE_1("greedy generation, batch 1, prompt 64, 64 new", "tokens/s", 1.5),
  DECODE_16("greedy generation, batch 16, prompt 64, 64 new", "tokens/s", 1.5),
  CHOICES("15 choices by log-likelihood on a prompt of 40 tokens", "items/s", 3),
  EVALUATION("150 items by generation under one system prompt", "items/s", 1.5),
  LOAD("load from safetensors to the first token, page cache warm", "loads/s", 3);

  private final String title;
  private final String unit;
  private final double goal;

  Work(String title, String unit, double goal) {
    this.title = title;
    this.unit = unit;
    this.goal = goal;
  }

  /** What it is called in tables. */
  String title() {
    return title;
  }

  /** Of the speeds. */
  String unit() {
    return unit;
  }

  /** The least ratio of speeds aimed at. */
  double goal() {
    return goal;
  }

  /** Its name on the command line. */
  String id() {
    return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
  }

  boolean needsModel() {
    return this != FULL_TRAINING;
  }

  boolean isLora() {
    return this == LORA_FP32 || this == LORA_BF16;
  }

  /** Ways in which the peer can do it, besides the number of threads; the fastest counts. */
  List<String> peerVariants() {
    return switch (this) {
      case LORA_BF16 -> List.of("autocast", "bf16-weights");
      case CHOICES -> List.of("item-by-item", "8-items-at-once");
      case EVALUATION -> List.of("batches-of-25", "batches-of-50");
      default -> List.of("plain");
    };
  }
}
