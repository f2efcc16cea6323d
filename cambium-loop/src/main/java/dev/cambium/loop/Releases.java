package dev.cambium.loop;

import dev.cambium.ledger.EcosystemLock;
import dev.cambium.ledger.Ledger;
import dev.cambium.ledger.LedgerState;
import dev.cambium.ledger.Precondition;
import dev.cambium.ledger.Recorded;
import dev.cambium.loop.campaign.Judge;
import dev.cambium.loop.declaration.Declaration;
import dev.cambium.loop.declaration.Line;
import dev.cambium.loop.gate.Verdict;
import dev.cambium.model.Channel;
import dev.cambium.model.Decision;
import dev.cambium.model.Fact;
import dev.cambium.model.Progress;
import dev.cambium.model.VersionRef;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Channels moved by a person: forwards through the gate, and back. */
final class Releases {

  private final Cambium cambium;
  private final Ledger ledger;
  private final String actor;
  private final InstantSource clock;

  Releases(Cambium cambium, Ledger ledger, String actor, InstantSource clock) {
    this.cambium = cambium;
    this.ledger = ledger;
    this.actor = actor;
    this.clock = clock;
  }

  /** See {@link Cambium#promote}. */
  Verdict promote(VersionRef version, Channel channel, @Nullable String waiver, Progress progress) {
    if (channel == Channel.CANDIDATE) {
      throw new IllegalArgumentException(
          "versions are candidates by being made; promote to canary or stable");
    }
    cambium.version(version);
    try (EcosystemLock lock =
        EcosystemLock.acquire(cambium.directory(), ledger, "cambium release", clock)) {
      Objects.requireNonNull(lock);
      VersionRef from = cambium.state().channel(version.line(), channel).orElse(null);
      if (version.equals(from)) {
        throw new IllegalArgumentException(version + " is " + channel.label() + " already");
      }
      VersionRef stable = cambium.state().channel(version.line(), Channel.STABLE).orElse(null);
      Judge judge = new Judge(cambium.workspace(cambium.declare()));
      Judge.Judged judged =
          waiver == null
              ? judge.judge(version, version.equals(stable) ? null : stable, null, progress)
              : judge.waive(version, waiver);
      if (judged.verdict().decision() == Decision.PASS) {
        ledger.append(
            actor,
            List.of(
                new Fact.ChannelMoved(
                    version.line(),
                    channel,
                    from,
                    version,
                    Fact.Movement.RELEASE,
                    judged.evidence(),
                    judged.verdict().reason())),
            List.of(new Precondition.ChannelAt(version.line(), channel, from)));
      }
      return judged.verdict();
    }
  }

  /** See {@link Cambium#rollback}. */
  List<Fact.ChannelMoved> rollback(String line, boolean cascade, String reason) {
    Declaration declaration = cambium.declare();
    declaration.line(line);
    Map<String, Fact.ChannelMoved> moves = new LinkedHashMap<>();
    moves.put(line, back(line, reason, new HashSet<>()));
    if (cascade) {
      Set<VersionRef> left = new HashSet<>();
      left.add(Objects.requireNonNull(moves.get(line)).from());
      for (Line below : declaration.descendants(line)) {
        VersionRef stable = cambium.state().channel(below.name(), Channel.STABLE).orElse(null);
        if (stable != null && isMadeFrom(stable, left)) {
          left.add(stable);
          moves.put(below.name(), back(below.name(), reason, left));
        }
      }
    }
    List<Precondition> preconditions = new ArrayList<>();
    moves
        .values()
        .forEach(
            m -> preconditions.add(new Precondition.ChannelAt(m.line(), m.channel(), m.from())));
    ledger.append(actor, List.copyOf(moves.values()), preconditions);
    return List.copyOf(moves.values());
  }

  /** The move back to the latest earlier stable version that is not built on one being left. */
  private Fact.ChannelMoved back(String line, String reason, Set<VersionRef> left) {
    VersionRef now =
        cambium
            .state()
            .channel(line, Channel.STABLE)
            .orElseThrow(
                () -> new IllegalArgumentException(line + " has no stable version to roll back"));
    List<VersionRef> trail = new ArrayList<>(); // releases that no rollback has undone
    for (Recorded<Fact.ChannelMoved> move : cambium.state().channelHistory(line, Channel.STABLE)) {
      Fact.ChannelMoved fact = move.fact();
      if (fact.movement() == Fact.Movement.ROLLBACK) {
        while (!trail.isEmpty() && !trail.get(trail.size() - 1).equals(fact.to())) {
          trail.remove(trail.size() - 1);
        }
      } else {
        trail.add(fact.to());
      }
    }
    for (int i = trail.size() - 1; i >= 0; i--) {
      VersionRef earlier = trail.get(i);
      if (!earlier.equals(now) && !isMadeFrom(earlier, left)) {
        return new Fact.ChannelMoved(
            line, Channel.STABLE, now, earlier, Fact.Movement.ROLLBACK, null, reason);
      }
    }
    throw new IllegalArgumentException(
        line + " was never stable at anything but " + now + "; there is nothing to go back to");
  }

  private boolean isMadeFrom(VersionRef version, Set<VersionRef> left) {
    return above(cambium.version(version)).stream().anyMatch(left::contains);
  }

  /** What a version is built on and merged from. */
  private static List<VersionRef> above(Fact.VersionRegistered version) {
    List<VersionRef> above = new ArrayList<>();
    if (version.parent() != null) {
      above.add(version.parent());
    }
    above.addAll(version.sources());
    return above;
  }

  /** See {@link Cambium#builtOnEarlier}. */
  Map<VersionRef, VersionRef> builtOnEarlier(Map<String, LedgerState.BuiltOn> stable) {
    Map<VersionRef, VersionRef> found = new LinkedHashMap<>();
    Map<String, List<VersionRef>> sources = cambium.state().sourcesAt(Channel.STABLE);
    for (LedgerState.BuiltOn released : stable.values()) {
      List<VersionRef> above = new ArrayList<>();
      if (released.parent() != null) {
        above.add(released.parent());
      }
      above.addAll(sources.getOrDefault(released.version().line(), List.of()));
      for (VersionRef one : above) {
        LedgerState.BuiltOn now = stable.get(one.line());
        if (now == null || !one.equals(now.version())) {
          found.putIfAbsent(released.version(), one);
        }
      }
    }
    return found;
  }
}
