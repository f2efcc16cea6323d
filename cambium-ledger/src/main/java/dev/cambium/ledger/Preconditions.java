package dev.cambium.ledger;

import dev.cambium.ledger.ConflictException.Conflict;
import dev.cambium.model.Digest;
import dev.cambium.model.VersionRef;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Compares what writers expect with what is so. */
final class Preconditions {

  private Preconditions() {}

  /**
   * Checks all preconditions.
   *
   * @throws ConflictException naming every one that does not hold
   */
  static void check(LedgerState state, List<? extends Precondition> preconditions) {
    List<Conflict> conflicts = new ArrayList<>();
    for (Precondition precondition : preconditions) {
      check(state, precondition).ifPresent(conflicts::add);
    }
    if (!conflicts.isEmpty()) {
      throw new ConflictException(conflicts);
    }
  }

  private static Optional<Conflict> check(LedgerState state, Precondition precondition) {
    if (precondition instanceof Precondition.ChannelAt at) {
      String channel = at.channel().label() + " of " + at.line() + " at ";
      Optional<VersionRef> expected = Optional.ofNullable(at.expected());
      Optional<VersionRef> found = state.channel(at.line(), at.channel());
      return unless(
          found.equals(expected), at, channel + describe(expected), "it at " + describe(found));
    }
    if (precondition instanceof Precondition.LogSize size) {
      long found = state.size();
      return unless(found == size.expected(), size, size.expected() + " records", "" + found);
    }
    if (precondition instanceof Precondition.NewestDeclaration newest) {
      Optional<Long> found = state.ecosystem().map(Recorded::index);
      return unless(
          found.equals(newest.record()),
          newest,
          "the newest declaration in record " + newest.record().map(String::valueOf).orElse("none"),
          "it in record " + found.map(String::valueOf).orElse("none"));
    }
    if (precondition instanceof Precondition.VersionAbsent absent) {
      return unlessAbsent(
          state.version(absent.version()), absent, "no version " + absent.version());
    }
    if (precondition instanceof Precondition.NextVersionNumber next) {
      int found = state.nextVersionNumber(next.line());
      return unless(
          found == next.number(),
          next,
          next.line() + "@" + next.number() + " to be the next version",
          "the next to be " + next.line() + "@" + found);
    }
    if (precondition instanceof Precondition.CampaignOpen open) {
      Optional<String> found = openCampaign(state);
      return unless(
          found.equals(Optional.of(open.campaign())),
          open,
          "campaign " + open.campaign() + " open",
          found.map(c -> c + " open").orElse("none open"));
    }
    if (precondition instanceof Precondition.NoCampaignOpen none) {
      Optional<String> found = openCampaign(state);
      return unless(found.isEmpty(), none, "no campaign open", found.orElse("none") + " open");
    }
    if (precondition instanceof Precondition.ActionAbsent absent) {
      return unlessAbsent(
          state.action(absent.action()), absent, "no result of action " + absent.action());
    }
    if (precondition instanceof Precondition.SignalAbsent absent) {
      return unlessAbsent(
          state.signal(absent.signal()).map(LedgerState.SignalState::received),
          absent,
          "no signal " + absent.signal());
    }
    if (precondition instanceof Precondition.SignalOpen open) {
      Optional<LedgerState.SignalState> found = state.signal(open.signal());
      return unless(
          found.isPresent() && found.get().campaign().isEmpty(),
          open,
          "signal " + open.signal() + " open",
          found
              .map(s -> "it taken up by campaign " + s.campaign().orElse("none"))
              .orElse("no such signal"));
    }
    if (precondition instanceof Precondition.ArtifactsRenewed renewed) {
      Optional<Digest> gone =
          renewed.artifacts().stream().filter(renewed.renew().negate()).findFirst();
      return unless(
          gone.isEmpty(),
          renewed,
          "what is to be recorded in the artifact store",
          gone.map(Digest::brief).orElse("nothing")
              + " collected as garbage, as nobody had recorded it for long; do it again");
    }
    if (precondition instanceof Precondition.LineUnsettled unsettled) {
      return unlessAbsent(
          state.settlement(unsettled.campaign(), unsettled.line()),
          unsettled,
          unsettled.line() + " not settled by campaign " + unsettled.campaign());
    }
    throw new AssertionError("a precondition without a check: " + precondition);
  }

  private static Optional<String> openCampaign(LedgerState state) {
    return state.openCampaign().map(open -> open.opened().fact().campaign());
  }

  private static String describe(Optional<VersionRef> version) {
    return version.map(VersionRef::toString).orElse("no version");
  }

  private static Optional<Conflict> unlessAbsent(
      Optional<? extends Recorded<?>> found, Precondition precondition, String expected) {
    return unless(
        found.isEmpty(),
        precondition,
        expected,
        found
            .map(r -> "it in record " + r.index() + " by " + r.actor() + " at " + r.time())
            .orElse("none"));
  }

  private static Optional<Conflict> unless(
      boolean holds, Precondition precondition, String expected, String found) {
    return holds ? Optional.empty() : Optional.of(new Conflict(precondition, expected, found));
  }
}
