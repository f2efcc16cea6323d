package dev.cambium.engine.decoder;

import dev.cambium.artifact.huggingface.DecoderConfig;

/** The decoder's formulas in plain loops, in double precision: slow, and obviously right. */
final class ScalarDecoder {

  private final Decoder weights;
  private final DecoderConfig c;

  ScalarDecoder(Decoder weights) {
    this.weights = weights;
    this.c = weights.config();
  }

  /** Logits at every position of one row. */
  double[][] logits(int[] row) {
    double[][] x = new double[row.length][];
    float[] embedding = weights.read("model.embed_tokens.weight");
    for (int t = 0; t < row.length; t++) {
      x[t] = new double[c.hiddenSize()];
      for (int i = 0; i < c.hiddenSize(); i++) {
        x[t][i] = embedding[row[t] * c.hiddenSize() + i];
      }
    }
    for (int l = 0; l < c.layers(); l++) {
      String p = "model.layers." + l + ".";
      double[][] q = new double[row.length][];
      double[][] k = new double[row.length][];
      double[][] v = new double[row.length][];
      for (int t = 0; t < row.length; t++) {
        double[] h = norm(x[t], p + "input_layernorm.weight");
        q[t] = rotate(linear(h, p + "self_attn.q_proj"), t);
        k[t] = rotate(linear(h, p + "self_attn.k_proj"), t);
        v[t] = linear(h, p + "self_attn.v_proj");
      }
      for (int t = 0; t < row.length; t++) {
        add(x[t], linear(attend(q[t], k, v, t), p + "self_attn.o_proj"));
        double[] m = norm(x[t], p + "post_attention_layernorm.weight");
        double[] gate = linear(m, p + "mlp.gate_proj");
        double[] up = linear(m, p + "mlp.up_proj");
        for (int i = 0; i < gate.length; i++) {
          gate[i] = gate[i] / (1 + Math.exp(-gate[i])) * up[i];
        }
        add(x[t], linear(gate, p + "mlp.down_proj"));
      }
    }
    double[][] logits = new double[row.length][];
    for (int t = 0; t < row.length; t++) {
      double[] h = norm(x[t], "model.norm.weight");
      logits[t] = linear(h, c.tiedEmbeddings() ? "model.embed_tokens" : "lm_head");
    }
    return logits;
  }

  private double[] attend(double[] q, double[][] k, double[][] v, int last) {
    int dim = c.headDim();
    double[] result = new double[c.heads() * dim];
    for (int h = 0; h < c.heads(); h++) {
      int group = h / (c.heads() / c.keyValueHeads());
      double[] score = new double[last + 1];
      double sum = 0;
      for (int s = 0; s <= last; s++) {
        double dot = 0;
        for (int i = 0; i < dim; i++) {
          dot += q[h * dim + i] * k[s][group * dim + i];
        }
        score[s] = Math.exp(dot / Math.sqrt(dim));
        sum += score[s];
      }
      for (int s = 0; s <= last; s++) {
        for (int i = 0; i < dim; i++) {
          result[h * dim + i] += score[s] / sum * v[s][group * dim + i];
        }
      }
    }
    return result;
  }

  /** Without scaling of the frequencies. */
  private double[] rotate(double[] x, int position) {
    int dim = c.headDim();
    double[] result = new double[x.length];
    for (int start = 0; start < x.length; start += dim) {
      for (int i = 0; i < dim / 2; i++) {
        double angle = position / Math.pow(c.ropeTheta(), 2.0 * i / dim);
        double a = x[start + i];
        double b = x[start + dim / 2 + i];
        result[start + i] = a * Math.cos(angle) - b * Math.sin(angle);
        result[start + dim / 2 + i] = b * Math.cos(angle) + a * Math.sin(angle);
      }
    }
    return result;
  }

  private double[] norm(double[] x, String name) {
    float[] weight = weights.read(name);
    double square = 0;
    for (double value : x) {
      square += value * value;
    }
    double scale = 1 / Math.sqrt(square / x.length + c.rmsNormEps());
    double[] result = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      result[i] = x[i] * scale * weight[i];
    }
    return result;
  }

  private double[] linear(double[] x, String name) {
    float[] weight = weights.read(name + ".weight");
    double[] result = new double[weight.length / x.length];
    float[] bias =
        weights.shapes().containsKey(name + ".bias") ? weights.read(name + ".bias") : null;
    for (int o = 0; o < result.length; o++) {
      result[o] = bias == null ? 0 : bias[o];
      for (int i = 0; i < x.length; i++) {
        result[o] += weight[o * x.length + i] * x[i];
      }
    }
    return result;
  }

  private static void add(double[] to, double[] what) {
    for (int i = 0; i < to.length; i++) {
      to[i] += what[i];
    }
  }
}
