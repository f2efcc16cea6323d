package dev.cambium.ledger;

import static dev.cambium.ledger.LedgerState.label;
import static dev.cambium.ledger.Schema.*;

import dev.cambium.model.Channel;
import dev.cambium.model.Decision;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Record;
import dev.cambium.model.VersionKind;
import dev.cambium.model.VersionRef;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/*
 * The transition table. A fact is refused unless all that stands under "needs" holds just before it;
 * what stands under "then" is all that it changes. Appending and replaying both come through here.
 *
 *   fact                needs                                          then
 *   ------------------  ---------------------------------------------  ---------------------------
 *   ecosystem-declared  an approved change of a suite ends at the      it is the declaration
 *                       suite in force, changes it, and has a reason
 *   version-registered  number is the line's next; parent registered   version exists, with its
 *                       (and given, unless a whole model);             data and its sources
 *                       sources registered, each named once;
 *                       predecessor registered, of the same line;
 *                       action finished; campaign open
 *   signal-received     id unused; data: training rows; upstream: a    signal is open
 *                       registered version
 *   campaign-opened     id unused; no campaign open; its signals are   campaign is open; its
 *                       open, each named once                          signals are taken up
 *   decision-taken      campaign open                                  decision is kept
 *   action-finished     key unused; seconds finite, not negative       result is memoised
 *   verdict-reached     candidate and reference registered; campaign   verdict is kept
 *                       open
 *   channel-moved       "from" is where the channel is; "to" is        channel is at "to"
 *                       another, registered version of the line
 *     candidate         channel is candidate
 *     release           channel is canary or stable; evidence, if
 *                       given, is of a verdict on "to"; for stable it
 *                       is given and the verdict is PASS
 *     rollback          channel was at "to" before
 *   line-settled        campaign open; line not settled by it;         line is settled
 *                       version is the line's stable one; released:
 *                       it became stable since the campaign opened
 *   campaign-closed     campaign open; summary counts its settlements  campaign is closed
 *   key-rotated         two keys of the log's name; "from" is the key  the log is signed by "to"
 *                       of the last rotation, if there was one
 *
 * Where a fact names no campaign, action, parent, predecessor or reference, what is needed of it is
 * not needed. A rollback needs nothing but the past: it is possible in every state.
 *
 *   channel of a line:   none --candidate/release--> v --candidate/release/rollback--> w
 *   signal:              open --campaign-opened--> taken up (for good)
 *   campaign:            none --campaign-opened--> open --campaign-closed--> closed (for good)
 */

/**
 * Applies records to the projections: the one place where a fact changes what state says. It looks
 * at the record and at projections only, never at other records, so that it can run where these are
 * not.
 */
final class Projector {

  /** As the schema has them, in characters. */
  private static final int LONGEST_NAME = 255;

  private static final int LONGEST_KIND = 40;

  private static final int SIGNAL_CAMPAIGN = SIGNALS.place(CAMPAIGN);
  private static final int MOVED_AT = CHANNELS.place(RECORD_IDX);

  private final Projections now;

  Projector(Projections now) {
    this.now = now;
  }

  /**
   * Applies a record. All checks come before the first change.
   *
   * @throws InvalidFactException if the fact contradicts what was recorded before it
   */
  void apply(Record record) {
    long index = record.index();
    Fact fact = record.fact();
    if (fact instanceof Fact.EcosystemDeclared declared) {
      needText(declared.name(), Integer.MAX_VALUE, "the name of an ecosystem");
      declared.approved().forEach((capability, change) -> approve(declared, capability, change));
      now.add(ECOSYSTEMS, index, declared.name());
    } else if (fact instanceof Fact.VersionRegistered registered) {
      register(index, registered);
    } else if (fact instanceof Fact.SignalReceived received) {
      receive(index, received);
    } else if (fact instanceof Fact.CampaignOpened opened) {
      open(index, opened);
    } else if (fact instanceof Fact.DecisionTaken taken) {
      needText(taken.point(), Integer.MAX_VALUE, "a decision point");
      needOpen(taken.campaign(), "decision " + taken.point());
      now.add(DECISIONS, index, taken.campaign(), taken.point());
    } else if (fact instanceof Fact.ActionFinished finished) {
      finish(index, finished);
    } else if (fact instanceof Fact.VerdictReached reached) {
      judge(index, reached);
    } else if (fact instanceof Fact.ChannelMoved moved) {
      move(index, moved);
    } else if (fact instanceof Fact.LineSettled settled) {
      settle(index, settled);
    } else if (fact instanceof Fact.CampaignClosed closed) {
      close(index, closed);
    } else if (fact instanceof Fact.KeyRotated rotated) {
      rotate(index, rotated);
    } else {
      throw new AssertionError("a fact without a transition: " + fact.getClass());
    }
    for (Digest artifact : new HashSet<>(fact.artifacts())) {
      now.add(ARTIFACTS, index, artifact.hex());
    }
  }

  private static void approve(
      Fact.EcosystemDeclared declared, String capability, Fact.SuiteApproval change) {
    String what = "the approved change of the suite of " + capability;
    needText(change.reason(), Integer.MAX_VALUE, "the reason of " + what);
    need(!change.reason().isBlank(), "%s has no reason", what);
    need(!change.from().equals(change.to()), "%s changes nothing", what);
    Digest inForce = declared.suites().get(capability);
    need(
        change.to().equals(inForce),
        "%s ends at %s, but %s is in force",
        what,
        change.to(),
        inForce == null ? "none" : inForce);
  }

  private void register(long index, Fact.VersionRegistered fact) {
    VersionRef version = fact.version();
    int next = now.lastNumber(version.line()) + 1;
    need(
        version.number() == next,
        "%s cannot be registered: the next version of %s is %s@%d",
        version,
        version.line(),
        version.line(),
        next);
    VersionRef parent = fact.parent();
    need(
        parent != null || fact.kind() == VersionKind.MODEL,
        "%s is an %s and needs a parent",
        version,
        label(fact.kind()));
    if (parent != null) {
      needRegistered(parent, "the parent of " + version);
    }
    for (VersionRef source : fact.sources()) {
      needRegistered(source, "what " + version + " was merged from");
    }
    need(
        new HashSet<>(fact.sources()).size() == fact.sources().size(),
        "%s was merged from one version twice: %s",
        version,
        fact.sources());
    VersionRef predecessor = fact.predecessor();
    if (predecessor != null) {
      need(
          predecessor.line().equals(version.line()),
          "%s cannot be made from %s, which is of another line",
          version,
          predecessor);
      needRegistered(predecessor, "the predecessor of " + version);
    }
    Digest action = fact.action();
    if (action != null) {
      need(
          now.isFinished(action),
          "%s cannot be registered: the action %s that made it is not recorded as finished",
          version,
          action);
    }
    needOpenIfGiven(fact.campaign(), "version " + version);

    now.registered(
        version,
        version.line(),
        (long) version.number(),
        fact.manifest().hex(),
        parent == null ? null : parent.line(),
        parent == null ? null : (Long) (long) parent.number(),
        fact.campaign(),
        index);
    for (Digest data : new HashSet<>(fact.data())) {
      now.add(VERSIONS_DATA, version.line(), (long) version.number(), data.hex(), index);
    }
    for (VersionRef source : fact.sources()) {
      now.add(
          VERSIONS_SOURCES,
          version.line(),
          (long) version.number(),
          source.line(),
          (long) source.number(),
          index);
    }
  }

  private void receive(long index, Fact.SignalReceived fact) {
    needText(fact.signal(), LONGEST_NAME, "the name of a signal");
    need(now.row(SIGNALS, fact.signal()).isEmpty(), "signal %s was received before", fact.signal());
    switch (fact.kind()) {
      case DATA ->
          need(
              fact.train() != null && fact.rows() > 0,
              "signal %s brings data, but no training rows",
              fact.signal());
      case UPSTREAM -> {
        VersionRef upstream = fact.upstream();
        if (upstream == null) {
          throw new InvalidFactException(
              "signal " + fact.signal() + " is of an upstream version, but names none");
        }
        needRegistered(upstream, "the version of signal " + fact.signal());
      }
    }
    now.put(SIGNALS, fact.signal(), fact.line(), index, null, index);
  }

  private void open(long index, Fact.CampaignOpened fact) {
    String campaign = fact.campaign();
    needText(campaign, LONGEST_NAME, "the name of a campaign");
    need(now.row(CAMPAIGNS, campaign).isEmpty(), "campaign %s was opened before", campaign);
    Optional<String> other = now.openCampaign();
    need(
        other.isEmpty(),
        "campaign %s cannot be opened: campaign %s is open",
        campaign,
        other.orElse("none"));
    Map<String, Object[]> taken = new LinkedHashMap<>();
    for (String signal : fact.signals()) {
      Object[] row =
          now.row(SIGNALS, signal)
              .orElseThrow(
                  () ->
                      new InvalidFactException(
                          "campaign "
                              + campaign
                              + " answers signal "
                              + signal
                              + ", which was never received"))
              .clone();
      need(
          row[SIGNAL_CAMPAIGN] == null,
          "campaign %s answers signal %s, which campaign %s has taken up",
          campaign,
          signal,
          row[SIGNAL_CAMPAIGN]);
      row[SIGNAL_CAMPAIGN] = campaign;
      row[row.length - 1] = index;
      need(taken.put(signal, row) == null, "campaign %s names signal %s twice", campaign, signal);
    }
    now.opened(campaign, campaign, index, null, null, index);
    taken.values().forEach(row -> now.put(SIGNALS, row));
  }

  private void finish(long index, Fact.ActionFinished fact) {
    needText(fact.kind(), LONGEST_KIND, "the kind of an action");
    need(
        !now.isFinished(fact.action()), "action %s is recorded as finished already", fact.action());
    need(
        Double.isFinite(fact.seconds()) && fact.seconds() >= 0,
        "action %s took %s seconds",
        fact.action(),
        fact.seconds());
    now.finished(fact.action(), fact.action().hex(), fact.kind(), index);
  }

  private void judge(long index, Fact.VerdictReached fact) {
    needRegistered(fact.candidate(), "the candidate of a verdict");
    VersionRef reference = fact.reference();
    if (reference != null) {
      needRegistered(reference, "the reference of a verdict on " + fact.candidate());
    }
    needOpenIfGiven(fact.campaign(), "verdict on " + fact.candidate());
    now.judged(
        fact.candidate(),
        fact.evidence(),
        fact.decision(),
        index,
        fact.candidate().line(),
        (long) fact.candidate().number(),
        label(fact.decision()),
        fact.evidence().hex(),
        fact.campaign());
  }

  private void move(long index, Fact.ChannelMoved fact) {
    String line = fact.line();
    VersionRef to = fact.to();
    String channel = fact.channel().label() + " of " + line;
    need(to.line().equals(line), "%s cannot move to %s, which is of another line", channel, to);
    needRegistered(to, "where " + channel + " moves");
    Optional<VersionRef> current = now.channel(line, fact.channel());
    Optional<VersionRef> from = Optional.ofNullable(fact.from());
    need(
        current.equals(from),
        "%s cannot move from %s: it is at %s",
        channel,
        describe(from),
        describe(current));
    need(!from.equals(Optional.of(to)), "%s is at %s already", channel, to);
    switch (fact.movement()) {
      case CANDIDATE ->
          need(
              fact.channel() == Channel.CANDIDATE,
              "%s moves by release or rollback, not as a candidate",
              channel);
      case RELEASE -> release(fact, channel);
      case ROLLBACK ->
          need(
              now.wasAt(to, fact.channel()),
              "%s cannot be rolled back to %s, where it never was",
              channel,
              to);
    }
    now.moved(to, fact.channel(), index, line, fact.channel().label(), (long) to.number());
    now.put(CHANNELS, line, fact.channel().label(), (long) to.number(), index);
  }

  private void release(Fact.ChannelMoved fact, String channel) {
    need(fact.channel() != Channel.CANDIDATE, "%s is not a channel to release on", channel);
    boolean stable = fact.channel() == Channel.STABLE;
    Digest evidence = fact.evidence();
    if (evidence == null) {
      need(
          !stable,
          "%s cannot be released as %s without the evidence of a verdict",
          fact.to(),
          channel);
      return;
    }
    List<String> decisions = now.decisions(fact.to(), evidence);
    need(
        !decisions.isEmpty(),
        "%s cannot be released as %s: no verdict on it has the evidence %s",
        fact.to(),
        channel,
        evidence);
    need(
        !stable || decisions.contains(label(Decision.PASS)),
        "%s cannot be released as %s: the verdict with the evidence %s is %s, not pass",
        fact.to(),
        channel,
        evidence,
        String.join(", ", decisions));
  }

  private void settle(long index, Fact.LineSettled fact) {
    String what = "settlement of " + fact.line();
    long opened = needOpen(fact.campaign(), what);
    need(
        !now.isSettled(fact.campaign(), fact.line()),
        "campaign %s has settled %s already",
        fact.campaign(),
        fact.line());
    Optional<VersionRef> stable = now.channel(fact.line(), Channel.STABLE);
    Optional<VersionRef> claimed = Optional.ofNullable(fact.version());
    need(
        stable.equals(claimed),
        "%s names %s as its stable version, which is %s",
        what,
        describe(claimed),
        describe(stable));
    if (fact.settlement() == Fact.Settlement.RELEASED) {
      need(
          now.row(CHANNELS, fact.line(), Channel.STABLE.label())
              .filter(row -> (Long) row[MOVED_AT] > opened)
              .isPresent(),
          "%s says released, but its stable channel has not moved since campaign %s opened",
          what,
          fact.campaign());
    }
    String how = label(fact.settlement());
    now.settled(fact.campaign(), fact.line(), how, fact.campaign(), fact.line(), how, index);
  }

  private void close(long index, Fact.CampaignClosed fact) {
    long opened = needOpen(fact.campaign(), "end of campaign " + fact.campaign());
    Map<String, Integer> counts = now.settlements(fact.campaign());
    Map<String, Integer> claimed = new TreeMap<>(fact.summary());
    claimed.values().removeIf(n -> n == 0);
    need(
        counts.equals(claimed),
        "campaign %s cannot be closed with the summary %s: its settlements are %s",
        fact.campaign(),
        claimed,
        counts);
    now.closed(fact.campaign(), fact.campaign(), opened, index, label(fact.outcome()), index);
  }

  private void rotate(long index, Fact.KeyRotated fact) {
    VerifierKey from;
    VerifierKey to;
    try {
      from = VerifierKey.parse(fact.from());
      to = VerifierKey.parse(fact.to());
    } catch (IllegalArgumentException e) {
      throw new InvalidFactException("a rotation of keys: " + e.getMessage());
    }
    need(
        from.name().equals(to.name()) && !from.equals(to),
        "the key %s of the log cannot be replaced by %s",
        from,
        to);
    Optional<String> last = now.signingKey();
    need(
        last.isEmpty() || last.get().equals(from.toString()),
        "the key %s cannot be replaced: the log is signed by %s",
        from,
        last.orElse("none"));
    now.signedBy(fact.to(), index, fact.from(), fact.to());
  }

  private void needOpenIfGiven(@Nullable String campaign, String what) {
    if (campaign != null) {
      needOpen(campaign, what);
    }
  }

  /** The index at which the campaign was opened. */
  private long needOpen(String campaign, String what) {
    return now.opened(campaign)
        .orElseThrow(
            () ->
                new InvalidFactException(
                    what
                        + " belongs to campaign "
                        + campaign
                        + ", which is not open (open: "
                        + now.openCampaign().orElse("none")
                        + ")"));
  }

  private void needRegistered(VersionRef version, String what) {
    need(now.isRegistered(version), "%s, %s, is not registered", what, version);
  }

  private static String describe(Optional<VersionRef> version) {
    return version.map(VersionRef::toString).orElse("no version");
  }

  /** Refuses what one database would take and another not, or not give back as it was. */
  private static void needText(String text, int longest, String what) {
    int length = text.codePointCount(0, text.length());
    need(length <= longest, "%s has %d characters, and may have %d", what, length, longest);
    need(text.indexOf(0) < 0, "%s holds the character NUL", what);
  }

  private static void need(boolean condition, String message, Object... values) {
    if (!condition) {
      throw new InvalidFactException(String.format(message, values));
    }
  }
}
