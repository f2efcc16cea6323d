package dev.cambium.loop.explain;

import dev.cambium.artifact.ArtifactStore;
import dev.cambium.ledger.LedgerState;
import dev.cambium.ledger.Recorded;
import dev.cambium.loop.governor.Choice;
import dev.cambium.loop.plan.Plan;
import dev.cambium.model.Fact;
import dev.cambium.model.Json;
import dev.cambium.model.VersionRef;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** How the updates that made versions were chosen, from the plans that were recorded. */
public final class Decisions {

  private final LedgerState state;
  private final ArtifactStore store;
  private final Map<String, Plan> plans = new HashMap<>();

  public Decisions(LedgerState state, ArtifactStore store) {
    this.state = state;
    this.store = store;
  }

  /** The choice for the update that made a version; none if no update of a line did. */
  public Optional<Choice> of(VersionRef version) {
    return state
        .version(version)
        .map(Recorded::fact)
        .flatMap(fact -> Optional.ofNullable(fact.campaign()))
        .flatMap(campaign -> of(campaign, version.line()));
  }

  /** The choice for a line in a campaign; none if it was not updated in it. */
  public Optional<Choice> of(String campaign, String line) {
    return plan(campaign).steps().stream()
        .filter(step -> step.line().equals(line))
        .findFirst()
        .flatMap(step -> Optional.ofNullable(step.update()));
  }

  /** The choices for all versions of a line that an update made, in the order of their numbers. */
  public Map<VersionRef, Choice> ofLine(String line) {
    Map<VersionRef, Choice> choices = new LinkedHashMap<>();
    for (Recorded<Fact.VersionRegistered> version : state.versions(line)) {
      of(version.fact().version())
          .ifPresent(choice -> choices.put(version.fact().version(), choice));
    }
    return choices;
  }

  private Plan plan(String campaign) {
    return plans.computeIfAbsent(
        campaign,
        id ->
            Json.read(
                store.bytes(state.campaign(id).orElseThrow().opened().fact().plan()), Plan.class));
  }
}
