package dev.cambium.stats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class SequentialTestTest {

  /** Nobody ever differs: the wealth grows as (1 + s·m/(1−m)) and about 3/m items decide. */
  @Test
  void fullAgreementDecidesLikeTheRuleOfThree() {
    NonInferiorityTest test = NonInferiorityTest.planned(0.05, 0.05, 100);
    for (int i = 0; i < 100; i++) {
      test.observe(0);
    }
    assertThat(test.finding()).isEqualTo(Finding.HOLDS);
    // ln(20) / -ln(1 - 0.05) = 58.4 is the least that any valid bet can need.
    assertThat(test.decidedAt().orElseThrow()).isBetween(59, 100);
    assertThat(test.holding().eValue()).isGreaterThanOrEqualTo(20);
    assertThat(test.holding().pValue()).isLessThanOrEqualTo(0.05);
    assertThat(test.breaking().eValue()).isLessThan(1);
    assertThat(test.itemsToDecide()).hasValue(0);
  }

  @Test
  void fewerThanTheRuleOfThreeCannotPass() {
    NonInferiorityTest test = NonInferiorityTest.planned(0.05, 0.05, 58);
    for (int i = 0; i < 58; i++) {
      test.observe(0);
    }
    assertThat(test.finding()).isEqualTo(Finding.UNDECIDED);
  }

  @Test
  void aCollapseIsFoundInAFewItems() {
    for (NonInferiorityTest test :
        new NonInferiorityTest[] {
          NonInferiorityTest.planned(0.05, 0.05, 100), NonInferiorityTest.open(0.05, 0.05)
        }) {
      for (int i = 0; i < 20; i++) {
        test.observe(-1);
      }
      assertThat(test.finding()).isEqualTo(Finding.BROKEN);
      assertThat(test.decidedAt().orElseThrow()).isLessThan(15);
    }
  }

  @Test
  void noEvidenceIsNoFinding() {
    NonInferiorityTest test = NonInferiorityTest.planned(0.05, 0.05, 100);
    assertThat(test.finding()).isEqualTo(Finding.UNDECIDED);
    assertThat(test.mean()).isEmpty();
    assertThat(test.itemsToDecide()).isEmpty();
    assertThat(test.interval()).isEqualTo(new Interval(-1, 1, 0.9));
    assertThat(test.holding()).isEqualTo(new SequentialTest.Evidence(1, 1, 1));
    for (int i = 0; i < 1000; i++) {
      test.observe(Double.NaN);
    }
    assertThat(test.finding()).isEqualTo(Finding.UNDECIDED);
    assertThat(test.count()).isZero();
    assertThat(test.undecidable()).isEqualTo(1000);
    assertThat(test.holding().eValue()).isEqualTo(1);
  }

  @Test
  void anUndecidableAnswerNeverHelps() {
    NonInferiorityTest answered = NonInferiorityTest.planned(0.1, 0.05, 60);
    NonInferiorityTest silent = NonInferiorityTest.planned(0.1, 0.05, 60);
    for (int i = 0; i < 20; i++) {
      answered.observe(0);
      silent.observeWithin(-1, 0);
    }
    assertThat(silent.holding().eValue()).isLessThan(0.01);
    assertThat(silent.breaking().eValue()).isEqualTo(answered.breaking().eValue());
    assertThat(silent.undecidable()).isEqualTo(20);
    assertThat(silent.mean()).isEmpty();
  }

  @Test
  void theCourseOfTheEvidenceEndsInTheEvidence() {
    NonInferiorityTest test = NonInferiorityTest.open(0.1, 0.05);
    double[] d = {0, 0, -1, 0, 1, 0};
    for (double x : d) {
      test.observe(x);
    }
    double[] holding = test.holdingLogEValues();
    assertThat(holding).hasSize(6);
    assertThat(Math.exp(holding[5])).isCloseTo(test.holding().eValue(), within(1e-12));
    assertThat(holding[1]).isGreaterThan(holding[0]);
    assertThat(holding[2]).isLessThan(holding[1]);
    assertThat(test.breakingLogEValues()[2]).isGreaterThan(test.breakingLogEValues()[1]);
    assertThat(test.mean()).hasValue(0);
  }

  @Test
  void decidedStaysDecided() {
    FloorTest test = FloorTest.planned(0.5, 0.05, 50);
    for (int i = 0; i < 30; i++) {
      test.observe(1);
    }
    assertThat(test.finding()).isEqualTo(Finding.HOLDS);
    int decidedAt = test.decidedAt().orElseThrow();
    for (int i = 0; i < 500; i++) {
      test.observe(0);
    }
    assertThat(test.finding()).isEqualTo(Finding.HOLDS);
    assertThat(test.decidedAt()).hasValue(decidedAt);
    assertThat(test.breaking().eValue()).isGreaterThan(20);
  }

  /** Holm among many needs more than 1/alpha: the bets do not stop at the target. */
  @Test
  void evidenceGoesOnGrowingPastTheTarget() {
    NonInferiorityTest test = NonInferiorityTest.planned(0.1, 0.05, 40);
    for (int i = 0; i < 40; i++) {
      test.observe(0);
    }
    assertThat(test.finding()).isEqualTo(Finding.HOLDS);
    double atThePlansEnd = test.holding().largest();
    for (int i = 0; i < 100; i++) {
      test.observe(0);
    }
    assertThat(test.holding().largest()).isGreaterThan(100 * atThePlansEnd);
  }

  @Test
  void argumentsOutOfRangeAreNamed() {
    assertThatThrownBy(() -> NonInferiorityTest.open(1, 0.05)).hasMessageContaining("margin");
    assertThatThrownBy(() -> NonInferiorityTest.open(Double.NaN, 0.05))
        .hasMessageContaining("margin");
    assertThatThrownBy(() -> NonInferiorityTest.open(0.1, 0)).hasMessageContaining("alpha");
    assertThatThrownBy(() -> NonInferiorityTest.planned(0.1, 0.05, 0)).hasMessageContaining("0");
    assertThatThrownBy(() -> FloorTest.open(1, 0.05)).hasMessageContaining("floor");
    FloorTest floor = FloorTest.open(0.5, 0.05);
    assertThatThrownBy(() -> floor.observe(1.01)).hasMessageContaining("1.01");
    assertThatThrownBy(() -> floor.observe(Double.POSITIVE_INFINITY))
        .hasMessageContaining("Infinity");
    assertThatThrownBy(() -> floor.observeWithin(0.6, 0.4)).hasMessageContaining("0.6");
    assertThat(floor.count()).isZero();
  }
}
