package dev.cambium.bench.fire;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cambium.artifact.ArtifactStore;
import dev.cambium.bench.fire.History.Command;
import dev.cambium.bench.fire.History.Deed;
import dev.cambium.bench.fire.History.Fault;
import dev.cambium.bench.fire.History.Step;
import dev.cambium.bench.fire.History.Trouble;
import dev.cambium.ledger.Connector;
import dev.cambium.ledger.ForwardingConnector;
import dev.cambium.ledger.Ledger;
import dev.cambium.ledger.LedgerState;
import dev.cambium.model.Channel;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.VersionKind;
import dev.cambium.model.VersionRef;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Histories keep the invariants; each invariant, broken on purpose, is seen to be broken. */
class SimulationTest {

  private static final VersionRef CARDS_1 = new VersionRef("cards", 1);
  private static final VersionRef CARDS_2 = new VersionRef("cards", 2);

  @TempDir static Path directory;
  private static Simulation simulation;

  @BeforeAll
  static void found() throws IOException {
    simulation = new Simulation(directory);
  }

  private static Step step(Deed deed, int number, Fault... faults) {
    return new Step(new Command(deed, number), List.of(faults));
  }

  private static Fault fault(int at, Trouble trouble) {
    return new Fault(at, trouble, null);
  }

  private static List<Violation> live(Step... steps) {
    return simulation.live(new History(List.of(steps)), Sabotage.NONE);
  }

  @Test
  void histories() throws InterruptedException {
    assertThat(simulation.run(Integer.getInteger("cambium.histories", 40), 1, 2)).isEmpty();
  }

  // --------------------------------------------------------------- what histories once broke

  @Test
  void garbageCollectionKeepsWhatARecordedActionStartedFrom() {
    assertThat(live(step(Deed.UPGRADE, 1), step(Deed.RUN, 0), step(Deed.GC, 0))).isEmpty();
  }

  @Test
  void garbageCollectedDaysAfterAPutIsNotRecorded() {
    for (Deed deed : List.of(Deed.DATA, Deed.POISON, Deed.UPGRADE)) {
      for (int at = 0; at < 14; at++) {
        Fault days = new Fault(at, Trouble.INTERLEAVE, new Command(Deed.GC, 20));
        assertThat(live(step(deed, 45, days), step(Deed.RUN, 11))).as("%s, %d", deed, at).isEmpty();
      }
    }
  }

  @Test
  void anApplicationThatWasRolledBackStaysSoUntilItIsEdited() {
    assertThat(
            live(step(Deed.EDIT, 1), step(Deed.RUN, 0), step(Deed.ROLLBACK, 3), step(Deed.RUN, 0)))
        .isEmpty();
  }

  @Test
  void anInterruptedCampaignDoesNotReleaseWhatWasRolledBackMeanwhile() {
    for (int at = 20; at < 40; at += 3) { // wherever between the verdict and the release it dies
      assertThat(
              live(
                  step(Deed.DATA, 0),
                  step(Deed.RUN, 0, fault(at, Trouble.CRASH_BEFORE)),
                  step(Deed.PROMOTE, 1 + 5),
                  step(Deed.ROLLBACK, 1),
                  step(Deed.RUN, 0)))
          .as("died at write %d", at)
          .isEmpty();
    }
  }

  @Test
  void aParentThatIsRolledBackWhileItsChildIsMadeIsNotPinned() {
    for (int at = 20; at < 60; at += 5) {
      assertThat(
              live(
                  step(Deed.DATA, 0),
                  step(Deed.RUN, 0),
                  step(Deed.DATA, 1),
                  step(
                      Deed.RUN,
                      0,
                      new Fault(at, Trouble.INTERLEAVE, new Command(Deed.ROLLBACK, 1)))))
          .as("rolled back before write %d", at)
          .isEmpty();
    }
  }

  // ---------------------------------------------------------------------- broken on purpose

  /** A history that moves cards, so that there is something to break. */
  private static final History LIFE =
      new History(
          List.of(
              step(Deed.DATA, 0),
              step(Deed.RUN, 0, fault(9, Trouble.CRASH_AFTER)),
              step(Deed.RUN, 0),
              step(Deed.GC, 0),
              step(Deed.CURE, 2)));

  private static void assertCaught(Invariant invariant, Sabotage sabotage) {
    assertThat(simulation.live(LIFE, Sabotage.NONE)).isEmpty();
    assertThat(simulation.live(LIFE, sabotage))
        .extracting(Violation::invariant)
        .contains(invariant);
  }

  /** A ledger whose statements are changed on their way to the database. */
  private static Sabotage statements(UnaryOperator<String> change) {
    return new Sabotage() {
      @Override
      public Connector ledger(Connector real) {
        return lying(real, change, (connection, table) -> connection.commit());
      }
    };
  }

  /** A ledger that does something else where it should commit a row of a table. */
  private static Sabotage commits(String table, Commit commit) {
    return new Sabotage() {
      @Override
      public Connector ledger(Connector real) {
        return lying(
            real,
            UnaryOperator.identity(),
            (connection, statements) -> {
              if (statements.contains("insert into " + table + " ")) {
                commit.of(connection, statements);
              } else {
                connection.commit();
              }
            });
      }
    };
  }

  /** Facts that no command would append, on a ledger whose checks all pass. */
  private static Sabotage rogue(Function<LedgerState, List<Fact>> facts) {
    return new Sabotage() {
      private boolean awake;

      @Override
      public Connector ledger(Connector real) {
        return lying(
            real,
            sql -> awake ? unchecked(sql) : sql,
            (connection, statements) -> connection.commit());
      }

      @Override
      public void afterwards(Ledger ledger) {
        awake = true;
        ledger.append("run-rogue", facts.apply(ledger.state()), List.of());
        awake = false;
      }
    };
  }

  /** Whatever is asked for is there, and every verdict is a pass. */
  private static String unchecked(String sql) {
    String parameters =
        " where 1 = 1" + " or ? = 1".repeat(sql.length() - sql.replace("?", "").length());
    if (sql.contains("exists (") || sql.startsWith("select 1 from ")) {
      return "select 1" + parameters;
    }
    if (sql.startsWith("select max(number) from version ")) {
      return "select max(case line when 'cards' then 99 else number end) from version where line = ?";
    }
    return sql.contains("decision from verdict") || sql.contains("verdict.decision")
        ? "select 'pass'" + parameters
        : sql;
  }

  /** What a database does when it should commit. */
  private interface Commit {
    void of(Connection connection, String statements) throws SQLException;
  }

  private static Connector lying(Connector real, UnaryOperator<String> change, Commit commit) {
    return new ForwardingConnector(real) {

      private final StringBuilder statements = new StringBuilder();

      @Override
      public void commit(Connection writer) throws SQLException {
        String all = statements.toString();
        statements.setLength(0);
        commit.of(writer, all);
        writer.setAutoCommit(true);
      }

      @Override
      public Connection writer() throws SQLException {
        Connection writer = real.writer();
        try (Statement statement = writer.createStatement()) {
          statement.execute("pragma foreign_keys = off");
        }
        return (Connection)
            Proxy.newProxyInstance(
                Connection.class.getClassLoader(),
                new Class<?>[] {Connection.class},
                (proxy, method, arguments) -> {
                  if (method.getName().equals("prepareStatement")) {
                    String plain = ((String) arguments[0]).replace("\"", "");
                    statements.append(plain).append('\n');
                    String changed = change.apply(plain);
                    if (!changed.equals(plain)) {
                      arguments[0] = changed;
                    }
                  }
                  try {
                    return method.invoke(writer, arguments);
                  } catch (InvocationTargetException e) {
                    throw e.getCause();
                  }
                });
      }
    };
  }

  private static Sabotage store(String name, Object answer) {
    return new Sabotage() {
      @Override
      public ArtifactStore store(ArtifactStore real) {
        return (ArtifactStore)
            Proxy.newProxyInstance(
                ArtifactStore.class.getClassLoader(),
                new Class<?>[] {ArtifactStore.class},
                (proxy, method, arguments) -> {
                  if (method.getName().equals(name)) {
                    if (answer instanceof RuntimeException failure) {
                      throw failure;
                    }
                    arguments[0] = answer;
                  }
                  try {
                    return method.invoke(real, arguments);
                  } catch (InvocationTargetException e) {
                    throw e.getCause();
                  }
                });
      }
    };
  }

  @Test
  void aChannelThatPointsElsewhereIsCaught() {
    assertCaught(
        Invariant.ONE_STABLE_VERSION,
        commits(
            "settlement",
            (connection, all) -> {
              try (Statement statement = connection.createStatement()) {
                statement.execute("update channel set number = 1 where channel = 'stable'");
              }
              connection.commit();
            }));
  }

  @Test
  void aReleaseWithoutAPassIsCaught() {
    assertCaught(
        Invariant.NO_RELEASE_WITHOUT_PASS,
        rogue(state -> List.of(release(CARDS_2, CARDS_1, Digest.ofText("no verdict")))));
  }

  @Test
  void aChildOfNobodyIsCaught() {
    assertCaught(
        Invariant.PARENT_PINNED,
        rogue(
            state ->
                List.of(
                    new Fact.VersionRegistered(
                        new VersionRef("router", state.nextVersionNumber("router")),
                        state.version(new VersionRef("router", 1)).orElseThrow().fact().manifest(),
                        VersionKind.ADAPTER,
                        new VersionRef("cards", 99),
                        null,
                        null,
                        null,
                        null,
                        List.of(),
                        "of nobody"))));
  }

  @Test
  void aReturnAfterARollbackIsCaught() {
    assertCaught(
        Invariant.ROLLED_BACK_STAYS,
        rogue(
            state ->
                List.of(
                    new Fact.ChannelMoved(
                        "cards",
                        Channel.STABLE,
                        CARDS_2,
                        CARDS_1,
                        Fact.Movement.ROLLBACK,
                        null,
                        "bad"),
                    release(CARDS_1, CARDS_2, state.verdicts(CARDS_2).get(0).fact().evidence()))));
  }

  private static Fact release(VersionRef from, VersionRef to, Digest evidence) {
    return new Fact.ChannelMoved(
        "cards", Channel.STABLE, from, to, Fact.Movement.RELEASE, evidence, "rogue");
  }

  @Test
  void aCollectionThatSparesNothingIsCaught() {
    assertCaught(Invariant.ARTIFACTS_THERE, store("collect", (Supplier<Set<Digest>>) Set::of));
  }

  @Test
  void aProjectionThatForgetsIsCaught() {
    assertCaught(
        Invariant.PROJECTIONS_REPLAY,
        statements(
            sql ->
                sql.startsWith("insert into decision ")
                    ? sql.replace("values (?, ?, ?)", "select ?, ?, ? where 1 = 0")
                    : sql));
  }

  @Test
  void anAcknowledgedCommandThatIsLostIsCaught() {
    assertCaught(
        Invariant.COMMANDS_ONCE, commits("signal", (connection, all) -> connection.rollback()));
  }

  @Test
  void anErrorThatNobodyDocumentedIsCaught() {
    assertCaught(
        Invariant.ONLY_DOCUMENTED_ERRORS, store("put", new IllegalStateException("surprise")));
  }

  @Test
  void aCampaignThatCannotEndIsCaught() {
    assertCaught(
        Invariant.RESUMABLE,
        commits(
            "settlement",
            (connection, all) -> {
              throw new SQLException("never");
            }));
  }

  @Test
  void aFailingHistoryIsShortenedToWhatMatters() {
    Sabotage forgetful = commits("signal", (connection, all) -> connection.rollback());
    History seven =
        new History(
            List.of(
                step(Deed.EDIT, 1),
                step(Deed.RUN, 0, fault(5, Trouble.CRASH_AFTER)),
                step(Deed.GC, 0, fault(0, Trouble.CLOCK_BACK)),
                step(Deed.DATA, 0, fault(40, Trouble.CRASH_AFTER)),
                step(Deed.ROLLBACK, 1)));
    Simulation.Failure failure =
        new Simulation.Failure(7, seven, simulation.live(seven, forgetful));
    Simulation.Failure small = simulation.shrink(failure, forgetful);
    assertThat(small.history().steps()).containsExactly(step(Deed.DATA, 0));
    assertThat(small.toString()).contains("seed 7", "COMMANDS_ONCE", "0. DATA(0)");
  }
}
