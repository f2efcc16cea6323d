package dev.cambium.bench.fire;

import dev.cambium.artifact.ArtifactStore;
import dev.cambium.artifact.DirectoryTree;
import dev.cambium.artifact.LocalArtifactStore;
import dev.cambium.bench.fire.History.Command;
import dev.cambium.bench.fire.History.Fault;
import dev.cambium.bench.fire.History.Trouble;
import dev.cambium.ledger.ConflictException;
import dev.cambium.ledger.InvalidFactException;
import dev.cambium.ledger.Ledger;
import dev.cambium.ledger.LedgerException;
import dev.cambium.ledger.LockedException;
import dev.cambium.ledger.StoreAddress;
import dev.cambium.ledger.UnknownOutcomeException;
import dev.cambium.loop.Cambium;
import dev.cambium.loop.action.ActionFailedException;
import dev.cambium.loop.action.WorkerLostException;
import dev.cambium.loop.campaign.Approver;
import dev.cambium.loop.data.DataException;
import dev.cambium.loop.gate.Verdict;
import dev.cambium.model.Channel;
import dev.cambium.model.Decision;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Json;
import dev.cambium.model.Progress;
import dev.cambium.model.Record;
import dev.cambium.model.Tier;
import dev.cambium.model.VersionRef;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Lives one history on a copy of the fleet, each command in a process of its own (a newly opened
 * ecosystem), and then asks for the invariants.
 */
final class World {

  private static final String BY_HAND = "hand-";

  private final Path directory;
  private final Sabotage sabotage;
  private final SimulatedClock clock = new SimulatedClock();
  private final List<Told> told = new ArrayList<>();
  private final List<Violation> violations = new ArrayList<>();
  private int commands;

  private World(Path directory, Sabotage sabotage) {
    this.directory = directory;
    this.sabotage = sabotage;
  }

  /** Whether a person released something by name. */
  static boolean byHand(String actor) {
    return actor.startsWith(BY_HAND);
  }

  /** What a history breaks; nothing, if all is well. */
  static List<Violation> live(Fleet fleet, Path scratch, History history, Sabotage sabotage)
      throws IOException {
    DirectoryTree.delete(scratch);
    World world = new World(fleet.copy(scratch), sabotage);
    try {
      world.live(history);
    } finally {
      DirectoryTree.delete(scratch);
    }
    return world.violations;
  }

  private void live(History history) {
    for (History.Step step : history.steps()) {
      perform(step.command(), step.faults());
    }
    try (Ledger ledger = Ledger.open(directory, StoreAddress.local(), clock, sabotage::ledger)) {
      sabotage.afterwards(ledger);
    }
    endCampaign();
    try (Cambium cambium = open("judge", null)) {
      violations.addAll(Invariants.check(cambium, told));
    }
  }

  private void endCampaign() {
    try (Cambium cambium = open("run-in-peace", null)) {
      if (cambium.state().openCampaign().isPresent()) {
        cambium.run(Approver.ALWAYS, Progress.NONE);
      }
    } catch (RuntimeException e) {
      violations.add(new Violation(Invariant.RESUMABLE, e.toString()));
    }
  }

  private Cambium open(String actor, @Nullable Port port) {
    Ledger ledger =
        Ledger.open(
            directory,
            StoreAddress.local(),
            clock,
            real -> {
              var lying = sabotage.ledger(real);
              return port == null ? lying : port.around(lying);
            });
    ArtifactStore store =
        sabotage.store(LocalArtifactStore.open(directory.resolve(Cambium.HOME).resolve("objects")));
    return Cambium.over(
        directory,
        actor,
        clock,
        ledger,
        port == null ? store : port.around(store),
        () -> port == null ? new TableTrainer() : port.trainer());
  }

  private void perform(Command command, List<Fault> faults) {
    String actor =
        (command.deed() == History.Deed.PROMOTE ? BY_HAND : "")
            + command.deed().name().toLowerCase(Locale.ROOT)
            + "-"
            + commands++;
    Port port = new Port(faults, this::outside);
    List<Told.Claim> claims = List.of();
    Told.Ending ending;
    try (Cambium cambium = open(actor, port)) {
      claims = carryOut(cambium, command, actor);
      ending = Told.Ending.DONE;
    } catch (Killed e) {
      ending = Told.Ending.KILLED;
    } catch (UnknownOutcomeException e) {
      ending = Told.Ending.UNKNOWN;
    } catch (RuntimeException e) {
      ending = Told.Ending.FAILED;
      if (!documented(e, port)) {
        violations.add(
            new Violation(
                Invariant.ONLY_DOCUMENTED_ERRORS,
                actor + ": " + e + " at " + List.of(e.getStackTrace()).subList(0, 4)));
      }
    }
    told.add(new Told(actor, command, ending, claims));
  }

  private static boolean documented(RuntimeException e, Port port) {
    if (e instanceof InvalidFactException) {
      return false; // what the loop appends follows from what it read, or is a conflict
    }
    return e instanceof ConflictException
        || e instanceof LockedException
        || e.getClass() == IllegalArgumentException.class
        || e instanceof DataException
        || (port.injected()
            && (e instanceof LedgerException
                || e instanceof UncheckedIOException
                || e instanceof ActionFailedException
                || e instanceof WorkerLostException));
  }

  /** What is not this process's own. */
  private void outside(Fault fault) {
    if (fault.trouble() == Trouble.CLOCK_BACK) {
      clock.jump(Duration.ofDays(-3));
    } else if (fault.trouble() == Trouble.CLOCK_FORWARD) {
      clock.jump(Duration.ofDays(400));
    } else {
      perform(Objects.requireNonNull(fault.other()), List.of());
    }
  }

  private List<Told.Claim> carryOut(Cambium cambium, Command command, String actor) {
    int number = command.number();
    String line = Fleet.LEARNING.get(number % Fleet.LEARNING.size());
    String any = Fleet.LINES.get(number % Fleet.LINES.size());
    return switch (command.deed()) {
      case DATA -> signal(cambium, line, "" + number / 3 % Fleet.VARIANTS, actor);
      case POISON -> signal(cambium, line, "poison", actor);
      case CURE -> signal(cambium, line, "cure", actor);
      case UPGRADE -> upgrade(cambium, 1 + number % Fleet.VARIANTS, actor);
      case RUN -> run(cambium, Approver.ALWAYS);
      case RUN_UNATTENDED -> run(cambium, Approver.NOBODY);
      case RUN_DECLINED ->
          run(cambium, (point, question) -> Optional.of(new Approver.Answer(false, "no")));
      case PROMOTE -> promote(cambium, any, number / 5, actor);
      case ROLLBACK, ROLLBACK_CASCADE ->
          rollback(cambium, any, command.deed() == History.Deed.ROLLBACK_CASCADE, actor);
      case EDIT -> edit(number % 4);
      case GC -> collect(cambium);
    };
  }

  private List<Told.Claim> signal(Cambium cambium, String line, String kind, String actor) {
    Cambium.DataTaken taken =
        cambium.signalData(Fleet.data(directory, line, kind), line, false, false, actor);
    return List.of(received(taken.signal(), actor));
  }

  private static Told.Claim received(String signal, String actor) {
    return new Told.Claim(
        "signal " + signal,
        r ->
            r.actor().equals(actor)
                && r.fact() instanceof Fact.SignalReceived s
                && s.signal().equals(signal));
  }

  private List<Told.Claim> upgrade(Cambium cambium, int number, String actor) {
    VersionRef version =
        cambium.importVersion(
            directory.resolve("models/" + number), "base", Tier.FOUNDATION, null, actor);
    String signal = cambium.signalUpstream(version, actor);
    return List.of(
        received(signal, actor),
        new Told.Claim(
            "version " + version,
            r ->
                r.actor().equals(actor)
                    && r.fact() instanceof Fact.VersionRegistered v
                    && v.version().equals(version)));
  }

  private static List<Told.Claim> run(Cambium cambium, Approver approver) {
    Cambium.RunReport report = cambium.run(approver, Progress.NONE);
    List<Told.Claim> claims = new ArrayList<>();
    for (Fact.LineSettled settled : report.settlements()) {
      claims.add(new Told.Claim(settled.toString(), r -> r.fact().equals(settled)));
    }
    if (report.outcome() != null) {
      claims.add(
          new Told.Claim(
              report.campaign() + " " + report.outcome(),
              r ->
                  r.fact() instanceof Fact.CampaignClosed closed
                      && closed.campaign().equals(report.campaign())
                      && closed.outcome() == report.outcome()));
    }
    return claims;
  }

  private static List<Told.Claim> promote(Cambium cambium, String line, int nth, String actor) {
    int count = cambium.state().nextVersionNumber(line) - 1;
    VersionRef version = new VersionRef(line, 1 + nth % count);
    Verdict verdict = cambium.promote(version, Channel.STABLE, null, Progress.NONE);
    Digest evidence = Json.digest(verdict);
    long moves = verdict.decision() == Decision.PASS ? 1 : 0;
    List<Told.Claim> claims = new ArrayList<>();
    if (moves > 0) {
      claims.add(
          new Told.Claim(
              "release of " + version,
              r ->
                  r.actor().equals(actor)
                      && r.fact() instanceof Fact.ChannelMoved m
                      && m.to().equals(version)
                      && evidence.equals(m.evidence())));
    }
    claims.add(
        new Told.Claim(
            "verdict on " + version,
            r ->
                r.actor().equals(actor)
                    && r.fact() instanceof Fact.VerdictReached v
                    && v.evidence().equals(evidence)));
    return claims;
  }

  private static List<Told.Claim> rollback(
      Cambium cambium, String line, boolean cascade, String actor) {
    List<Told.Claim> claims = new ArrayList<>();
    for (Fact.ChannelMoved move : cambium.rollback(line, cascade, actor)) {
      claims.add(new Told.Claim(move.toString(), (Record r) -> r.fact().equals(move)));
    }
    return claims;
  }

  private List<Told.Claim> edit(int number) {
    try {
      Fleet.edit(directory, number);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return List.of();
  }

  private List<Told.Claim> collect(Cambium cambium) {
    FileTime old = FileTime.from(Instant.now().minus(Duration.ofDays(2)));
    try (Stream<Path> files = Files.walk(directory.resolve(Cambium.HOME).resolve("objects"))) {
      for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
        Files.setLastModifiedTime(file, old);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    cambium.gc();
    return List.of();
  }
}
