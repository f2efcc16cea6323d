package dev.cambium.ledger;

import static dev.cambium.ledger.History.NEW_DATA;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.cambium.ledger.VerificationReport.Finding;
import dev.cambium.ledger.VerificationReport.Severity;
import dev.cambium.ledger.merkle.MerkleHash;
import dev.cambium.model.Digest;
import dev.cambium.model.VersionRef;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jooq.Field;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever is changed behind the ledger's back is found, and the record is named. */
class TamperingTest {

  @TempDir static Path template;
  @TempDir Path directory;
  private final Map<Digest, String> artifacts = new HashMap<>();
  private Ledger ledger;

  @BeforeAll
  static void live() {
    InstantSource clock = InstantSource.fixed(Instant.parse("2026-03-01T12:00:00Z"));
    try (Ledger ledger = Ledger.create(template, clock)) {
      History.live(ledger);
    }
  }

  @BeforeEach
  void open() throws IOException {
    Path home = template.resolve(Ledger.HOME);
    try (Stream<Path> paths = Files.walk(home)) {
      for (Path path : paths.toList()) {
        Files.copy(
            path,
            directory.resolve(Ledger.HOME).resolve(home.relativize(path).toString()),
            StandardCopyOption.COPY_ATTRIBUTES);
      }
    }
    ledger = Ledger.open(directory, InstantSource.system());
    ledger.state().forEachArtifact(digest -> artifacts.put(digest, "content"));
  }

  @AfterEach
  void close() {
    ledger.close();
  }

  private Optional<String> problem(Digest digest) {
    String content = artifacts.get(digest);
    if (content == null) {
      return Optional.of("missing");
    }
    return content.equals("content") ? Optional.empty() : Optional.of("another digest");
  }

  private VerificationReport verify() {
    return ledger.verify(this::problem);
  }

  private void tamper(String... statements) throws SQLException {
    try (Connection connection =
            DriverManager.getConnection(
                "jdbc:sqlite:" + directory.resolve(Ledger.HOME).resolve(Ledger.DATABASE));
        Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        assertThat(statement.executeUpdate(sql)).as(sql).isPositive();
      }
    }
  }

  private String ask(String sql) throws SQLException {
    try (Connection connection =
            DriverManager.getConnection(
                "jdbc:sqlite:" + directory.resolve(Ledger.HOME).resolve(Ledger.DATABASE));
        Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery(sql)) {
      assertThat(result.next()).as(sql).isTrue();
      return result.getString(1);
    }
  }

  private static Finding first(VerificationReport report) {
    assertThat(report.intact()).isFalse();
    return report.findings().get(0);
  }

  private static List<Finding> errors(VerificationReport report) {
    return report.findings().stream().filter(f -> f.severity() == Severity.ERROR).toList();
  }

  @Test
  void anUntouchedLedgerIsIntact() {
    VerificationReport report = verify();
    assertThat(report.findings()).isEmpty();
    assertThat(report.intact()).isTrue();
    assertThat(report.records()).isEqualTo(21);
    assertThat(report.checkpoints()).isEqualTo(21);
    assertThat(report.artifacts()).isEqualTo(artifacts.size()).isGreaterThan(15);
    assertThat(report.projectionRows()).isGreaterThan(40);
  }

  @Test
  void anAlteredRecordIsNamedAlone() throws SQLException {
    tamper(
        "update log_record set leaf = replace(leaf, 'complaints', 'compliments') where idx = 20");
    VerificationReport report = verify();
    assertThat(report.findings()).hasSize(1);
    Finding finding = first(report);
    assertThat(finding.index()).isEqualTo(20);
    assertThat(finding.fact()).isEqualTo("channel-moved");
    assertThat(finding.subject()).isEqualTo("hash of the leaf");
    assertThat(finding).asString().startsWith("record 20 (channel-moved): hash of the leaf");
  }

  @Test
  void anAlteredVerdictIsNamedBeforeWhatFollowsFromIt() throws SQLException {
    tamper("update log_record set leaf = replace(leaf, '\"pass\"', '\"fail\"') where idx = 16");
    VerificationReport report = verify();
    assertThat(errors(report)).hasSize(1);
    assertThat(first(report).index()).isEqualTo(16);
    assertThat(first(report).fact()).isEqualTo("verdict-reached");
    assertThat(report.findings())
        .anyMatch(f -> f.index() == 17 && f.found().contains("is fail, not pass"));
  }

  @Test
  void anAlteredRecordWithItsHashIsFoundByTheSignedRoot() throws SQLException {
    String leaf = ask("select leaf from log_record where idx = 12").replace("--yes", "asked");
    String hash = MerkleHash.leaf(leaf.getBytes(StandardCharsets.UTF_8)).hex();
    tamper("update log_record set leaf = '" + leaf + "', hash = '" + hash + "' where idx = 12");
    VerificationReport report = verify();
    assertThat(errors(report)).hasSize(1);
    Finding finding = first(report);
    assertThat(finding.index()).isEqualTo(12);
    assertThat(finding.fact()).isEqualTo("decision-taken");
    assertThat(finding.subject()).isEqualTo("root of the checkpoint of size 13");
    assertThat(report.findings()).anyMatch(f -> f.found().startsWith("8 others"));
  }

  @Test
  void recordsOfOneAppendAreNamedTogether(@TempDir Path other) throws SQLException {
    ledger.close();
    ledger = Ledger.create(other, InstantSource.system());
    ledger.append("test", History.founding(), List.of());
    directory = other;
    String leaf = ask("select leaf from log_record where idx = 7").replace("imported", "exported");
    String hash = MerkleHash.leaf(leaf.getBytes(StandardCharsets.UTF_8)).hex();
    tamper("update log_record set leaf = '" + leaf + "', hash = '" + hash + "' where idx = 7");
    VerificationReport report = ledger.verify(digest -> Optional.empty());
    assertThat(first(report).subject())
        .contains("records 0 to 9")
        .contains("ecosystem-declared, version-registered, verdict-reached, channel-moved");
  }

  @Test
  void aDeletedRecordIsNamed() throws SQLException {
    tamper("delete from log_record where idx = 12");
    VerificationReport report = verify();
    Finding finding = first(report);
    assertThat(finding).hasToString("record 12: record: expected in the log, found missing");
    assertThat(errors(report)).hasSize(1);
  }

  @Test
  void deletedLastRecordsAreNamed() throws SQLException {
    tamper("delete from log_record where idx >= 19");
    VerificationReport report = verify();
    assertThat(first(report))
        .hasToString("record 19: records 19 to 20: expected in the log, found missing");
  }

  @Test
  void swappedRecordsAreBothNamed() throws SQLException {
    tamper(
        "update log_record set idx = -1 where idx = 12",
        "update log_record set idx = 12 where idx = 13",
        "update log_record set idx = 13 where idx = -1");
    VerificationReport report = verify();
    assertThat(errors(report))
        .filteredOn(f -> f.subject().equals("index in the leaf"))
        .extracting(Finding::index, Finding::fact, Finding::expected, Finding::found)
        .containsExactly(
            tuple(12L, "action-finished", "12", "13"), tuple(13L, "decision-taken", "13", "12"));
    assertThat(errors(report)).anyMatch(f -> f.subject().contains("checkpoint of size 13"));
  }

  @Test
  void anInsertedRecordIsNamed() throws SQLException {
    String leaf =
        ask("select leaf from log_record where idx = 20")
            .replace("\"index\":20", "\"index\":21")
            .replace("banking@2", "banking@x")
            .replace("banking@1", "banking@2")
            .replace("banking@x", "banking@1");
    String hash = MerkleHash.leaf(leaf.getBytes(StandardCharsets.UTF_8)).hex();
    tamper(
        "insert into log_record (idx, leaf, hash) values (21, '" + leaf + "', '" + hash + "')",
        "update channel set number = 2, record_idx = 21 where line = 'banking' and channel = 'stable'",
        "insert into channel_move (record_idx, line, channel, number)"
            + " values (21, 'banking', 'stable', 2)");
    VerificationReport report = verify();
    assertThat(report.findings()).hasSize(1);
    assertThat(first(report).index()).isEqualTo(21);
    assertThat(first(report).fact()).isEqualTo("channel-moved");
    assertThat(first(report).subject()).isEqualTo("signature");
    assertThat(first(report).found()).isEqualTo("the newest checkpoint has size 21, the log 22");
  }

  @Test
  void unreadableAndNonCanonicalRecordsAreNamed() throws SQLException {
    tamper(
        "update log_record set leaf = '{' where idx = 20",
        "update log_record set leaf = leaf || ' ' where idx = 9",
        "insert into log_record (idx, leaf, hash) values (-7, '{}', 'no hash')");
    List<Finding> errors = errors(verify());
    assertThat(errors)
        .anyMatch(f -> f.index() == 20 && f.subject().equals("leaf"))
        .anyMatch(f -> f.index() == 9 && f.subject().equals("form of the leaf"))
        .anyMatch(f -> f.index() == -7 && f.subject().equals("index"));
  }

  @Test
  void anAlteredProjectionRowIsNamedWithItsRecord() throws SQLException {
    tamper("update channel set number = 2 where line = 'banking' and channel = 'stable'");
    VerificationReport report = verify();
    assertThat(report.findings()).hasSize(1);
    Finding finding = first(report);
    assertThat(finding.severity()).isEqualTo(Severity.ERROR);
    assertThat(finding.index()).isEqualTo(20);
    assertThat(finding.fact()).isEqualTo("channel-moved");
    assertThat(finding.subject()).isEqualTo("row of table channel");
    assertThat(finding.expected()).contains("number=1");
    assertThat(finding.found()).contains("number=2");
  }

  @Test
  void everyRowOfEveryDerivedTableCounts() throws SQLException {
    ledger.rotateKey("test", "so that each table has a row");
    grow();
    ledger.append(
        "test",
        List.of(
            History.merged(
                new VersionRef("both", 1), History.BASE_1, History.BANKING_1, History.CARDS_1)),
        List.of());
    ledger.state().forEachArtifact(digest -> artifacts.put(digest, "content"));
    int deleted = 0;
    for (Schema.Relation derived : Schema.DERIVED) {
      String table = derived.name();
      String key = derived.key().stream().map(Field::getName).collect(Collectors.joining(", "));
      String newest =
          derived.equals(Schema.NODES) ? Schema.POSITION.getName() : Schema.RECORD_IDX.getName();
      tamper(
          String.format(
              "delete from %s where (%s) in (select %s from %s order by %s desc limit 1)",
              table, key, key, table, newest));
      VerificationReport report = verify();
      deleted++;
      assertThat(report.findings())
          .as(table)
          .hasSize(deleted)
          .allMatch(f -> f.found().equals("no such row") && f.index() != null)
          .anyMatch(f -> f.subject().equals("row of table " + table));
    }
  }

  @Test
  void anInventedProjectionRowIsFound() throws SQLException {
    tamper(
        "insert into action (action, kind, record_idx) values ('"
            + NEW_DATA.hex()
            + "', 'train', 3)");
    VerificationReport report = verify();
    assertThat(report.findings()).hasSize(1);
    assertThat(first(report).expected()).isEqualTo("no such row");
    assertThat(first(report).index()).isEqualTo(3);
  }

  @Test
  void anAlteredNodeOfTheTreeIsNamed() throws SQLException {
    grow();
    tamper("update log_node set hash = '" + NEW_DATA.hex() + "' where level = 8 and position = 1");
    VerificationReport report = verify();
    assertThat(report.findings()).hasSize(1);
    assertThat(first(report).index()).isEqualTo(511);
    assertThat(first(report).subject()).isEqualTo("row of table log_node");
  }

  @Test
  void aNodeOfALevelThatIsNotKeptIsFound() throws SQLException {
    tamper("insert into log_node values (2, 1, '" + NEW_DATA.hex() + "')");
    VerificationReport report = verify();
    assertThat(report.findings()).hasSize(1);
    assertThat(first(report).index()).isEqualTo(7);
    assertThat(first(report).expected()).isEqualTo("no such row");
  }

  /** A tree with nodes that are kept. */
  private void grow() {
    History.grow(ledger, 600);
    ledger.state().forEachArtifact(digest -> artifacts.put(digest, "content"));
  }

  @Test
  void anOlderCheckpointInPlaceOfTheNewestIsFound() throws SQLException {
    tamper(
        "update log_checkpoint set note = (select note from log_checkpoint where size = 18)"
            + " where size = 21");
    VerificationReport report = verify();
    assertThat(report.findings()).hasSize(1);
    assertThat(first(report))
        .hasToString(
            "record 20 (channel-moved): checkpoint of size 21: expected a checkpoint of that size,"
                + " found one of size 18");
  }

  @Test
  void aMissingNewestCheckpointIsFound() throws SQLException {
    tamper("delete from log_checkpoint where size > 19");
    VerificationReport report = verify();
    assertThat(report.findings())
        .extracting(Finding::index, Finding::subject)
        .containsExactly(tuple(19L, "signature"), tuple(20L, "signature"));
  }

  @Test
  void anAlteredSignatureIsFound() throws SQLException {
    String note = ask("select note from log_checkpoint where size = 15");
    int at = note.length() - 20;
    char changed = note.charAt(at) == 'A' ? 'B' : 'A';
    String altered = note.substring(0, at) + changed + note.substring(at + 1);
    tamper("update log_checkpoint set note = '" + altered + "' where size = 15");
    VerificationReport report = verify();
    assertThat(report.findings()).hasSize(1);
    assertThat(first(report).index()).isEqualTo(14);
    assertThat(first(report).fact()).isEqualTo("version-registered");
    assertThat(first(report).subject()).isEqualTo("checkpoint of size 15");
    assertThat(first(report).found()).startsWith("no valid signature");
  }

  @Test
  void missingAndAlteredArtifactsAreNamedWithTheirRecord() {
    artifacts.remove(NEW_DATA);
    artifacts.put(History.artifact("plan c1"), "something else");
    VerificationReport report = verify();
    assertThat(report.findings())
        .extracting(Finding::index, Finding::fact, Finding::expected, Finding::found)
        .containsExactlyInAnyOrder(
            tuple(10L, "signal-received", NEW_DATA.toString(), "missing"),
            tuple(
                11L, "campaign-opened", History.artifact("plan c1").toString(), "another digest"));
  }

  @Test
  void aLedgerPutBackAsAWholeIsFoundByAWitness(@TempDir Path copy) throws IOException {
    Witness witnessed = new Witness("kept.txt", ledger.state().checkpoint().orElseThrow());
    assertThat(ledger.verify(this::problem, List.of(witnessed)).findings()).isEmpty();

    // The same key, but another and shorter history; then a longer one.
    ledger.close();
    Files.delete(directory.resolve(Ledger.HOME).resolve(Ledger.DATABASE));
    Ledger.create(copy, InstantSource.system()).close();
    Files.copy(
        copy.resolve(Ledger.HOME).resolve(Ledger.DATABASE),
        directory.resolve(Ledger.HOME).resolve(Ledger.DATABASE));
    ledger = Ledger.open(directory, InstantSource.system());
    ledger.append("test", History.founding(), List.of());
    assertThat(verify().findings()).isEmpty();
    Finding shorter = first(ledger.verify(this::problem, List.of(witnessed)));
    assertThat(shorter.subject()).isEqualTo("size of the log");
    assertThat(shorter.found()).isEqualTo("10");
    ledger.append("test", History.wave(), List.of());
    ledger.append("test", List.of(History.declared(), History.declared()), List.of());
    Finding other = first(ledger.verify(this::problem, List.of(witnessed)));
    assertThat(other.subject()).isEqualTo("history before record 21");
  }

  @Test
  void valuesOfAnotherTypeAreNoticedThoughTheyReadTheSame() throws SQLException {
    tamper("update log_record set leaf = cast(leaf as blob) where idx = 3");
    tamper("update channel set channel = cast(channel as blob) where line = 'cards'");
    tamper("update flyway_schema_history set description = cast(description as blob)");
    assertThat(verify().findings())
        .filteredOn(f -> f.expected().equals("values of the types of its columns"))
        .extracting(Finding::subject)
        .contains(
            "row of table log_record",
            "row of table channel",
            "row of table flyway_schema_history");
    assertThat(verify().findings())
        .filteredOn(f -> f.subject().equals("row of table log_record"))
        .extracting(Finding::index)
        .containsOnly(3L);
  }

  /** A bit of a row's header makes a value null, whatever the schema says. */
  @Test
  void valuesThatAreGoneAreNoticed() throws SQLException {
    grow();
    try (Connection connection =
            DriverManager.getConnection(
                "jdbc:sqlite:" + directory.resolve(Ledger.HOME).resolve(Ledger.DATABASE));
        Statement statement = connection.createStatement()) {
      statement.execute("pragma writable_schema = on");
      statement.execute(
          "update sqlite_master set sql = replace(sql, 'not null', '')"
              + " where type = 'table' and name like 'log_%'");
    }
    tamper("update log_record set leaf = null where idx = 4");
    tamper("update log_record set hash = null where idx = 5");
    tamper("update log_node set hash = null where level = 8 and position = 0");
    tamper("update log_checkpoint set note = null where size > 0");
    VerificationReport report = verify();
    assertThat(report.findings()).extracting(Finding::index).contains(4L, 5L);
    assertThat(report.findings())
        .filteredOn(f -> f.expected().equals("values of the types of its columns"))
        .extracting(Finding::subject)
        .contains(
            "row of table log_record", "row of table log_node", "row of table log_checkpoint");
  }

  @Test
  void whatCannotBeReadIsNamedAndTheRestStillVerified() throws Exception {
    int page =
        Integer.parseInt(ask("select rootpage from sqlite_master where name = 'log_record'"));
    int size = Integer.parseInt(ask("pragma page_size"));
    ledger.close();
    Path file = directory.resolve(Ledger.HOME).resolve(Ledger.DATABASE);
    try (RandomAccessFile raw = new RandomAccessFile(file.toFile(), "rw")) {
      raw.seek((long) (page - 1) * size);
      raw.write(new byte[size]);
    }
    ledger = Ledger.openToVerify(directory, StoreAddress.local(), InstantSource.system());
    VerificationReport report = verify();
    assertThat(first(report).index()).isZero();
    assertThat(first(report).expected()).isEqualTo("readable");
    assertThat(first(report).found()).contains("SQLITE_CORRUPT");
    assertThat(report.findings())
        .extracting(Finding::subject)
        .anyMatch(subject -> subject.endsWith("the database ledger.db"));
  }
}
