package dev.cambium.engine.decoder;

import java.nio.charset.StandardCharsets;

/**
 * A small random generator whose numbers are the same on every Java version and machine (Steele,
 * Lea and Flood, "Fast splittable pseudorandom number generators", 2014). Its whole state is one
 * number, so a snapshot can hold it.
 */
public final class SplitMix64 {

  private static final long GAMMA = 0x9E3779B97F4A7C15L;

  private long state;

  /** Starts from a seed, or from a {@link #state()} to continue. */
  public SplitMix64(long seed) {
    this.state = seed;
  }

  /** A generator of its own for every name, so that adding one changes no other. */
  public static SplitMix64 named(long seed, String name) {
    SplitMix64 random = new SplitMix64(seed);
    for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
      random.state = random.nextLong() ^ (b & 0xFF);
    }
    return random;
  }

  /** What to give the constructor to continue from here. */
  public long state() {
    return state;
  }

  /** The next 64 bits. */
  public long nextLong() {
    state += GAMMA;
    long z = state;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  /** Uniform in [0, 1), with 53 bits. */
  public double nextDouble() {
    return (nextLong() >>> 11) * 0x1.0p-53;
  }

  /** Uniform in [0, bound), without bias. */
  public int nextInt(int bound) {
    if (bound < 1) {
      throw new IllegalArgumentException("bound must be at least 1: " + bound);
    }
    long limit = Long.MAX_VALUE - Long.MAX_VALUE % bound;
    long bits = nextLong() >>> 1;
    while (bits >= limit) {
      bits = nextLong() >>> 1;
    }
    return (int) (bits % bound);
  }

  /** Fills with normal numbers of that deviation (Box and Muller, 1958; StrictMath throughout). */
  public void fillNormal(float[] target, double deviation) {
    for (int i = 0; i < target.length; i += 2) {
      double radius = deviation * StrictMath.sqrt(-2 * StrictMath.log(1 - nextDouble()));
      double angle = 2 * StrictMath.PI * nextDouble();
      target[i] = (float) (radius * StrictMath.cos(angle));
      if (i + 1 < target.length) {
        target[i + 1] = (float) (radius * StrictMath.sin(angle));
      }
    }
  }

  /** Fills with numbers uniform in [-limit, limit). */
  void fillUniform(float[] target, double limit) {
    for (int i = 0; i < target.length; i++) {
      target[i] = (float) ((2 * nextDouble() - 1) * limit);
    }
  }
}
