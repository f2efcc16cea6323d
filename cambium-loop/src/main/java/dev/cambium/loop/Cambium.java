package dev.cambium.loop;

import com.sun.management.OperatingSystemMXBean;
import dev.cambium.artifact.ArtifactAddress;
import dev.cambium.artifact.ArtifactMove;
import dev.cambium.artifact.ArtifactStore;
import dev.cambium.artifact.DirectoryTree;
import dev.cambium.artifact.DurableFile;
import dev.cambium.artifact.ForwardingArtifactStore;
import dev.cambium.artifact.IntegrityException;
import dev.cambium.artifact.MissingArtifactException;
import dev.cambium.artifact.hub.Hub;
import dev.cambium.artifact.huggingface.Problem;
import dev.cambium.ledger.ConsistencyProof;
import dev.cambium.ledger.EcosystemLock;
import dev.cambium.ledger.Envelope;
import dev.cambium.ledger.KeyHistory;
import dev.cambium.ledger.Ledger;
import dev.cambium.ledger.LedgerException;
import dev.cambium.ledger.LedgerState;
import dev.cambium.ledger.PublishedLog;
import dev.cambium.ledger.RecordProof;
import dev.cambium.ledger.Recorded;
import dev.cambium.ledger.StoreAddress;
import dev.cambium.ledger.StoreMove;
import dev.cambium.ledger.VerificationReport;
import dev.cambium.ledger.VerifierKey;
import dev.cambium.ledger.Witness;
import dev.cambium.loop.action.ActionRunner;
import dev.cambium.loop.action.EffectiveModel;
import dev.cambium.loop.action.JobExecutor;
import dev.cambium.loop.action.VersionFiles;
import dev.cambium.loop.action.WorkerPool;
import dev.cambium.loop.action.Workforce;
import dev.cambium.loop.campaign.Approver;
import dev.cambium.loop.campaign.CampaignRunner;
import dev.cambium.loop.campaign.Judge;
import dev.cambium.loop.campaign.Workspace;
import dev.cambium.loop.data.DataException;
import dev.cambium.loop.data.Overlap;
import dev.cambium.loop.data.RowFile;
import dev.cambium.loop.declaration.CapabilityDeclaration;
import dev.cambium.loop.declaration.Declaration;
import dev.cambium.loop.explain.Decisions;
import dev.cambium.loop.explain.Gauges;
import dev.cambium.loop.explain.ItemOutcomes;
import dev.cambium.loop.explain.LineHistory;
import dev.cambium.loop.explain.Reach;
import dev.cambium.loop.explain.Statements;
import dev.cambium.loop.explain.TelemetryHistory;
import dev.cambium.loop.explain.Wave;
import dev.cambium.loop.explain.Why;
import dev.cambium.loop.explain.WhyNode;
import dev.cambium.loop.gate.Evaluations;
import dev.cambium.loop.gate.Suite;
import dev.cambium.loop.gate.Verdict;
import dev.cambium.loop.governor.Choice;
import dev.cambium.loop.governor.Wish;
import dev.cambium.loop.headroom.Headroom;
import dev.cambium.loop.plan.CostModel;
import dev.cambium.loop.plan.Plan;
import dev.cambium.loop.plan.Planner;
import dev.cambium.model.Action;
import dev.cambium.model.Channel;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.FileEntry;
import dev.cambium.model.Item;
import dev.cambium.model.Json;
import dev.cambium.model.Manifest;
import dev.cambium.model.Outcome;
import dev.cambium.model.Progress;
import dev.cambium.model.Recipe;
import dev.cambium.model.Row;
import dev.cambium.model.Tier;
import dev.cambium.model.VersionKind;
import dev.cambium.model.VersionRef;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An opened ecosystem. Every call that changes something is one or more transactions of the ledger;
 * if it throws, what it was about to do has not happened.
 *
 * <p>Not thread-safe. Several processes may work on one ecosystem: long work takes its lock, and of
 * two that move the same channel one wins and the other is told what it found.
 */
public final class Cambium implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Cambium.class);

  /** Folder of everything that is Cambium's own, in the ecosystem's directory. */
  public static final String HOME = ".cambium";

  /** Folder of what is being fetched from a hub, in the ecosystem's directory. */
  public static final String DOWNLOADS = HOME + "/downloads";

  private static final String TO = " to ";

  /** Objects younger than this are kept by {@link #gc}: a writer may be about to record them. */
  private static final Duration GC_GRACE = Duration.ofHours(1);

  private final Path directory;
  private final String actor;
  private final InstantSource clock;
  private final Ledger ledger;
  private final ArtifactStore store;
  private final VersionFiles versions;
  private final Supplier<JobExecutor> executors;
  private final Intake intake;
  private final Releases releases;
  private @Nullable JobExecutor executor;
  private @Nullable ActionRunner actions;

  private Cambium(
      Path directory,
      String actor,
      InstantSource clock,
      Ledger ledger,
      ArtifactStore store,
      @Nullable Supplier<JobExecutor> executors) {
    this.directory = directory;
    this.actor = actor;
    this.clock = clock;
    this.ledger = ledger;
    Path home = directory.resolve(HOME);
    this.store = store;
    this.versions = new VersionFiles(store, home.resolve("cache"));
    this.intake = new Intake(this, ledger, store, versions, actor);
    this.releases = new Releases(this, ledger, actor, clock);
    this.executors =
        executors != null ? executors : () -> workers(home.resolve("log").resolve("worker.log"));
  }

  /**
   * Makes an ecosystem in a directory that has none.
   *
   * @param yaml its declaration, already written as {@code ecosystem.yaml} if that file exists
   */
  public static Cambium create(Path directory, String yaml, String actor, InstantSource clock) {
    return create(directory, yaml, actor, clock, null);
  }

  /**
   * As {@link #create(Path, String, String, InstantSource)}, with another executor of actions than
   * a worker process on this machine.
   *
   * @param executors asked once, when the first action is to be carried out
   */
  public static Cambium create(
      Path directory,
      String yaml,
      String actor,
      InstantSource clock,
      @Nullable Supplier<JobExecutor> executors) {
    Path root = directory.toAbsolutePath().normalize();
    Path file = root.resolve(Declaration.FILE);
    StoreAddress address =
        Files.exists(file)
            ? store(root)
            : StoreAddress.of(Declaration.store(Declaration.FILE, yaml), System.getenv());
    if (Ledger.exists(root) && Ledger.exists(root, address)) {
      throw new IllegalArgumentException(
          root + " is an ecosystem already; `cambium status` shows it");
    }
    try {
      Files.createDirectories(root);
      if (!Files.exists(file)) {
        Declaration.parse(Declaration.FILE, yaml, root);
        Files.writeString(file, yaml);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write to " + root, e);
    }
    ArtifactStore artifacts = artifacts(root); // before there is a ledger without artifacts
    Cambium cambium =
        over(root, actor, clock, Ledger.create(root, address, clock), artifacts, executors);
    cambium.declare();
    return cambium;
  }

  /** Opens an ecosystem. */
  public static Cambium open(Path directory, String actor, InstantSource clock) {
    return open(directory, actor, clock, null);
  }

  /** Opens an ecosystem with another executor; see {@code create}. */
  public static Cambium open(
      Path directory,
      String actor,
      InstantSource clock,
      @Nullable Supplier<JobExecutor> executors) {
    Path root = directory.toAbsolutePath().normalize();
    ArtifactStore artifacts = artifacts(root);
    return over(root, actor, clock, Ledger.open(root, store(root), clock), artifacts, executors);
  }

  /**
   * Opens an ecosystem whose records may have been moved elsewhere, or look so, to {@link #verify}
   * it; see {@link Ledger#openToVerify}.
   */
  public static Cambium openToVerify(Path directory, String actor, InstantSource clock) {
    Path root = directory.toAbsolutePath().normalize();
    ArtifactStore artifacts = artifacts(root);
    return over(root, actor, clock, Ledger.openToVerify(root, store(root), clock), artifacts, null);
  }

  /**
   * An ecosystem over a ledger and a store that the caller has opened. The ledger is closed with
   * it.
   *
   * @param executors as in {@code create}; null for worker processes on this machine
   */
  public static Cambium over(
      Path directory,
      String actor,
      InstantSource clock,
      Ledger ledger,
      ArtifactStore store,
      @Nullable Supplier<JobExecutor> executors) {
    return new Cambium(
        directory.toAbsolutePath().normalize(), actor, clock, ledger, store, executors);
  }

  /** The artifact store, where the environment or the declaration says that it is. */
  private static ArtifactStore artifacts(Path root) {
    ArtifactAddress opened = ArtifactAddress.of(Declaration.artifacts(root), System.getenv());
    return new ForwardingArtifactStore(opened.open(root.resolve(HOME))) {
      @Override
      public boolean renew(Digest digest) {
        requireInPlace(root, opened);
        return super.renew(digest);
      }
    };
  }

  /** What was put where the artifacts no longer lie must not be recorded. */
  private static void requireInPlace(Path root, ArtifactAddress opened) {
    String now;
    try {
      now = ArtifactAddress.of(Declaration.artifacts(root), System.getenv()).toString();
    } catch (IllegalArgumentException e) {
      return; // somebody is editing the declaration
    }
    if (!now.equals(opened.toString())) {
      throw new IllegalArgumentException(
          "the artifacts were moved to " + now + " meanwhile; do it again");
    }
  }

  /** Where an ecosystem's records lie, as the environment or its declaration says. */
  private static StoreAddress store(Path root) {
    return StoreAddress.of(Declaration.store(root), System.getenv());
  }

  /**
   * What moving an ecosystem's records did.
   *
   * @param from where they lay
   * @param moved what was moved
   * @param declared whether the declaration says so now; if not, the environment names the store
   */
  public record StoreMoved(StoreAddress from, StoreMove.Moved moved, boolean declared) {}

  /**
   * Moves an ecosystem's records to another store, and then says so in its declaration. If it is
   * interrupted, doing it again goes on; until it is done, the records are where they were.
   *
   * @param to the new store, as it is written in a declaration
   * @throws IllegalArgumentException if that is no address, or where they lie already
   */
  public static StoreMoved moveStore(
      Path directory, String to, InstantSource clock, Progress progress) {
    Path root = directory.toAbsolutePath().normalize();
    StoreAddress from = store(root);
    StoreAddress target = StoreAddress.of(to, System.getenv());
    Path file = root.resolve(Declaration.FILE);
    boolean declared = System.getenv(StoreAddress.URL_VARIABLE) == null;
    String yaml = Declaration.text(file);
    String changed = Declaration.withStore(yaml, to);
    StoreMove.Moved moved = StoreMove.move(root, from, target, clock, progress);
    if (declared) {
      DurableFile.write(
          file, out -> out.write(ByteBuffer.wrap(changed.getBytes(StandardCharsets.UTF_8))));
    }
    return new StoreMoved(from, moved, declared);
  }

  /**
   * What moving an ecosystem's artifacts did.
   *
   * @param from where they lay, and still lie: nothing is removed there
   * @param moved what was copied
   * @param declared whether the declaration says so now; if not, the environment names the store
   */
  public record ArtifactsMoved(ArtifactAddress from, ArtifactMove.Moved moved, boolean declared) {}

  /**
   * Copies an ecosystem's artifacts to another store, reads each back from there, and then says so
   * in its declaration. If it is interrupted, doing it again goes on; until it is done, they are
   * where they were. A process that has the ecosystem open meanwhile can record nothing whose
   * artifacts it put into the old store; the declaration is this directory's, so whoever works on
   * the ecosystem from another directory must have ended before.
   *
   * @param to the new store, as it is written in a declaration
   * @param environment as of {@link System#getenv()}
   * @throws IllegalArgumentException if that is no address, or where they lie already
   * @throws IntegrityException if one that a record reaches is corrupt or missing where they lie
   */
  public static ArtifactsMoved moveArtifacts(
      Path directory,
      String to,
      Map<String, String> environment,
      InstantSource clock,
      Progress progress) {
    Path root = directory.toAbsolutePath().normalize();
    Path home = root.resolve(HOME);
    Path file = root.resolve(Declaration.FILE);
    Path journal = home.resolve("artifacts-moved");
    Map<String, String> without = new HashMap<>(environment);
    without.remove(ArtifactAddress.VARIABLE);
    ArtifactAddress target = ArtifactAddress.of(Optional.of(to), without);
    // What was interrupted after the declaration had been changed has still to be ended.
    ArtifactAddress from =
        ArtifactMove.begun(journal)
            .filter(pair -> pair.endsWith(TO + to))
            .map(pair -> pair.substring(0, pair.length() - (TO + to).length()))
            .map(begun -> ArtifactAddress.of(Optional.of(begun), without))
            .orElseGet(() -> ArtifactAddress.of(Declaration.artifacts(root), environment));
    if (from.toString().equals(to)) {
      throw new IllegalArgumentException("the artifacts lie in " + to + " already");
    }
    boolean declared = environment.getOrDefault(ArtifactAddress.VARIABLE, "").isBlank();
    String changed = Declaration.withArtifacts(Declaration.text(file), to);
    ArtifactStore there = target.openItself(home);
    try (Cambium cambium =
            over(root, "cambium", clock, Ledger.open(root, store(root), clock), there, null);
        EcosystemLock lock =
            EcosystemLock.acquire(root, cambium.ledger, "cambium migrate-store", clock)) {
      Objects.requireNonNull(lock);
      ArtifactMove move =
          new ArtifactMove(from.openItself(home), there, journal, from + TO + target);
      ArtifactMove.Moved moved = move.copy(progress);
      for (Digest digest : cambium.reachable()) {
        if (!there.has(digest)) {
          throw new MissingArtifactException(from.toString(), digest);
        }
      }
      if (declared) {
        DurableFile.write(
            file, out -> out.write(ByteBuffer.wrap(changed.getBytes(StandardCharsets.UTF_8))));
        cambium.ledger.awaitWriters();
        moved = move.copy(progress); // what others put until then
      }
      Files.deleteIfExists(journal);
      return new ArtifactsMoved(from, moved, declared);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot remove " + journal + ": " + e, e);
    }
  }

  /**
   * Gives up a move of an ecosystem's records, or takes away a mark that none left; see {@link
   * StoreMove#stay}.
   *
   * @return whether anything kept the ledger from taking records
   */
  public static boolean stay(Path directory, boolean peerIsLost, InstantSource clock) {
    Path root = directory.toAbsolutePath().normalize();
    return StoreMove.stay(root, store(root), peerIsLost, clock);
  }

  /** The ecosystem that a directory lies in: itself, or the nearest one above it. */
  public static Optional<Path> find(Path start) {
    for (Path dir = start.toAbsolutePath().normalize(); dir != null; dir = dir.getParent()) {
      if (Ledger.exists(dir)) {
        return Optional.of(dir);
      }
    }
    return Optional.empty();
  }

  /** The ecosystem's directory. */
  public Path directory() {
    return directory;
  }

  /** The state, from the ledger. */
  public LedgerState state() {
    return ledger.state();
  }

  /** The artifact store. */
  public ArtifactStore store() {
    return store;
  }

  /**
   * Reads {@code ecosystem.yaml} and its suites, and records them if they have changed. A suite by
   * which something was released goes on as it was until somebody approves its change; see {@link
   * #approveSuites}.
   */
  public Declaration declare() {
    return new Declarations(this, ledger, store, actor).declare();
  }

  /** The suites that were changed and are not in force, as nobody has approved that. */
  public List<SuiteChange> suiteChanges() {
    return new Declarations(this, ledger, store, actor).changes();
  }

  /**
   * Approves that suites were changed: what they ask for now is intended. From now on they are in
   * force as they are written. A candidate is compared with what was released before on the items
   * that still hold; the others it must have right by the new answer.
   *
   * @param capabilities whose suites
   * @param comparable whether items that were added ask for nothing new, so that versions may be
   *     compared on them as on the others
   * @param reason for the record
   * @return what was approved; without those that were in force as they are
   * @throws IllegalArgumentException if there is no reason, or no such capability
   */
  public List<SuiteChange> approveSuites(
      Collection<String> capabilities, boolean comparable, String reason) {
    return new Declarations(this, ledger, store, actor).approve(capabilities, comparable, reason);
  }

  // ------------------------------------------------------------------------------ bringing in

  /**
   * Imports a model or adapter directory as the next version of a line. It is a candidate; {@link
   * #signalUpstream} or {@link #promote} bring it before the gate.
   *
   * @param parent the version it was made from; needed below a foundation
   * @throws IllegalArgumentException naming every reason why it cannot be accepted
   */
  public VersionRef importVersion(
      Path source, String line, Tier tier, @Nullable VersionRef parent, String note) {
    return importVersion(source, line, tier, parent, note, warning -> {});
  }

  /**
   * As above.
   *
   * @param warnings hears what a person should know of a version that is accepted
   */
  public VersionRef importVersion(
      Path source,
      String line,
      Tier tier,
      @Nullable VersionRef parent,
      String note,
      Consumer<Problem> warnings) {
    return intake.importVersion(source, line, tier, parent, note, warnings);
  }

  /**
   * Checks whether a version could be imported into a line, before it is at hand.
   *
   * @throws IllegalArgumentException as {@link #importVersion}
   */
  public void checkLine(String line, Tier tier, @Nullable VersionRef parent) {
    intake.checkLine(line, tier, parent);
  }

  /**
   * What a data signal took in.
   *
   * @param signal its id
   * @param train rows to learn
   * @param heldOut rows set aside
   * @param rejected rows left out, with their reasons
   * @param overlaps items of the line's suites that the rows give away; these are left out of every
   *     verdict on a version that learnt them
   */
  public record DataTaken(
      String signal, int train, int heldOut, List<String> rejected, List<Overlap> overlaps) {}

  /**
   * Takes in training data for a line.
   *
   * @param skipBad keep the good rows of a file that has bad ones
   * @param allowOverlap take rows that suites contain, too
   * @throws DataException if rows are bad or overlap, and the flags do not allow it
   */
  public DataTaken signalData(
      Path file, String line, boolean skipBad, boolean allowOverlap, String note) {
    return intake.signalData(file, line, skipBad, allowOverlap, note);
  }

  /** Signals that a version of a line arrived, so that it be judged and passed on. */
  public String signalUpstream(VersionRef version, String note) {
    return intake.signalUpstream(version, note);
  }

  // --------------------------------------------------------------------------------- the loop

  /** What {@link #run} would do now. An open campaign's plan, if there is one. */
  public Plan plan() {
    return plan(List.of());
  }

  /**
   * As {@link #plan()}, with the mode that a person wants for some lines.
   *
   * @throws IllegalArgumentException if a line has nothing to learn or no way for its mode, or a
   *     campaign is open, whose plan stands
   */
  public Plan plan(List<Wish> wishes) {
    Optional<LedgerState.CampaignState> open = state().openCampaign();
    if (open.isPresent()) {
      if (!wishes.isEmpty()) {
        throw new IllegalArgumentException(
            "campaign "
                + open.get().opened().fact().campaign()
                + " is open, and its plan stands; cambium run without --mode goes on with it");
      }
      return Json.read(store.bytes(open.get().opened().fact().plan()), Plan.class);
    }
    Declaration declaration = declare();
    return new Planner(
            state(),
            declaration,
            store,
            CostModel.of(state(), store),
            new Gauges(state(), store, telemetry()))
        .plan(wishes, actor);
  }

  /** How the updates of a line were chosen, by the version that each made, the oldest first. */
  public Map<VersionRef, Choice> decisions(String line) {
    return new Decisions(state(), store).ofLine(line);
  }

  /**
   * What {@link #run} would do if a version of a line had arrived, which need not be there yet.
   * Changes nothing.
   *
   * @throws IllegalArgumentException while a campaign is open, whose plan stands
   */
  public Plan planUpgrade(VersionRef arriving) {
    state()
        .openCampaign()
        .ifPresent(
            open -> {
              throw new IllegalArgumentException(
                  "campaign "
                      + open.opened().fact().campaign()
                      + " is open; cambium run ends it first");
            });
    Declaration declaration = declare();
    declaration.line(arriving.line());
    return new Planner(state(), declaration, store, CostModel.of(state(), store))
        .plan(
            List.of(
                new Fact.SignalReceived(
                    "supposed",
                    Fact.SignalKind.UPSTREAM,
                    arriving.line(),
                    null,
                    null,
                    0,
                    arriving,
                    "")));
  }

  /** What a campaign did to the fleet, and at what cost. */
  public Wave wave(String campaign) {
    return Wave.of(campaign, state(), store, declare());
  }

  /**
   * What a run of the loop did.
   *
   * @param campaign its id; none if there was nothing to do
   * @param outcome none while a decision is waited for
   * @param waitingFor the decision point that nobody answered
   * @param settlements how the campaign left each line
   * @param verdicts everything that gates decided in it
   */
  public record RunReport(
      @Nullable String campaign,
      Fact.@Nullable CampaignOutcome outcome,
      @Nullable String waitingFor,
      List<Fact.LineSettled> settlements,
      List<Verdict> verdicts) {}

  /**
   * Turns the loop once: opens a campaign for all open signals, or goes on with the one that a
   * crash or an unanswered question left open.
   */
  public RunReport run(Approver approver, Progress progress) {
    return run(approver, List.of(), progress);
  }

  /**
   * As {@link #run(Approver, Progress)}, with the mode that a person wants for some lines.
   *
   * @throws IllegalArgumentException as {@link #plan(List)}
   */
  public RunReport run(Approver approver, List<Wish> wishes, Progress progress) {
    try (EcosystemLock lock = EcosystemLock.acquire(directory, ledger, "cambium run", clock)) {
      Objects.requireNonNull(lock);
      Declaration declaration = declare();
      CampaignRunner runner = new CampaignRunner(workspace(declaration), approver, progress);
      Optional<LedgerState.CampaignState> open = state().openCampaign();
      String campaign;
      if (open.isPresent() && wishes.isEmpty()) {
        campaign = open.get().opened().fact().campaign();
      } else {
        Plan plan = plan(wishes);
        if (plan.steps().isEmpty()) {
          return new RunReport(null, null, null, List.of(), List.of());
        }
        campaign = runner.open(plan);
      }
      CampaignRunner.Result result = runner.run(campaign);
      return new RunReport(
          campaign,
          result.outcome(),
          result.waitingFor(),
          settlements(campaign),
          verdicts(campaign));
    }
  }

  /** How a campaign left its lines so far. */
  public List<Fact.LineSettled> settlements(String campaign) {
    return state().settlements(campaign).stream().map(Recorded::fact).toList();
  }

  /** Everything that gates decided in a campaign. */
  public List<Verdict> verdicts(String campaign) {
    return state().verdictsOf(campaign).stream().map(v -> evidence(v.fact().evidence())).toList();
  }

  /** A verdict with its evidence. */
  public Verdict evidence(Digest artifact) {
    return Json.read(store.bytes(artifact), Verdict.class);
  }

  // ----------------------------------------------------------------------------- measuring

  /**
   * Outcomes of a version on a suite.
   *
   * @param items in the suite's order
   * @param outcomes one for each item
   */
  public record Evaluation(
      VersionRef version, String capability, List<Item> items, List<Outcome> outcomes) {

    /** Mean score. */
    public double score() {
      return outcomes.stream().mapToDouble(Outcome::score).average().orElse(Double.NaN);
    }

    /** How many are right. */
    public int right() {
      return (int)
          outcomes.stream().filter(o -> o.judgement() == dev.cambium.model.Judgement.RIGHT).count();
    }
  }

  /** Evaluates a version on the whole suite of a capability. */
  public Evaluation evaluate(VersionRef version, String capability, Progress progress) {
    Declaration declaration = declare();
    CapabilityDeclaration declared = declaration.capability(capability);
    Judge judge = new Judge(workspace(declaration));
    Suite suite = judge.suite(capability);
    Evaluations evaluations = judge.evaluations();
    Digest manifest = version(version).manifest();
    int chunk = declaration.policy().chunk();
    int total = suite.items().size();
    AtomicInteger done = new AtomicInteger();
    List<Callable<List<Outcome>>> pieces = new ArrayList<>();
    for (int from = 0; from < total; from += chunk) {
      int start = from;
      int end = Math.min(from + chunk, total);
      pieces.add(
          () -> {
            List<Outcome> piece =
                evaluations
                    .run(manifest, suite, declared.scorer(), start, end, Progress.NONE)
                    .outcomes();
            progress.at("Evaluating " + version, done.addAndGet(end - start), total, capability);
            return piece;
          });
    }
    progress.at("Evaluating " + version, 0, total, capability);
    List<Outcome> outcomes = new ArrayList<>();
    SideBySide.all(pieces, actions().width()).forEach(outcomes::addAll);
    return new Evaluation(version, capability, suite.items(), outcomes);
  }

  /** The capabilities that a line's contract names. */
  public List<String> capabilities(String line) {
    return declare().contract(line).capabilities();
  }

  // ------------------------------------------------------------------------------ releasing

  /**
   * Brings a version before its contract's gate and, if it passes, moves a channel to it.
   *
   * @param waiver a person's reason to release a first version that no capability measures; null
   *     for none
   * @return the verdict; the channel moved if, and only if, it is PASS
   */
  public Verdict promote(
      VersionRef version, Channel channel, @Nullable String waiver, Progress progress) {
    return releases.promote(version, channel, waiver, progress);
  }

  /**
   * Moves a line's stable channel back to what it pointed to before, in one transaction.
   *
   * @param cascade also move back every descendant that is built on the version being left
   * @return the moves made, the line's own first
   * @throws IllegalArgumentException if there is nothing to go back to
   */
  public List<Fact.ChannelMoved> rollback(String line, boolean cascade, String reason) {
    return releases.rollback(line, cascade, reason);
  }

  /** Stable versions that are built on a version other than their parent line's stable one. */
  public Map<VersionRef, VersionRef> builtOnEarlier() {
    return builtOnEarlier(state().builtOn(Channel.STABLE));
  }

  /**
   * As the other {@code builtOnEarlier}, for who has asked already what is stable.
   *
   * @param stable of every line
   */
  public Map<VersionRef, VersionRef> builtOnEarlier(Map<String, LedgerState.BuiltOn> stable) {
    return releases.builtOnEarlier(stable);
  }

  // ---------------------------------------------------------------------------- looking, taking

  /** The version that a target means now. */
  public VersionRef resolve(Target target) {
    if (target instanceof Target.Numbered numbered) {
      version(numbered.version());
      return numbered.version();
    }
    Target.AtChannel at = (Target.AtChannel) target;
    return state()
        .channel(at.line(), at.channel())
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    state().versions(at.line()).isEmpty()
                        ? "no version of '" + at.line() + "'; `cambium status` lists the lines"
                        : at.line() + " has nothing on channel " + at.channel().label()));
  }

  /** The record of a version. */
  public Fact.VersionRegistered version(VersionRef ref) {
    return state()
        .version(ref)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "no version " + ref + "; `cambium status` lists what there is"))
        .fact();
  }

  /** The manifest of a version. */
  public Manifest manifest(VersionRef ref) {
    return versions.manifest(version(ref).manifest());
  }

  /** Why a version is what it is. */
  public WhyNode why(VersionRef ref) {
    return new Why(state(), store).explain(ref);
  }

  /**
   * What campaigns did about a line, whether or not a version of it is in use.
   *
   * @throws IllegalArgumentException if nothing was recorded about it
   */
  public WhyNode why(String line) {
    return new Why(state(), store).explain(line);
  }

  /**
   * A line over its versions: what was measured of each.
   *
   * @throws IllegalArgumentException if there is no version of it
   */
  public LineHistory history(String line) {
    return LineHistory.of(state(), store, telemetry(), line);
  }

  /** How well a version was found to learn; none if that was not measured. */
  public Optional<Headroom> headroom(VersionRef version) {
    return LineHistory.headroom(state(), store, version);
  }

  /** The share of all records that explanations reach. */
  public Reach reach() {
    return Reach.of(state(), store);
  }

  /** What trainings showed of how well versions still learn. */
  public TelemetryHistory telemetry() {
    return new TelemetryHistory(state(), store, versions);
  }

  /** Every item's outcome of every verdict on some versions, each in the order of its records. */
  public List<ItemOutcomes.OfVerdict> outcomes(Collection<VersionRef> versions) {
    ItemOutcomes outcomes = new ItemOutcomes(state(), store);
    return versions.stream().flatMap(version -> outcomes.of(version).stream()).toList();
  }

  /**
   * The rows of training data that {@link #why} or a record names.
   *
   * @throws IllegalArgumentException if the artifact is something else
   */
  public List<Row> rows(Digest data) {
    return RowFile.decode(store.bytes(data));
  }

  /**
   * Writes a version's own files, unchanged, to a folder that is absent or empty.
   *
   * @throws IllegalStateException if its tokenizer no longer gives the ids stored with it
   */
  public Manifest export(VersionRef ref, Path target) {
    Manifest manifest = manifest(ref);
    versions
        .checkProbes(manifest)
        .ifPresent(
            problem -> {
              throw new IllegalStateException(ref + ": " + problem);
            });
    versions.export(version(ref).manifest(), target);
    return manifest;
  }

  /**
   * A file that two versions do not share.
   *
   * @param before digest in the first; none where it lacks the file
   * @param after digest in the second
   */
  public record FileChange(String path, @Nullable Digest before, @Nullable Digest after) {}

  /** The files in which two versions differ. */
  public List<FileChange> diff(VersionRef a, VersionRef b) {
    Manifest first = manifest(a);
    Manifest second = manifest(b);
    Set<String> paths =
        java.util.stream.Stream.concat(first.files().stream(), second.files().stream())
            .map(FileEntry::path)
            .collect(Collectors.toCollection(java.util.TreeSet::new));
    List<FileChange> changes = new ArrayList<>();
    for (String path : paths) {
      Digest before = first.file(path).map(FileEntry::digest).orElse(null);
      Digest after = second.file(path).map(FileEntry::digest).orElse(null);
      if (!Objects.equals(before, after)) {
        changes.add(new FileChange(path, before, after));
      }
    }
    return changes;
  }

  /**
   * Directories of what runs when a version runs, laid out for reading; for {@code chat}.
   *
   * @param model the whole model
   * @param adapter the adapter on it
   * @param application the application around it
   */
  public record Runnable(
      Path model, @Nullable Path adapter, dev.cambium.model.@Nullable Application application) {}

  /** Lays a version out so that an engine can load it. */
  public Runnable runnable(VersionRef ref) {
    EffectiveModel effective = versions.effective(version(ref).manifest());
    return new Runnable(
        versions.directory(effective.model()),
        effective.adapter() == null ? null : versions.directory(effective.adapter()),
        effective.application() == null
            ? null
            : versions.application(effective.application()).orElseThrow());
  }

  // ---------------------------------------------------------------------------- housekeeping

  /** Recomputes everything that the ecosystem claims; see {@link Ledger#verify}. */
  public VerificationReport verify(Progress progress) {
    return verify(progress, List.of());
  }

  /**
   * As {@link #verify(Progress)}, and that the ledger continues what it once was.
   *
   * @param witnesses checkpoints of it that were kept elsewhere
   */
  public VerificationReport verify(Progress progress, List<Witness> witnesses) {
    Set<Digest> checked = new HashSet<>();
    return ledger.verify(
        artifact -> {
          progress.at("Verifying artifacts", checked.size(), 0, "");
          return problem(artifact, checked);
        },
        witnesses);
  }

  // ------------------------------------------------------------------- showing it to others

  /** The keys that the ledger was and is signed with. */
  public KeyHistory keys() {
    return ledger.keys();
  }

  /** Replaces the key that signs the ledger; see {@link Ledger#rotateKey}. */
  public VerifierKey rotateKey(String reason) {
    return ledger.rotateKey(actor, reason);
  }

  /** Proves a record to whoever holds the public key; see {@link Ledger#prove}. */
  public RecordProof prove(long record, OptionalLong size) {
    return ledger.prove(record, size);
  }

  /** Proves that the ledger continues what it was at a size; see {@link Ledger#proveSince}. */
  public ConsistencyProof proveSince(long size) {
    return ledger.proveSince(size);
  }

  /** Writes, or brings up to date, a directory that a web server can publish the log from. */
  public PublishedLog.Published publish(Path target) {
    return new PublishedLog(target).update(ledger);
  }

  /**
   * A signed statement about what a record made: see {@link Statements}.
   *
   * @throws IllegalArgumentException if it made nothing
   */
  public Envelope attest(long record) {
    return ledger.sign(Statements.PAYLOAD_TYPE, statements().of(record));
  }

  /** A signed statement about how a version was made. */
  public Envelope attest(VersionRef version) {
    version(version);
    return attest(state().version(version).orElseThrow().index());
  }

  /**
   * Checks that a statement is signed by this ledger, and what its records say today.
   *
   * @return the index of the record that it is about
   * @throws IllegalArgumentException saying what does not hold
   */
  public long checkAttestation(Envelope envelope) {
    byte[] claimed = envelope.open(keys());
    long record = statements().record(claimed);
    if (!Arrays.equals(statements().of(record), claimed)) {
      throw new IllegalArgumentException(
          "the statement is signed, but record " + record + " of this ledger says something else");
    }
    return record;
  }

  private Statements statements() {
    return new Statements(state(), store, ledger.verifierKey().name());
  }

  /** What is wrong with an artifact or, if it is a manifest, with one of its files. */
  private Optional<String> problem(Digest artifact, Set<Digest> checked) {
    if (!checked.add(artifact)) {
      return Optional.empty();
    }
    try {
      store.verify(artifact);
    } catch (IntegrityException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
    try {
      if (state().versionsByManifest(artifact).isEmpty()) {
        return Optional.empty();
      }
    } catch (LedgerException e) {
      return Optional.empty(); // damage of the database, which is reported as such
    }
    for (FileEntry file : versions.manifest(artifact).files()) {
      Optional<String> problem = problem(file.digest(), checked);
      if (problem.isPresent()) {
        return Optional.of(file.path() + ": " + problem.get());
      }
    }
    return versions.checkProbes(versions.manifest(artifact));
  }

  /** Removes what no record can reach, and what can be laid out anew. */
  public ArtifactStore.Collected gc() {
    try (EcosystemLock lock = EcosystemLock.acquire(directory, ledger, "cambium gc", clock)) {
      Objects.requireNonNull(lock);
      DirectoryTree.delete(directory.resolve(HOME).resolve("cache"));
      Hub.sweep(directory.resolve(DOWNLOADS), clock.instant().minus(GC_GRACE));
      return store.collect(this::reachable, GC_GRACE);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot clear " + directory.resolve(DOWNLOADS), e);
    }
  }

  /**
   * What records name, what the manifests among that name, and what recorded actions started from:
   * a candidate that was never registered, a mix of earlier rows. Without these no action could be
   * replayed.
   */
  private Set<Digest> reachable() {
    ledger.awaitWriters(); // who renewed what is to be recorded before it was asked what is old
    Set<Digest> reachable = new HashSet<>();
    Set<Digest> manifests = new HashSet<>();
    state().forEachArtifact(reachable::add);
    state().versions().forEach(v -> manifests.add(v.fact().manifest()));
    for (Recorded<Fact.ActionFinished> recorded : state().actions()) {
      Action action = Json.read(store.bytes(recorded.fact().spec()), Action.class);
      reachable.addAll(action.inputs());
      manifests.addAll(action.versions());
    }
    for (Digest manifest : manifests) {
      versions.manifest(manifest).files().forEach(f -> reachable.add(f.digest()));
    }
    return reachable;
  }

  Workspace workspace(Declaration declaration) {
    return new Workspace(ledger, store, versions, actions(), declaration, actor);
  }

  private ActionRunner actions() {
    ActionRunner runner = actions;
    if (runner == null) {
      JobExecutor started = executors.get();
      executor = started;
      runner =
          new ActionRunner(
              ledger, store, versions, started, directory.resolve(HOME).resolve("jobs"), actor);
      actions = runner;
    }
    return runner;
  }

  /** Worker processes for this machine and this fleet. */
  private JobExecutor workers(Path log) {
    long largest = 0;
    for (Recorded<Fact.VersionRegistered> version : state().versions()) {
      if (version.fact().kind() == VersionKind.MODEL) {
        largest = Math.max(largest, versions.manifest(version.fact().manifest()).size());
      }
    }
    boolean full =
        declare().recipes().values().stream().anyMatch(r -> r.method() == Recipe.Method.FULL);
    Workforce workforce =
        Workforce.of(
            largest,
            full,
            Runtime.getRuntime().availableProcessors(),
            ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize(),
            System.getenv());
    if (!workforce.remark().isEmpty()) {
      LOG.warn("{}", workforce.remark());
    }
    return new WorkerPool(
        workforce.workers(), workforce.threads(), Workforce.patience(System.getenv()), log);
  }

  /** How many actions this instance has carried out. */
  public long actionsRun() {
    return actions == null ? 0 : actions.carriedOut();
  }

  /** How many actions this instance has answered from the ledger. */
  public long actionsMemoised() {
    return actions == null ? 0 : actions.memoised();
  }

  @Override
  public void close() {
    if (executor != null) {
      executor.close();
    }
    ledger.close();
  }
}
