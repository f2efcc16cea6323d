package dev.cambium.ledger;

import static dev.cambium.ledger.History.BANKING_1;
import static dev.cambium.ledger.History.BANKING_2;
import static dev.cambium.ledger.History.BASE_1;
import static dev.cambium.ledger.History.CARDS_1;
import static dev.cambium.ledger.History.NEW_DATA;
import static dev.cambium.ledger.History.artifact;
import static dev.cambium.ledger.Schema.CHECKPOINTS;
import static dev.cambium.ledger.Schema.DERIVED;
import static dev.cambium.ledger.Schema.HASH;
import static dev.cambium.ledger.Schema.NODES;
import static dev.cambium.ledger.Schema.RECORDS;
import static dev.cambium.ledger.Schema.RECORD_IDX;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.ledger.Schema.Relation;
import dev.cambium.ledger.merkle.CompactRange;
import dev.cambium.ledger.merkle.MerkleHash;
import dev.cambium.ledger.merkle.Proofs;
import dev.cambium.model.Channel;
import dev.cambium.model.Decision;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Json;
import dev.cambium.model.Record;
import dev.cambium.model.VersionRef;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

abstract class LedgerContract {

  /** The kind of database under test. */
  abstract TestStore stores();

  private static final Instant NOON = Instant.parse("2026-03-01T12:00:00.123456Z");

  @TempDir Path directory;
  private Instant now = NOON;
  private final InstantSource clock = () -> now;
  private Ledger ledger;

  @BeforeEach
  void create() {
    ledger = stores().create(directory, clock);
  }

  @AfterEach
  void close() {
    ledger.close();
  }

  @Test
  void aMergedVersionDescendsFromAllThatItWasMergedFrom() {
    VersionRef both = new VersionRef("both", 1);
    VersionRef above = new VersionRef("above", 1);
    ledger.append("test", History.founding(), List.of());
    ledger.append(
        "test",
        List.of(History.merged(both, BASE_1, CARDS_1, BANKING_1), History.model(above, both)),
        List.of());
    LedgerState state = ledger.state();
    assertThat(state.mergedFrom(CARDS_1)).extracting(v -> v.fact().version()).containsExactly(both);
    assertThat(state.mergedFrom(both)).isEmpty();
    assertThat(state.children(CARDS_1)).isEmpty();
    assertThat(state.descendants(CARDS_1)).containsExactly(above, both);
    assertThat(state.descendants(BASE_1)).containsExactly(above, BANKING_1, both, CARDS_1);
    assertThat(state.ancestors(above)).containsExactly(both, BASE_1, BANKING_1, CARDS_1);
    assertThat(state.version(both).orElseThrow().fact().sources())
        .containsExactly(CARDS_1, BANKING_1);
    assertThat(ledger.verify(digest -> java.util.Optional.empty()).findings()).isEmpty();
  }

  @Test
  void stateFollowsFromTheRecords() {
    History.live(ledger);
    LedgerState state = ledger.state();

    assertThat(state.size()).isEqualTo(21);
    assertThat(state.ecosystem().orElseThrow().fact().name()).isEqualTo("bank");
    assertThat(state.lines()).containsExactly("banking", "base", "cards");
    assertThat(state.versions("banking"))
        .extracting(v -> v.fact().version())
        .containsExactly(BANKING_1, BANKING_2);
    assertThat(state.version(BANKING_2).orElseThrow().fact().data()).containsExactly(NEW_DATA);
    assertThat(state.versionsByManifest(artifact("manifest cards@1")))
        .extracting(v -> v.fact().version())
        .containsExactly(CARDS_1);
    assertThat(state.versionsWithData(NEW_DATA))
        .extracting(v -> v.fact().version())
        .containsExactly(BANKING_2);
    assertThat(state.versionsOf("c1")).hasSize(1);
    assertThat(state.nextVersionNumber("banking")).isEqualTo(3);
    assertThat(state.nextVersionNumber("travel")).isEqualTo(1);

    assertThat(state.descendants(BASE_1)).containsExactly(BANKING_1, BANKING_2, CARDS_1);
    assertThat(state.descendants(CARDS_1)).isEmpty();
    assertThat(state.children(BASE_1)).hasSize(2);
    assertThat(state.ancestors(CARDS_1)).containsExactly(BANKING_1, BASE_1);

    assertThat(state.channel("banking", Channel.STABLE)).contains(BANKING_1);
    assertThat(state.channel("banking", Channel.CANARY)).isEmpty();
    assertThat(state.channels("banking"))
        .isEqualTo(Map.of(Channel.CANDIDATE, BANKING_2, Channel.STABLE, BANKING_1));
    assertThat(state.allAt(Channel.STABLE).values()).containsExactly(BANKING_1, BASE_1, CARDS_1);
    assertThat(state.channelHistory("banking", Channel.STABLE))
        .extracting(m -> m.fact().movement())
        .containsExactly(Fact.Movement.RELEASE, Fact.Movement.RELEASE, Fact.Movement.ROLLBACK);
    assertThat(state.movesTo(BANKING_2)).hasSize(2);

    assertThat(state.openSignals()).isEmpty();
    assertThat(state.signal("s1").orElseThrow().campaign()).contains("c1");
    assertThat(state.nextSignal()).isEqualTo("s2");
    assertThat(state.openCampaign()).isEmpty();
    assertThat(state.campaign("c1").orElseThrow().closed().orElseThrow().fact().outcome())
        .isEqualTo(Fact.CampaignOutcome.RELEASED);
    assertThat(state.nextCampaign()).isEqualTo("c2");
    assertThat(state.decisions("c1")).hasSize(1);
    assertThat(state.settlements("c1")).extracting(s -> s.fact().line()).containsExactly("banking");
    assertThat(state.action(artifact("train")).orElseThrow().fact().seconds()).isEqualTo(12.5);
    assertThat(state.recentActions("train", 5)).hasSize(1);
    assertThat(state.verdicts(BANKING_2)).hasSize(1);
    assertThat(state.verdictsOf("c1")).hasSize(1);
    assertThat(state.settlement("c1", "banking").orElseThrow().index()).isEqualTo(18);
    assertThat(state.settlement("c1", "cards")).isEmpty();
    assertThat(state.lastSettlements(Set.of("banking", "cards")))
        .isEqualTo(
            Map.of("banking", state.settlement("c1", "banking").orElseThrow().fact().settlement()));
    assertThat(state.signalsOf("c1")).isEqualTo(List.of(state.signal("s1").orElseThrow()));
    assertThat(state.signalsFor("banking")).isEqualTo(state.signalsOf("c1"));
    assertThat(state.signalsFor("cards")).isEmpty();
    assertThat(state.foundations()).extracting(v -> v.fact().version()).containsExactly(BASE_1);
    assertThat(state.scoresAt(Channel.STABLE)).containsOnlyKeys("banking", "base", "cards");
    assertThat(state.versionsAt(Channel.STABLE)).containsOnlyKeys("banking", "base", "cards");
    state
        .versionsAt(Channel.STABLE)
        .forEach(
            (line, found) ->
                assertThat(state.builtOn(Channel.STABLE))
                    .containsEntry(
                        line,
                        new LedgerState.BuiltOn(found.fact().version(), found.fact().parent())));
    assertThat(state.builtOn(Channel.STABLE)).hasSize(3);
    assertThat(state.actionsWithin(0, state.size(), 5))
        .isEqualTo(state.actions())
        .isEqualTo(state.actionsWithin(state.actions().get(0).index(), state.size(), 1));
    assertThat(state.actionsWithin(state.actions().get(0).index() + 1, state.size(), 5)).isEmpty();

    List<Digest> artifacts = new ArrayList<>();
    state.forEachArtifact(artifacts::add);
    assertThat(artifacts).isSorted().doesNotHaveDuplicates().contains(NEW_DATA);
  }

  @Test
  void theNewestVerdictTellsTheScore() {
    ledger.append("test", History.founding(), List.of());
    assertThat(ledger.state().scoresAt(Channel.STABLE).values())
        .isNotEmpty()
        .containsOnly(OptionalDouble.empty());
    for (Double score : Arrays.asList(0.25, 0.75, null, 1e-7)) {
      ledger.append(
          "test",
          List.of(
              new Fact.VerdictReached(
                  BANKING_1, null, Decision.FAIL, artifact("evidence " + score), null, score)),
          List.of());
      assertThat(ledger.state().scoresAt(Channel.STABLE))
          .containsEntry(
              "banking", score == null ? OptionalDouble.empty() : OptionalDouble.of(score));
    }
    assertThat(ledger.state().scoresAt(Channel.STABLE))
        .containsEntry("base", OptionalDouble.empty());
    assertThat(ledger.state().scoresAt(Channel.CANARY)).isEmpty();
  }

  @Test
  void stateIsTheSameAfterReopening() {
    History.live(ledger);
    List<Record> before = ledger.state().records(0, 100);
    Optional<String> checkpoint = ledger.state().checkpoint();
    ledger.close();
    ledger = stores().open(directory, clock);
    assertThat(ledger.state().records(0, 100)).isEqualTo(before);
    assertThat(ledger.state().checkpoint()).isEqualTo(checkpoint);
    ledger.append("test", List.of(History.declared()), List.of());
    assertThat(ledger.verify(digest -> Optional.empty()).findings()).isEmpty();
  }

  /** Facts of one append see each other, also where they go in with one statement. */
  @Test
  void aLongAppendIsWhatManyShortOnesAre(@TempDir Path other) {
    List<Fact> facts = new ArrayList<>(History.founding());
    facts.addAll(History.wave());
    facts.add(History.rolledBack(BANKING_2, BANKING_1));
    for (int i = 0; i < 300; i++) {
      facts.add(History.finished(artifact("action " + i)));
      facts.add(
          i % 2 == 0
              ? History.released(BANKING_1, BANKING_2, "evidence banking@2")
              : History.rolledBack(BANKING_2, BANKING_1));
    }
    facts.add(History.dataSignal("s2", "banking"));
    facts.add(History.opened("c2", "s2"));
    ledger.append("test", facts, List.of());
    try (Ledger short1 = stores().create(other, clock)) {
      facts.forEach(fact -> short1.append("test", List.of(fact), List.of()));
      assertThat(short1.state().records(0, 1000)).isEqualTo(ledger.state().records(0, 1000));
      assertThat(short1.verify(ArtifactCheck.NONE).findings()).isEmpty();
    }
    assertThat(ledger.state().channel("banking", Channel.STABLE)).contains(BANKING_1);
    assertThat(ledger.state().signal("s2").orElseThrow().campaign()).contains("c2");
    assertThat(ledger.verify(ArtifactCheck.NONE).findings()).isEmpty();
    assertThat(ledger.replay()).isEqualTo(facts.size());
    assertThatThrownBy(
            () ->
                ledger.append(
                    "test",
                    List.of(
                        History.finished(artifact("twice")), History.finished(artifact("twice"))),
                    List.of()))
        .isInstanceOf(InvalidFactException.class)
        .hasMessageContaining("finished already");
    assertThat(ledger.state().size()).isEqualTo(facts.size());
  }

  @Test
  void anAppendGoesOnFromWhatAnotherProcessWrote() {
    ledger.append("test", History.founding(), List.of());
    try (Ledger another = stores().open(directory, clock)) {
      now = NOON.plusSeconds(60);
      another.append("another", History.wave(), List.of());
      now = NOON;
      Record last =
          ledger
              .append("test", List.of(History.rolledBack(BANKING_2, BANKING_1)), List.of())
              .get(0);
      assertThat(last.index()).isEqualTo(20);
      assertThat(last.time()).isEqualTo(NOON.plusSeconds(60).truncatedTo(ChronoUnit.MILLIS));
      another.append("another", List.of(History.declared()), List.of());
    }
    assertThat(ledger.verify(ArtifactCheck.NONE).findings()).isEmpty();
  }

  /** As ledgers were before tables had other keys, and before they were one tree each. */
  @ParameterizedTest
  @ValueSource(ints = {3, 5})
  void anOlderStoreIsBroughtUpToDateWithItsRows(int version) throws Exception {
    History.live(ledger);
    History.grow(ledger, 600);
    ledger.close();
    Connector connector = stores().connector(directory);
    Map<Relation, List<Object[]>> rows = new LinkedHashMap<>();
    try (Connection connection = connector.reader()) {
      for (Relation relation : relations()) {
        rows.put(relation, rows(connection, relation));
      }
    }
    rows.put(NODES, allNodes(rows.get(RECORDS)));
    Flyway older =
        Database.migrations(connector.migrations(), connector.dialect())
            .cleanDisabled(false)
            .target(String.valueOf(version))
            .load();
    if (stores() == TestStore.SQLITE) {
      Files.delete(directory.resolve(".cambium/ledger.db"));
    } else {
      older.clean();
    }
    older.migrate();
    try (Connection connection = connector.writer()) {
      connection.setAutoCommit(false);
      for (Map.Entry<Relation, List<Object[]>> entry : rows.entrySet()) {
        insert(connection, entry.getKey(), entry.getValue());
      }
      connection.commit();
    }
    ledger = stores().open(directory, clock);
    assertThat(ledger.state().size()).isEqualTo(rows.get(RECORDS).size());
    assertThat(ledger.verify(digest -> Optional.empty()).findings()).isEmpty();
    ledger.append("test", List.of(History.declared()), List.of());
    assertThat(ledger.verify(digest -> Optional.empty()).findings()).isEmpty();
  }

  private static List<Relation> relations() {
    List<Relation> relations = new ArrayList<>(List.of(RECORDS, CHECKPOINTS));
    relations.addAll(DERIVED);
    return relations;
  }

  private static List<Object[]> rows(Connection connection, Relation relation) throws SQLException {
    List<Object[]> rows = new ArrayList<>();
    String sql =
        "select "
            + relation.names()
            + " from "
            + relation.name()
            + " order by "
            + (relation.columns().contains(RECORD_IDX) ? "record_idx" : "1");
    try (Statement statement = connection.createStatement();
        ResultSet found = statement.executeQuery(sql)) {
      while (found.next()) {
        rows.add(SqlProjections.values(relation, found));
      }
    }
    return rows;
  }

  /** The nodes of every level, which older versions kept. */
  private static List<Object[]> allNodes(List<Object[]> records) {
    List<Object[]> nodes = new ArrayList<>();
    CompactRange tree = new CompactRange();
    for (Object[] row : records) {
      tree.append(
          new Digest((String) row[RECORDS.place(HASH)]),
          (level, position, hash) -> nodes.add(new Object[] {(long) level, position, hash.hex()}));
    }
    return nodes;
  }

  private static void insert(Connection connection, Relation relation, List<Object[]> rows)
      throws SQLException {
    if (rows.isEmpty()) {
      return; // there may be no such table
    }
    String places = String.join(", ", Collections.nCopies(relation.columns().size(), "?"));
    try (PreparedStatement statement =
        connection.prepareStatement(
            "insert into "
                + relation.name()
                + " ("
                + relation.names()
                + ") values ("
                + places
                + ")")) {
      for (Object[] row : rows) {
        Prepared.bind(statement, 1, row);
        statement.executeUpdate();
      }
    }
  }

  /** Of most levels no node is kept; the proofs need all of them. */
  @Test
  void everyRecordOfALongerLogIsProvable() {
    History.live(ledger);
    History.grow(ledger, 700);
    long size = ledger.state().size();
    Digest root = checkpoint(size).root();
    for (Record record : ledger.state().records(0, (int) size)) {
      Digest leaf = MerkleHash.leaf(Json.canonical(record));
      List<Digest> proof = ledger.proveInclusion(record.index(), size);
      assertThat(Proofs.includes(leaf, record.index(), size, proof, root)).isTrue();
    }
    long earlier = size - 700;
    assertThat(
            Proofs.consistent(
                earlier,
                checkpoint(earlier).root(),
                size,
                root,
                ledger.proveConsistency(earlier, size)))
        .isTrue();
    assertThat(ledger.verify(digest -> Optional.empty()).findings()).isEmpty();
  }

  @Test
  void factsOfOneAppendAreAllInOrNoneIs() {
    List<Fact> facts = new ArrayList<>(History.founding());
    facts.add(History.rolledBack(BANKING_1, BANKING_2));
    assertThatThrownBy(() -> ledger.append("test", facts, List.of()))
        .isInstanceOf(InvalidFactException.class)
        .hasMessageContaining("banking@2");
    assertThat(ledger.state().size()).isZero();
    assertThat(ledger.state().lines()).isEmpty();
    assertThat(ledger.state().checkpoint()).isEmpty();

    List<Record> records = ledger.append("test", History.founding(), List.of());
    assertThat(records)
        .extracting(Record::index)
        .containsExactly(0L, 1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L);
    assertThat(ledger.state().records(0, 100)).isEqualTo(records);
  }

  @Test
  void everyCheckpointIsSignedAndProvable() {
    History.live(ledger);
    long size = ledger.state().size();
    Checkpoint last = checkpoint(size);
    for (Record record : ledger.state().records(0, 100)) {
      Digest leaf = MerkleHash.leaf(Json.canonical(record));
      List<Digest> proof = ledger.proveInclusion(record.index(), size);
      assertThat(Proofs.includes(leaf, record.index(), size, proof, last.root())).isTrue();
      Checkpoint earlier = checkpoint(record.index() + 1);
      assertThat(
              Proofs.consistent(
                  earlier.size(),
                  earlier.root(),
                  size,
                  last.root(),
                  ledger.proveConsistency(earlier.size(), size)))
          .isTrue();
    }
  }

  private Checkpoint checkpoint(long size) {
    return Checkpoint.open(ledger.state().checkpoint(size).orElseThrow(), ledger.verifierKey());
  }

  @Test
  void timesAreOfTheMillisecondAndNeverRunBackwards() {
    Instant first = ledger.append("test", List.of(History.declared()), List.of()).get(0).time();
    assertThat(first).isEqualTo(Instant.parse("2026-03-01T12:00:00.123Z"));
    now = NOON.minusSeconds(3600);
    Instant second = ledger.append("test", List.of(History.declared()), List.of()).get(0).time();
    assertThat(second).isEqualTo(first);
    now = NOON.plusSeconds(1);
    Instant third = ledger.append("test", List.of(History.declared()), List.of()).get(0).time();
    assertThat(third).isEqualTo(Instant.parse("2026-03-01T12:00:01.123Z"));
  }

  @Test
  void aReadSeesOneSnapshot() {
    ledger.append("test", List.of(History.declared()), List.of());
    ledger.read(
        state -> {
          assertThat(state.size()).isEqualTo(1);
          ledger.append("test", List.of(History.declared()), List.of());
          assertThat(state.size()).isEqualTo(1);
          assertThat(ledger.state().size()).isEqualTo(2);
          return state;
        });
  }

  @Test
  void rememberGivesTheRecordThatCounts() {
    Fact.ActionFinished fact = History.finished(artifact("action"));
    Precondition.ArtifactsRenewed gone =
        new Precondition.ArtifactsRenewed(fact.artifacts(), artifact -> false);
    assertThatThrownBy(() -> ledger.remember("test", fact, gone))
        .isInstanceOf(ConflictException.class)
        .hasMessageContaining(fact.spec().brief());
    Precondition.ArtifactsRenewed kept =
        new Precondition.ArtifactsRenewed(fact.artifacts(), artifact -> true);
    Recorded<Fact.ActionFinished> first = ledger.remember("test", fact, kept);
    Recorded<Fact.ActionFinished> second = ledger.remember("other", fact, kept);
    assertThat(second).isEqualTo(first);
    assertThat(ledger.state().size()).isEqualTo(1);
  }

  @Test
  void whatCannotBeReadBackIsRefused() {
    assertThatThrownBy(() -> ledger.append("half a \ud83d", List.of(History.declared()), List.of()))
        .isInstanceOf(InvalidFactException.class)
        .hasMessageContaining("read back differently");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ledger.append(" ", List.of(History.declared()), List.of()));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ledger.append("test", List.of(), List.of()));
    ledger.append("a pair \ud83d\ude00, a null \u0000", List.of(History.declared()), List.of());
    assertThat(ledger.state().record(0).orElseThrow().actor())
        .isEqualTo("a pair \ud83d\ude00, a null \u0000");
  }

  @Test
  void openingNamesWhatIsWrong(@TempDir Path empty) throws Exception {
    assertThatThrownBy(() -> Ledger.open(empty, clock))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("no ecosystem in " + empty)
        .hasMessageContaining("cambium init");
    assertThatThrownBy(() -> stores().create(directory, clock))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("already");
    Files.createDirectories(empty.resolve(".cambium"));
    Files.copy(directory.resolve(".cambium/key/ledger.pub"), empty.resolve("ledger.pub"));
    Path key = directory.resolve(".cambium/key/ledger.pem");
    Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-r--r--"));
    assertThatThrownBy(() -> stores().open(directory, clock))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("rw-r--r--")
        .hasMessageContaining("chmod 600 " + key);
  }

  @Test
  void aNewerSchemaIsRefused() throws Exception {
    ledger.close();
    try (var connection = stores().connector(directory).writer();
        var statement = connection.createStatement()) {
      statement.execute(
          "insert into flyway_schema_history select 99, '7', description, type, 'V7__x.sql',"
              + " checksum, installed_by, installed_on, execution_time, success"
              + " from flyway_schema_history where version = '1'");
    }
    assertThatThrownBy(() -> stores().open(directory, clock))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("schema version 7")
        .hasMessageContaining("up to " + Schema.VERSION);
  }

  @Test
  void aClosedLedgerSaysSo() {
    ledger.close();
    assertThatIllegalStateException().isThrownBy(() -> ledger.state().size());
    assertThatIllegalStateException()
        .isThrownBy(() -> ledger.append("test", List.of(History.declared()), List.of()));
  }
}
