package dev.cambium.engine.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.cambium.engine.backend.Backend;
import dev.cambium.engine.decoder.SplitMix64;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;

class AdamWTest {

  /** The published formulas, one number at a time. */
  @Test
  void updatesAsThePaperSays() {
    Backend.instance();
    int count = 50;
    int matrixEnd = 30;
    double decay = 0.3;
    SplitMix64 random = new SplitMix64(1);
    double[] w = new double[count];
    double[] m = new double[count];
    double[] v = new double[count];
    try (PointerScope scope = new PointerScope()) {
      Tensor weights = torch.zeros(count);
      Tensor gradients = torch.zeros(count);
      for (int i = 0; i < count; i++) {
        w[i] = (float) random.nextDouble();
        new FloatPointer(weights.data_ptr()).put(i, (float) w[i]);
      }
      try (AdamW optimizer = new AdamW(weights, matrixEnd, decay)) {
        for (int t = 1; t <= 20; t++) {
          double rate = 0.01 * t;
          for (int i = 0; i < count; i++) {
            double g = (float) (random.nextDouble() - 0.3);
            new FloatPointer(gradients.data_ptr()).put(i, (float) g);
            if (i < matrixEnd) {
              w[i] -= rate * decay * w[i];
            }
            m[i] = 0.9 * m[i] + 0.1 * g;
            v[i] = 0.95 * v[i] + 0.05 * g * g;
            double mHat = m[i] / (1 - Math.pow(0.9, t));
            double vHat = v[i] / (1 - Math.pow(0.95, t));
            w[i] -= rate * mHat / (Math.sqrt(vHat) + 1e-8);
          }
          optimizer.update(gradients, rate, t);
        }
      }
      for (int i = 0; i < count; i++) {
        assertThat((double) new FloatPointer(weights.data_ptr()).get(i))
            .isCloseTo(w[i], within(2e-5));
      }
    }
  }
}
