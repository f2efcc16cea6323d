package dev.cambium.loop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cambium.loop.campaign.Approver;
import dev.cambium.loop.explain.ItemOutcomes;
import dev.cambium.loop.explain.Reach;
import dev.cambium.loop.explain.WhyNode;
import dev.cambium.loop.gate.Verdict;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Judgement;
import dev.cambium.model.Progress;
import dev.cambium.model.Row;
import dev.cambium.model.VersionRef;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Nothing that a decision rested on is out of reach later. */
class EvidenceTest {

  @TempDir Path temp;

  @Test
  void everyItemOfEveryVerdictCanBeAskedForAndEveryRowReached() throws IOException {
    Town town = new Town(temp.resolve("town"));
    try (Cambium cambium = town.create()) {
      town.found(cambium);
      cambium.run(Approver.ALWAYS, Progress.NONE);
      List<Row> more = new ArrayList<>(Town.rows("card", Town.ITEMS / 2, "no"));
      cambium.signalData(town.rows("more", more), "cards", false, true, "a wave");
      cambium.run(Approver.ALWAYS, Progress.NONE);

      List<VersionRef> versions =
          cambium.state().versions().stream().map(v -> v.fact().version()).toList();
      List<ItemOutcomes.OfVerdict> verdicts = cambium.outcomes(versions);
      assertThat(verdicts)
          .extracting(ItemOutcomes.OfVerdict::record)
          .containsExactlyInAnyOrderElementsOf(records(cambium, Fact.VerdictReached.class));
      int lost = 0;
      int paired = 0;
      Set<Long> reached = new TreeSet<>();
      for (ItemOutcomes.OfVerdict verdict : verdicts) {
        assertThat(verdict.capabilities()).hasSameSizeAs(verdict.verdict().capabilities());
        for (int i = 0; i < verdict.capabilities().size(); i++) {
          ItemOutcomes.OfCapability found = verdict.capabilities().get(i);
          Verdict.OfCapability measured = verdict.verdict().capabilities().get(i);
          assertThat(found.agrees()).as("%s", measured.capability()).isTrue();
          assertThat(found.items())
              .hasSize(
                  measured.evaluated()
                      + measured.contaminated().size()
                      + measured.searched().size())
              .allSatisfy(item -> assertThat(item.candidate()).isNotNull());
          int flips = 0;
          Map<String, String> said = new HashMap<>();
          for (ItemOutcomes.OfItem item : found.items()) {
            reached.add(item.candidateRecord());
            said.put(item.item().id(), item.candidate().output());
            if (verdict.verdict().reference() != null) {
              paired++;
              reached.add(item.referenceRecord());
              boolean counts = !item.leftOut();
              boolean before = item.reference().judgement() == Judgement.RIGHT;
              flips += counts && before && item.candidate().judgement() == Judgement.WRONG ? 1 : 0;
            }
          }
          assertThat(flips).isEqualTo(measured.flips().negative());
          measured
              .flips()
              .examples()
              .forEach(flip -> assertThat(said.get(flip.item())).isEqualTo(flip.after()));
          lost += flips;
        }
      }
      assertThat(lost).as("the wave takes answers away").isPositive();
      assertThat(paired).isPositive();

      Set<Digest> rows = new HashSet<>();
      for (VersionRef version : versions) {
        collect(cambium.why(version), reached, rows);
      }
      assertThat(rows).isNotEmpty();
      rows.forEach(data -> assertThat(cambium.rows(data)).isNotEmpty());
      assertThat(reached).containsAll(records(cambium, Fact.VersionRegistered.class));
      assertThat(reached).containsAll(records(cambium, Fact.VerdictReached.class));
      assertThat(reached).containsAll(records(cambium, Fact.ChannelMoved.class));
      assertThat(reached).containsAll(records(cambium, Fact.CampaignOpened.class));
      assertThat(reached).containsAll(records(cambium, Fact.SignalReceived.class));
      assertThat(reached).containsAll(records(cambium, Fact.EcosystemDeclared.class));

      assertThat(cambium.reach().missing()).isEmpty();
      cambium.rotateKey("is about no version");
      Reach reach = cambium.reach();
      assertThat(reach.missing()).containsExactly(reach.records() - 1);
      assertThat(reach.byFact().get("key-rotated")).isEqualTo(new Reach.Share(1, 0));
    }
  }

  private static void collect(WhyNode node, Set<Long> records, Set<Digest> rows) {
    if (node.record() != null) {
      records.add(node.record());
    }
    if (node.kind().equals("data") || node.kind().equals("mix")) {
      rows.add(node.artifact());
    }
    node.because().forEach(cause -> collect(cause, records, rows));
  }

  private static List<Long> records(Cambium cambium, Class<? extends Fact> kind) {
    return cambium.state().records(0, 10_000).stream()
        .filter(record -> kind.isInstance(record.fact()))
        .map(dev.cambium.model.Record::index)
        .toList();
  }
}
