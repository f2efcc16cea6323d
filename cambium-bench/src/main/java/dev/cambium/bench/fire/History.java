package dev.cambium.bench.fire;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What people do and what goes wrong, in order. It is data: the same history has the same course,
 * so that a failing one can be shortened and run again.
 */
record History(List<Step> steps) {

  /** What a person does. */
  enum Deed {
    /** Good rows that no suite measures arrive. */
    DATA,
    /** Rows with wrong answers arrive. */
    POISON,
    /** Right answers arrive, as at the founding. */
    CURE,
    /** A foundation is imported and signalled. */
    UPGRADE,
    /** The loop is turned once, everything approved. */
    RUN,
    /** The loop is turned once, nobody answers. */
    RUN_UNATTENDED,
    /** The loop is turned once, everything declined. */
    RUN_DECLINED,
    /** A version is brought before the gate by hand. */
    PROMOTE,
    ROLLBACK,
    ROLLBACK_CASCADE,
    /** The application's prompt is edited in the declaration. */
    EDIT,
    /** Days pass, so that nothing in the store is young, and garbage is collected. */
    GC
  }

  /**
   * A command.
   *
   * @param number names the line, the version or the data, modulo how many there are
   */
  record Command(Deed deed, int number) {
    @Override
    public String toString() {
      return deed + "(" + number + ")";
    }
  }

  /** What goes wrong at a write of the ledger, of the store, or of a worker. */
  enum Trouble {
    /** The process dies before the write. */
    CRASH_BEFORE,
    /** The process dies when the write is done and nobody has been told. */
    CRASH_AFTER,
    /** The write, or the worker's action, fails. */
    FAIL,
    /** It is done, but says that it failed. */
    REPLY_LOST,
    /** As before, and the database cannot be asked whether it is in. */
    OUTCOME_UNKNOWN,
    /** The worker does it twice; an object is put twice. */
    DUPLICATE,
    /** A worker hangs with half a result until somebody kills it all. */
    HANG,
    /** Another operator's command runs just before the write, from its beginning to its end. */
    INTERLEAVE,
    CLOCK_BACK,
    CLOCK_FORWARD
  }

  /**
   * Trouble at one write of a command.
   *
   * @param at which write, from 0
   * @param other the other operator's command, for {@link Trouble#INTERLEAVE}
   */
  record Fault(int at, Trouble trouble, @Nullable Command other) {
    @Override
    public String toString() {
      return trouble + "@" + at + (other == null ? "" : ":" + other);
    }
  }

  /** A command and its faults. */
  record Step(Command command, List<Fault> faults) {
    Step {
      faults = List.copyOf(faults);
    }

    @Override
    public String toString() {
      return command + (faults.isEmpty() ? "" : " " + faults);
    }
  }

  History {
    steps = List.copyOf(steps);
  }

  /** The history of a seed: three to nine commands, about every second one in trouble. */
  static History draw(long seed) {
    Random random = new Random(seed * 0x9E3779B97F4A7C15L + 1);
    List<Step> steps = new ArrayList<>();
    for (int n = 3 + random.nextInt(7); n > 0; n--) {
      List<Fault> faults = new ArrayList<>();
      while (random.nextInt(5) < 3 && faults.size() < 3) {
        Trouble trouble = Trouble.values()[random.nextInt(Trouble.values().length)];
        // Most commands have few writes, a campaign has some hundred: each scale is as likely.
        int at = random.nextInt(4 << random.nextInt(6));
        faults.add(new Fault(at, trouble, trouble == Trouble.INTERLEAVE ? command(random) : null));
      }
      steps.add(new Step(command(random), faults));
    }
    return new History(steps);
  }

  private static Command command(Random random) {
    // Every second command turns the loop, or little would come of the others.
    Deed deed =
        random.nextInt(5) < 2 ? Deed.RUN : Deed.values()[random.nextInt(Deed.values().length)];
    return new Command(deed, random.nextInt(60));
  }

  /** How many commands and faults it has. */
  int size() {
    return steps.stream().mapToInt(s -> 1 + s.faults().size()).sum();
  }

  /**
   * A history with the same failure from which nothing can be left out: no step, no fault, and no
   * fault is one of a later command's that could be earlier.
   *
   * @param fails whether a history still fails in the same way
   */
  History shrink(Predicate<History> fails) {
    History best = this;
    boolean smaller = true;
    while (smaller) {
      smaller = false;
      for (History candidate : best.simpler()) {
        if (fails.test(candidate)) {
          best = candidate;
          smaller = true;
          break;
        }
      }
    }
    return best;
  }

  /** Histories with something left out, those with most left out first. */
  private List<History> simpler() {
    List<History> simpler = new ArrayList<>();
    for (int width = steps.size() / 2; width >= 1; width /= 2) {
      for (int from = 0; from + width <= steps.size(); from++) {
        List<Step> kept = new ArrayList<>(steps.subList(0, from));
        kept.addAll(steps.subList(from + width, steps.size()));
        simpler.add(new History(kept));
      }
    }
    for (int s = 0; s < steps.size(); s++) {
      for (int f = 0; f < steps.get(s).faults().size(); f++) {
        List<Fault> faults = new ArrayList<>(steps.get(s).faults());
        faults.remove(f);
        List<Step> kept = new ArrayList<>(steps);
        kept.set(s, new Step(steps.get(s).command(), faults));
        simpler.add(new History(kept));
      }
    }
    return simpler;
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < steps.size(); i++) {
      text.append(i == 0 ? "" : "\n").append("  ").append(i).append(". ").append(steps.get(i));
    }
    return text.toString();
  }
}
