package dev.cambium.loop.campaign;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cambium.loop.campaign.ShareSearch.Shares;
import dev.cambium.model.ModuleGroup;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ShareSearchTest {

  private static final List<ModuleGroup> ALL = List.of(ModuleGroup.values());

  /** Best where attention has 0.75, the rest 1.25. */
  private static double hill(Shares shares) {
    return 0.9
        - 0.125 * Math.abs(shares.of(ModuleGroup.ATTENTION) - 0.75)
        - 0.125 * Math.abs(shares.of(ModuleGroup.FEED_FORWARD) - 1.25);
  }

  @Test
  void oneShareForAllThatIsGoodEnoughIsTheOnlyLook() {
    ShareSearch search = new ShareSearch(0.9, ALL, true);
    assertThat(search.best(shares -> 0.89)).isEqualTo(new Shares(1, Map.of()));
    assertThat(search.looks()).containsExactly("1.00: 0.890");
  }

  @Test
  void groupsAreSearchedFromTheBestShareForAll() {
    ShareSearch search = new ShareSearch(0.9, ALL, true);
    Shares best = search.best(ShareSearchTest::hill);
    assertThat(best).isEqualTo(new Shares(1, Map.of("attention", 0.75, "feed-forward", 1.25)));
    assertThat(hill(best)).isEqualTo(0.9);
    // It ends where it is good enough: the group after these was not looked at.
    assertThat(search.looks())
        .containsExactly(
            "1.00: 0.838",
            "0.75: 0.838",
            "1.25: 0.838",
            "1.00 attention 0.75: 0.869",
            "1.00 attention 1.25: 0.806",
            "1.00 attention 0.75 feed-forward 0.75: 0.838",
            "1.00 attention 0.75 feed-forward 1.25: 0.900");
  }

  @Test
  void aChangeThatKeepsLittleIsNotSearchedByGroups() {
    ShareSearch search = new ShareSearch(0.9, ALL, true);
    assertThat(search.best(shares -> 0.8)).isEqualTo(new Shares(1, Map.of()));
    assertThat(search.looks()).hasSize(3);
  }

  @Test
  void whereTheWholeWasTriedAlreadyTheSearchGoesOnAndMaySayThatNothingIsBetter() {
    ShareSearch search = new ShareSearch(0.9, ALL, false);
    assertThat(search.best(shares -> 0.9).isWhole()).isTrue();
    assertThat(search.looks()).hasSize(9);
    ShareSearch found = new ShareSearch(0.9, ALL, false);
    assertThat(found.best(shares -> shares.all() == 0.75 ? 0.95 : 0.9).all()).isEqualTo(0.75);
    assertThat(found.looks()).hasSize(2);
  }
}
