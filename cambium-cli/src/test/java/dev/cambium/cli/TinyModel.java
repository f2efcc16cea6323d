package dev.cambium.cli;

import dev.cambium.artifact.safetensors.DType;
import dev.cambium.artifact.safetensors.SafetensorsWriter;
import dev.cambium.artifact.safetensors.SafetensorsWriter.Tensor;
import dev.cambium.engine.text.BpeTrainer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/** A Llama of one layer of width 8 with random weights, as a Hugging Face directory. */
final class TinyModel {

  private static final int WIDTH = 8;
  private static final int INNER = 16;

  private TinyModel() {}

  static Path write(Path directory, long seed) throws IOException {
    Files.createDirectories(directory);
    int vocabulary = new BpeTrainer().add("the card is lost the card").train(270, directory);
    Files.writeString(
        directory.resolve("config.json"),
        """
        {
          "architectures": ["LlamaForCausalLM"],
          "model_type": "llama",
          "hidden_size": 8,
          "intermediate_size": 16,
          "num_hidden_layers": 1,
          "num_attention_heads": 2,
          "num_key_value_heads": 2,
          "vocab_size": %d,
          "max_position_embeddings": 64,
          "rms_norm_eps": 1e-5,
          "rope_theta": 10000.0,
          "hidden_act": "silu",
          "tie_word_embeddings": true,
          "torch_dtype": "float32"
        }
        """
            .formatted(vocabulary));
    Random random = new Random(seed);
    TreeMap<String, Tensor> tensors = new TreeMap<>();
    add(tensors, random, "model.embed_tokens.weight", vocabulary, WIDTH);
    add(tensors, random, "model.norm.weight", WIDTH);
    String layer = "model.layers.0.";
    add(tensors, random, layer + "input_layernorm.weight", WIDTH);
    add(tensors, random, layer + "post_attention_layernorm.weight", WIDTH);
    for (String projection : List.of("q_proj", "k_proj", "v_proj", "o_proj")) {
      add(tensors, random, layer + "self_attn." + projection + ".weight", WIDTH, WIDTH);
    }
    add(tensors, random, layer + "mlp.gate_proj.weight", INNER, WIDTH);
    add(tensors, random, layer + "mlp.up_proj.weight", INNER, WIDTH);
    add(tensors, random, layer + "mlp.down_proj.weight", WIDTH, INNER);
    SafetensorsWriter.write(
        directory.resolve("model.safetensors"), tensors, Map.of("format", "pt"));
    return directory;
  }

  /** A PEFT adapter of rank 2 with random weights on the query projection. */
  static Path adapter(Path directory, long seed) throws IOException {
    Files.createDirectories(directory);
    Files.writeString(
        directory.resolve("adapter_config.json"),
        """
        {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 2, "lora_alpha": 6, "bias": "none",
         "target_modules": ["q_proj"], "fan_in_fan_out": false}
        """);
    Random random = new Random(seed);
    TreeMap<String, Tensor> tensors = new TreeMap<>();
    String module = "base_model.model.model.layers.0.self_attn.q_proj.";
    add(tensors, random, module + "lora_A.weight", 2, WIDTH);
    add(tensors, random, module + "lora_B.weight", WIDTH, 2);
    SafetensorsWriter.write(
        directory.resolve("adapter_model.safetensors"), tensors, Map.of("format", "pt"));
    return directory;
  }

  private static void add(
      TreeMap<String, Tensor> tensors, Random random, String name, long... shape) {
    long elements = 1;
    List<Long> sizes = new java.util.ArrayList<>();
    for (long size : shape) {
      elements *= size;
      sizes.add(size);
    }
    ByteBuffer bytes = ByteBuffer.allocate((int) elements * 4).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining()) {
      bytes.putFloat((float) random.nextGaussian() * 0.1f);
    }
    tensors.put(name, new Tensor(DType.F32, sizes, bytes.flip()));
  }
}
