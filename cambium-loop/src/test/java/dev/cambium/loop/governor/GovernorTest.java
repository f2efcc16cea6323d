package dev.cambium.loop.governor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.model.Protection;
import dev.cambium.model.Recipe;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GovernorTest {

  private static final Map<Mode, Double> ALL = ways(Mode.values());

  private static Map<Mode, Double> ways(Mode... modes) {
    Map<Mode, Double> ways = new EnumMap<>(Mode.class);
    for (Mode mode : modes) {
      ways.put(mode, mode == Mode.REBASE ? 500.0 : 100.0);
    }
    return ways;
  }

  private static Readings headroom(double point, double lower, double upper) {
    return Readings.NONE.withHeadroom(new Readings.Estimate(point, lower, upper, "cards@4"));
  }

  private static Readings readings(
      Double point, Double rank, Double growth, Double dormant, Double room, Double stack) {
    return new Readings(
        point == null ? null : new Readings.Estimate(point, point - 0.1, point + 0.1, "cards@4"),
        rank,
        growth,
        dormant,
        null,
        room,
        room == null ? null : "card-rules",
        stack,
        3,
        900,
        90);
  }

  /** The usual rules, reading by reading; empty cells were not measured. */
  @ParameterizedTest
  @CsvSource({
    // headroom, rank, growth, dormant, room, stack, mode
    ",,,,,,plain",
    "1.0,1.0,1.0,0.0,0.05,1.0,plain",
    "0.96,,,,,,plain",
    "0.94,,,,,,protect",
    "0.94,,,0.4,,,repair",
    ",,,0.9,,,plain",
    "1.0,,,0.9,,,plain",
    ",0.7,,,,,protect",
    ",,1.3,,,,protect",
    ",,,,0.01,,protect",
    ",,,,-0.01,,protect",
    ",,,,,4.0,plain",
    ",,,,,5.0,consolidate",
    "0.94,,,,,5.0,consolidate",
    "0.84,,,,,,repair",
    "0.84,,,,,5.0,repair",
    "0.71,,,,,,repair",
    "0.69,,,,,,re-base",
    "0.2,0.2,3.0,0.9,-0.5,9.0,re-base",
  })
  void theUsualRules(
      Double point,
      Double rank,
      Double growth,
      Double dormant,
      Double room,
      Double stack,
      String mode) {
    Choice choice =
        Governor.DEFAULT.choose(
            readings(point, rank, growth, dormant, room, stack), ALL, Recipe.Method.FULL);
    assertThat(choice.mode().label()).isEqualTo(mode);
    assertThat(choice.asked()).isEqualTo(choice.mode());
    assertThat(choice.reasons()).isNotEmpty().first().asString().startsWith(mode);
  }

  @Test
  void aNarrowIntervalIsReasonEnough() {
    Choice choice = Governor.DEFAULT.choose(headroom(0.75, 0.72, 0.79), ALL, Recipe.Method.FULL);
    assertThat(choice.mode()).isEqualTo(Mode.REBASE);
    assertThat(choice.reasons().get(0))
        .contains("upper end of the headroom 0.79 is below 0.8", "cards@4");
    assertThat(Governor.DEFAULT.choose(headroom(0.75, 0.6, 0.9), ALL, Recipe.Method.FULL).mode())
        .isEqualTo(Mode.REPAIR);
  }

  @Test
  void whatSeveralRulesWantProtectedIsProtectedAsFarAsTheMethodCan() {
    Readings poor = readings(0.84, 0.7, 1.3, null, 0.01, null);
    Protection full = Governor.DEFAULT.choose(poor, ALL, Recipe.Method.FULL).protect();
    assertThat(full.l2Init()).isEqualTo(0.001);
    assertThat(full.resetDormant()).isNotNull();
    assertThat(full.spectral()).isEqualTo(0.01);
    assertThat(full.kl()).isEqualTo(0.1);
    Choice lora = Governor.DEFAULT.choose(poor, ways(Mode.PLAIN, Mode.PROTECT), Recipe.Method.LORA);
    assertThat(lora.mode()).isEqualTo(Mode.PROTECT);
    assertThat(lora.asked()).isEqualTo(Mode.REPAIR);
    assertThat(lora.protect()).isEqualTo(Protection.NONE.withKl(0.1).withL2Init(0.001));
    assertThat(lora.reasons()).last().asString().contains("protect instead of repair", "no way");
  }

  @Test
  void aWayThatIsNotThereGivesWayToTheNextThatDoesMore() {
    Map<Mode, Double> ways = ways(Mode.PLAIN, Mode.PROTECT, Mode.REBASE);
    assertThat(Governor.DEFAULT.choose(headroom(0.84, 0.8, 0.9), ways, Recipe.Method.LORA).mode())
        .isEqualTo(Mode.REBASE);
  }

  @Test
  void theBudgetBoundsWhatIsDoneAndSaysSo() {
    Governor bound = new Governor(Governor.DEFAULT.rules(), new Governor.Budget(1_300L, null));
    Readings poor = readings(0.5, null, null, null, null, null); // 900 steps behind it
    Choice choice = bound.choose(poor, ALL, Recipe.Method.FULL);
    assertThat(choice.mode()).isEqualTo(Mode.REPAIR);
    assertThat(choice.reasons())
        .last()
        .asString()
        .contains("repair instead of re-base", "500 more steps after 900");
    Governor spent = new Governor(Governor.DEFAULT.rules(), new Governor.Budget(null, 90.0));
    assertThat(spent.choose(poor, ALL, Recipe.Method.FULL).mode()).isEqualTo(Mode.PLAIN);
  }

  @Test
  void theShareOfTheBudgetCanBeAskedFor() {
    Governor thrifty =
        new Governor(
            List.of(
                new Rule(
                    Map.of(Condition.BUDGET_ABOVE, 0.5),
                    Mode.PROTECT,
                    Protection.NONE.withKl(0.1),
                    "")),
            new Governor.Budget(1_500L, null));
    assertThat(
            thrifty.choose(readings(null, null, null, null, null, null), ALL, Recipe.Method.FULL))
        .satisfies(
            choice -> {
              assertThat(choice.mode()).isEqualTo(Mode.PROTECT);
              assertThat(choice.reasons())
                  .containsExactly("protect, because spent of the budget 0.6 is above 0.5");
            });
    assertThat(thrifty.choose(Readings.NONE, ALL, Recipe.Method.FULL).mode()).isEqualTo(Mode.PLAIN);
  }

  @Test
  void aPersonsWordStandsInPlaceOfTheRules() {
    Choice choice = Governor.DEFAULT.choose(headroom(0.9, 0.85, 0.95), ALL, Recipe.Method.FULL);
    Choice repair =
        Governor.DEFAULT.overrule(
            choice,
            new Wish("cards", Mode.REPAIR, "it took twice as long"),
            "kim",
            ALL,
            Recipe.Method.FULL);
    assertThat(repair.mode()).isEqualTo(Mode.REPAIR);
    assertThat(repair.protect().resetDormant()).as("as the rules repair").isNotNull();
    assertThat(repair.overruled())
        .isEqualTo(new Choice.Overruled("kim", "it took twice as long", Mode.PROTECT));
    assertThat(repair.reasons()).last().asString().contains("kim", "it took twice as long");
    assertThatThrownBy(
            () ->
                Governor.DEFAULT.overrule(
                    choice,
                    new Wish("cards", Mode.REPAIR, "x"),
                    "kim",
                    ways(Mode.PLAIN, Mode.PROTECT),
                    Recipe.Method.LORA))
        .hasMessageContaining("cards has no way to repair; it can take plain, protect");
    assertThatThrownBy(() -> new Wish("cards", Mode.PLAIN, " ")).hasMessageContaining("say why");
  }

  @Provide
  Arbitrary<Rule> rules() {
    Arbitrary<Map<Condition, Double>> when =
        Arbitraries.maps(Arbitraries.of(Condition.class), Arbitraries.doubles().between(0, 2))
            .ofMinSize(1)
            .ofMaxSize(3);
    return Combinators.combine(when, Arbitraries.of(Mode.class))
        .as((conditions, mode) -> new Rule(conditions, mode, null, ""));
  }

  @Provide
  Arbitrary<List<Rule>> ruleLists() {
    return rules().list().ofMaxSize(8);
  }

  private static Readings random(Random random) {
    double point = 1.5 * random.nextDouble();
    return new Readings(
        new Readings.Estimate(
            point, point * random.nextDouble(), point * (1 + random.nextDouble()), "x@1"),
        random.nextBoolean() ? null : 1.5 * random.nextDouble(),
        random.nextBoolean() ? null : 2 * random.nextDouble(),
        random.nextBoolean() ? null : random.nextDouble(),
        random.nextBoolean() ? null : random.nextDouble(),
        random.nextBoolean() ? null : random.nextDouble() - 0.5,
        null,
        random.nextBoolean() ? null : 6 * random.nextDouble(),
        random.nextInt(10),
        random.nextInt(2_000),
        random.nextInt(100));
  }

  /** Whatever the rules, their order, the ways and the budget are. */
  @Property
  void neverIsLessDoneWhenTheHeadroomIsLower(
      @ForAll("ruleLists") List<Rule> rules, @ForAll long seed) {
    Random random = new Random(seed);
    Readings readings = random(random);
    Readings.Estimate at = readings.headroom();
    double share = random.nextDouble();
    Readings lower =
        readings.withHeadroom(
            new Readings.Estimate(
                at.point() * share, at.lower() * share, at.upper() * share, at.of()));
    Map<Mode, Double> ways = new EnumMap<>(Mode.class);
    ways.put(Mode.PLAIN, 100.0);
    for (Mode mode : Mode.values()) {
      if (random.nextBoolean()) {
        ways.put(mode, 500 * random.nextDouble());
      }
    }
    Governor.Budget budget =
        random.nextBoolean() ? Governor.Budget.NONE : new Governor.Budget(2_100L, null);
    Governor governor = new Governor(rules, budget);
    Recipe.Method method = random.nextBoolean() ? Recipe.Method.FULL : Recipe.Method.LORA;
    Choice before = governor.choose(readings, ways, method);
    Choice after = governor.choose(lower, ways, method);
    assertThat(after.mode()).isGreaterThanOrEqualTo(before.mode());
    assertThat(ways).containsKey(after.mode());
    List<Rule> turned = new ArrayList<>(rules);
    java.util.Collections.reverse(turned);
    assertThat(new Governor(turned, budget).choose(readings, ways, method).mode())
        .as("the order of rules decides nothing")
        .isEqualTo(before.mode());
  }
}
