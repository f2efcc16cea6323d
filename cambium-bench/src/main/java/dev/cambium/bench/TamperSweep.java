package dev.cambium.bench;

import dev.cambium.artifact.DirectoryTree;
import dev.cambium.artifact.IntegrityException;
import dev.cambium.artifact.LocalArtifactStore;
import dev.cambium.ledger.Ledger;
import dev.cambium.ledger.LedgerException;
import dev.cambium.ledger.PublishedLog;
import dev.cambium.ledger.VerificationReport;
import dev.cambium.ledger.VerificationReport.Finding;
import dev.cambium.ledger.Witness;
import dev.cambium.ledger.merkle.CompactRange;
import dev.cambium.ledger.merkle.MerkleHash;
import dev.cambium.ledger.merkle.Tiles;
import dev.cambium.loop.Cambium;
import dev.cambium.model.Channel;
import dev.cambium.model.Decision;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.FileEntry;
import dev.cambium.model.Json;
import dev.cambium.model.Manifest;
import dev.cambium.model.Progress;
import dev.cambium.model.Record;
import dev.cambium.model.VersionKind;
import dev.cambium.model.VersionRef;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Changes an ecosystem behind its back in every way at hand, and looks whether {@code verify}
 * notices: flips a bit of every byte of every file (database, keys, artifacts, published tiles, a
 * checkpoint that was kept), one at a time; likewise of the write-ahead log that the database has
 * when its process was killed; drops, doubles, swaps and inserts records with all hashes made anew;
 * puts an earlier state back.
 *
 * <p>A flip that is not noticed is missed, unless it changed nothing: then every row of every table
 * and the database's schema are what they were, and the byte was one that SQLite does not read (a
 * free page, the rest of a page, a counter in the file's header). What only the migration tool
 * keeps for itself (when and by whom a script was run) is counted apart. SQLite passes over a frame
 * of a write-ahead log whose checksum does not hold, and all after it: what is then there is whole,
 * signed, and shorter, which the checkpoint shows that was kept. The index beside that log (<code>
 * -shm</code>) is made anew by whoever opens the file first, and not tried.
 *
 * <p>Main: {@code TamperSweep [ROUNDS] [EVERY] [FIRST] [DIR]}: the ecosystem gets ten records a
 * round; a bit is flipped in each {@code EVERY}th byte from {@code FIRST} on. The ecosystem is made
 * in {@code DIR} once, so that several runs with one {@code EVERY} and each {@code FIRST} below it
 * reach every byte.
 */
public final class TamperSweep {

  private static final String CRASHED = "verify crashed: ";

  private final Path home;
  private final Path published;
  private final Path kept;

  /** The same ecosystem some records later, as a process left it that was killed. */
  private final Path killed;

  private final Path keptLater;
  private final Random random = new Random(7);

  TamperSweep(Path directory) {
    this.home = directory.resolve("fleet");
    this.published = directory.resolve("published");
    this.kept = directory.resolve("kept.txt");
    this.killed = directory.resolve("killed");
    this.keptLater = directory.resolve("kept-later.txt");
  }

  public static void main(String[] arguments) throws Exception {
    Arguments given = new Arguments(arguments);
    int rounds = given.number(0, 1);
    int every = given.number(1, 1);
    int first = given.number(2, 0);
    Path directory = given.directory(3, "tamper");
    Path made = directory.resolve("made");
    if (!Files.exists(made)) {
      new TamperSweep(made).build(rounds, 512);
    }
    Path work = directory.resolve("work");
    DirectoryTree.delete(work);
    DirectoryTree.copy(made, work);
    TamperSweep sweep = new TamperSweep(work);
    Map<String, Counts> counts = sweep.flips(every, first, System.out::println);
    System.out.printf(Locale.ROOT, "%-12s %s%n", "", Counts.HEAD);
    counts.forEach((kind, c) -> System.out.printf(Locale.ROOT, "%-12s %s%n", kind, c));
    Forged forged = sweep.forgeries(System.out::println);
    System.out.println(forged);
    if (counts.values().stream().anyMatch(c -> c.missed > 0)
        || forged.caught != forged.tried
        || forged.putBackCaught != forged.putBack) {
      System.exit(1);
    }
  }

  /** What became of the flips of one kind of file. */
  static final class Counts {
    static final String HEAD =
        "flipped, noticed (record, row or object named; the file only; by what was kept alone),"
            + " without meaning, migration tool's, missed";

    int flipped;
    int noticed;
    int located;
    int toFile;
    int witnessed;
    int meaningless;
    int bookkeeping;
    int missed;

    void notice(Sight sight, boolean byWitness) {
      noticed++;
      located += sight == Sight.EXACT ? 1 : 0;
      toFile += sight == Sight.FILE ? 1 : 0;
      witnessed += byWitness ? 1 : 0;
    }

    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%7d %7d (%d; %d; %d) %7d %7d %7d",
          flipped,
          noticed,
          located,
          toFile,
          witnessed,
          meaningless,
          bookkeeping,
          missed);
    }
  }

  /** How near what was said came to what was changed. */
  enum Sight {
    /** A record, a row, a checkpoint, or the very object. */
    EXACT,
    /** The database's file. */
    FILE,
    NOTHING
  }

  // ------------------------------------------------------------------------------- building

  /** Makes an ecosystem of three lines, ten records a round, and publishes its log. */
  void build(int rounds, int pageSize) throws IOException, SQLException {
    LocalArtifactStore store = LocalArtifactStore.open(home.resolve(".cambium/objects"));
    try (Ledger ledger = Ledger.create(home, InstantSource.system())) {
      VersionRef base = new VersionRef("base", 1);
      Digest baseManifest = manifest(store, VersionKind.MODEL, null, "weights of base");
      Digest evidence = put(store, "evidence for base@1");
      ledger.append(
          "bench",
          List.of(
              new Fact.EcosystemDeclared(
                  "small",
                  put(store, "name: small\n"),
                  new TreeMap<>(Map.of("s", put(store, "i")))),
              new Fact.VersionRegistered(
                  base,
                  baseManifest,
                  VersionKind.MODEL,
                  null,
                  null,
                  null,
                  null,
                  null,
                  List.of(),
                  "")),
          List.of());
      ledger.append(
          "bench",
          List.of(
              new Fact.VerdictReached(base, null, Decision.PASS, evidence, null),
              new Fact.ChannelMoved(
                  "base", Channel.STABLE, null, base, Fact.Movement.RELEASE, evidence, "first")),
          List.of());
      VersionRef stable = null;
      VersionRef candidate = null;
      for (int i = 1; i <= rounds; i++) {
        VersionRef next = new VersionRef("cards", i);
        List<Fact> facts = round(store, i, base, baseManifest, stable, candidate, next);
        ledger.append("bench", facts.subList(0, 4), List.of());
        ledger.append("bench", facts.subList(4, 10), List.of());
        stable = next;
        candidate = next;
        if (i == rounds) {
          Files.writeString(kept, ledger.state().checkpoint().orElseThrow());
        }
      }
      ledger.rotateKey("bench", "for the sweep");
      new PublishedLog(published).update(ledger);
    }
    if (pageSize > 0) {
      try (Connection connection = connect(database());
          Statement statement = connection.createStatement()) {
        statement.execute("pragma journal_mode=delete");
        statement.execute("pragma page_size=" + pageSize);
        statement.execute("vacuum");
        statement.execute("pragma journal_mode=wal");
      }
    }
    leaveBehind();
  }

  /** Copies what is on disk while a process has the ledger open: what its end by force leaves. */
  private void leaveBehind() throws IOException {
    Path before = home.resolveSibling("before");
    DirectoryTree.copy(home, before);
    try (Ledger ledger = Ledger.open(before, InstantSource.system())) {
      for (int i = 0; i < 2; i++) {
        ledger.append(
            "bench",
            List.of(
                new Fact.EcosystemDeclared(
                    "small", Digest.ofText("name: small\n"), new TreeMap<>())),
            List.of());
      }
      Files.writeString(keptLater, ledger.state().checkpoint().orElseThrow());
      DirectoryTree.copy(before, killed);
    }
    Files.delete(wal(killed).resolveSibling("ledger.db-shm"));
    DirectoryTree.delete(before);
  }

  private static Path wal(Path home) {
    return home.resolve(".cambium/ledger.db-wal");
  }

  private static List<Fact> round(
      LocalArtifactStore store,
      int i,
      VersionRef base,
      Digest baseManifest,
      @Nullable VersionRef stable,
      @Nullable VersionRef candidate,
      VersionRef next) {
    String campaign = "c" + i;
    String signal = "s" + i;
    Digest data = put(store, "rows " + i);
    Digest action = Digest.ofText("action " + i);
    Digest verdict = put(store, "evidence " + i);
    return List.of(
        new Fact.SignalReceived(
            signal, Fact.SignalKind.DATA, "cards", data, null, 10, null, "new rows"),
        new Fact.CampaignOpened(campaign, List.of(signal), put(store, "plan " + i)),
        new Fact.DecisionTaken(campaign, "start", true, "--yes"),
        new Fact.ActionFinished(
            action,
            "train",
            put(store, "spec " + i),
            new TreeMap<>(Map.of("adapter", put(store, "weights " + i))),
            1.5,
            "engine"),
        new Fact.VersionRegistered(
            next,
            manifest(store, VersionKind.ADAPTER, baseManifest, "weights " + i),
            VersionKind.ADAPTER,
            base,
            stable,
            null,
            action,
            campaign,
            List.of(data),
            "trained"),
        new Fact.ChannelMoved(
            "cards", Channel.CANDIDATE, candidate, next, Fact.Movement.CANDIDATE, null, "made"),
        new Fact.VerdictReached(next, stable, Decision.PASS, verdict, campaign),
        new Fact.ChannelMoved(
            "cards", Channel.STABLE, stable, next, Fact.Movement.RELEASE, verdict, "passed"),
        new Fact.LineSettled(campaign, "cards", Fact.Settlement.RELEASED, next, null, "better"),
        new Fact.CampaignClosed(campaign, Fact.CampaignOutcome.RELEASED, Map.of("released", 1)));
  }

  private static Digest put(LocalArtifactStore store, String text) {
    return store.put(text.getBytes(StandardCharsets.UTF_8));
  }

  private static Digest manifest(
      LocalArtifactStore store, VersionKind kind, @Nullable Digest parent, String weights) {
    FileEntry file = new FileEntry("weights", weights.length(), put(store, weights));
    return store.put(Json.canonical(new Manifest(kind, parent, List.of(file))));
  }

  private Path database() {
    return database(home);
  }

  private static Path database(Path home) {
    return home.resolve(".cambium/ledger.db");
  }

  private static Connection connect(Path database) throws SQLException {
    return DriverManager.getConnection("jdbc:sqlite:" + database);
  }

  // ------------------------------------------------------------------------------- flipping

  Map<String, Counts> flips(int every, int first, Consumer<String> log)
      throws IOException, SQLException {
    require(problem(true).isEmpty(), "the untouched ecosystem does not verify: " + problem(true));
    Map<String, Counts> all = new TreeMap<>();
    List<String> content = content(home, false);
    List<String> everything = content(home, true);
    for (Path file : files()) {
      Counts counts = all.computeIfAbsent(kind(file), kind -> new Counts());
      byte[] original = Files.readAllBytes(file);
      boolean isDatabase = file.equals(database());
      for (int at = first % every; at < original.length; at += every) {
        byte[] changed = flip(original, at);
        replace(file, changed);
        Optional<String> problem = problem(!isDatabase);
        counts.flipped++;
        if (problem.isPresent()) {
          notice(counts, problem.get(), file, at, log);
        } else if (!isDatabase || !content(home, false).equals(content)) {
          counts.missed++;
          log.accept("MISSED: byte " + at + " of " + file + ": " + changed[at]);
        } else if (content(home, true).equals(everything)) {
          counts.meaningless++;
        } else {
          counts.bookkeeping++;
        }
        replace(file, original);
      }
    }
    require(problem(true).isEmpty(), "the restored ecosystem does not verify: " + problem(true));
    all.put("wal", walFlips(every, first, log));
    return all;
  }

  private Counts walFlips(int every, int first, Consumer<String> log)
      throws IOException, SQLException {
    Counts counts = new Counts();
    Path wal = wal(killed);
    Path database = database(killed);
    byte[] log1 = Files.readAllBytes(wal);
    byte[] base = Files.readAllBytes(database);
    List<String> content = content(killed, true);
    for (int at = first % every; at <= log1.length; at += every) {
      Files.write(database, base);
      byte[] changed = at < log1.length ? flip(log1, at) : log1;
      Files.write(wal, changed);
      Files.deleteIfExists(wal.resolveSibling("ledger.db-shm"));
      Optional<String> problem = problem(killed, keptLater, false);
      if (at == log1.length) {
        require(problem.isEmpty(), "the untouched log does not verify: " + problem);
        break;
      }
      counts.flipped++;
      if (problem.isPresent()) {
        notice(counts, problem.get(), database, at, log);
      } else if (content(killed, true).equals(content)) {
        counts.meaningless++;
      } else {
        counts.missed++;
        log.accept("MISSED: byte " + at + " of " + wal + ": " + changed[at]);
      }
    }
    return counts;
  }

  private byte[] flip(byte[] original, int at) {
    byte[] changed = original.clone();
    changed[at] ^= (byte) (1 << random.nextInt(8));
    return changed;
  }

  private static void notice(
      Counts counts, String problem, Path file, int at, Consumer<String> log) {
    if (problem.startsWith(CRASHED)) {
      counts.missed++;
      log.accept("MISSED: byte " + at + " of " + file + ": " + problem);
      return;
    }
    Sight sight = sight(problem, file);
    counts.notice(sight, problem.contains("kept elsewhere"));
    if (sight == Sight.NOTHING) {
      log.accept("not located: byte " + at + " of " + file + ": " + problem);
    }
  }

  private String kind(Path file) {
    if (file.equals(database())) {
      return "database";
    }
    if (file.equals(kept)) {
      return "checkpoint";
    }
    if (file.startsWith(published)) {
      return "published";
    }
    return file.startsWith(home.resolve(".cambium/key")) ? "keys" : "artifacts";
  }

  private List<Path> files() throws IOException {
    List<Path> files = new ArrayList<>();
    for (Path root : List.of(home, published, kept)) {
      try (Stream<Path> walk = Files.walk(root)) {
        walk.filter(Files::isRegularFile)
            .filter(file -> !file.toString().endsWith("-wal") && !file.toString().endsWith("-shm"))
            .sorted()
            .forEach(files::add);
      }
    }
    return files;
  }

  private void replace(Path file, byte[] bytes) throws IOException {
    if (file.equals(database())) {
      Files.deleteIfExists(file.resolveSibling("ledger.db-wal"));
      Files.deleteIfExists(file.resolveSibling("ledger.db-shm"));
    }
    var permissions = Files.getPosixFilePermissions(file);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    Files.write(file, bytes);
    Files.setPosixFilePermissions(file, permissions);
  }

  /** Whether what was said names a record, a row, or the object or file that was changed. */
  private static Sight sight(String problem, Path file) {
    String name = String.valueOf(file.getFileName());
    String folder = String.valueOf(Objects.requireNonNull(file.getParent()).getFileName());
    boolean database = name.equals("ledger.db");
    if (problem.startsWith("record ")
        || problem.startsWith("row of table ")
        || problem.startsWith("table ")
        || (!database
            && (problem.contains(name)
                || problem.contains(folder + "/")
                // A digest: its first two digits are the folder.
                || problem.contains(folder + name)))) {
      return Sight.EXACT;
    }
    return database && problem.contains(name) ? Sight.FILE : Sight.NOTHING;
  }

  private Optional<String> problem(boolean withPublished) {
    return problem(home, kept, withPublished);
  }

  /** What checking everything has to say first; nothing if all is well. */
  private Optional<String> problem(Path home, Path kept, boolean withPublished) {
    try (Cambium cambium = Cambium.openToVerify(home, "bench", InstantSource.system())) {
      Witness witness = new Witness(kept.toString(), text(kept));
      VerificationReport report = cambium.verify(Progress.NONE, List.of(witness));
      if (!report.intact()) {
        return Optional.of(report.findings().get(0).toString());
      }
      return withPublished
          ? new PublishedLog(published)
              .check(cambium.keys()).findings().stream().map(Finding::toString).findFirst()
          : Optional.empty();
    } catch (LedgerException | IntegrityException | UncheckedIOException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    } catch (RuntimeException e) { // none is documented
      return Optional.of(CRASHED + e + " at " + List.of(e.getStackTrace()).subList(0, 3));
    }
  }

  /** As a command would read it: bytes that are no text are a file that cannot be read. */
  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(file + " is not a text: " + e, e);
    }
  }

  /** Every row of every table, and the schema, read past the ledger. */
  private static List<String> content(Path home, boolean withBookkeeping) throws SQLException {
    List<String> rows = new ArrayList<>();
    try (Connection connection = connect(database(home));
        Statement statement = connection.createStatement()) {
      List<String> tables = new ArrayList<>();
      try (ResultSet schema =
          statement.executeQuery("select type, name, tbl_name, sql from sqlite_master")) {
        while (schema.next()) {
          rows.add(schema.getString(1) + " " + schema.getString(2) + " " + schema.getString(3));
          rows.add(String.valueOf(schema.getString(4)));
          if (schema.getString(1).equals("table")) {
            tables.add(schema.getString(2));
          }
        }
      }
      for (String table : tables) {
        String columns =
            !withBookkeeping && table.equals("flyway_schema_history")
                ? "installed_rank, version, description, type, script, checksum, success"
                : "*";
        try (ResultSet result =
            statement.executeQuery("select " + columns + " from \"" + table + "\"")) {
          int width = result.getMetaData().getColumnCount();
          while (result.next()) {
            StringBuilder row = new StringBuilder(table);
            for (int i = 1; i <= width; i++) {
              Object value = result.getObject(i);
              row.append('|')
                  .append(value == null ? "null" : value.getClass().getSimpleName() + value);
            }
            rows.add(row.toString());
          }
        }
      }
    } catch (SQLException e) {
      rows.add("unreadable: " + e.getMessage());
    }
    return rows;
  }

  // -------------------------------------------------------------------------------- forging

  /**
   * What became of forged histories.
   *
   * @param tried forgeries with all hashes made anew
   * @param caught those that verify noticed
   * @param located those of which the first finding names the record, or the ones signed with it;
   *     of a doubled one, either
   * @param putBack earlier states of the database that were put back as a whole
   * @param putBackCaught those that the checkpoint showed that was kept elsewhere
   */
  record Forged(int tried, int caught, int located, int putBack, int putBackCaught) {}

  private enum Forgery {
    DROP,
    DOUBLE,
    SWAP,
    INSERT
  }

  Forged forgeries(Consumer<String> log) throws IOException, SQLException {
    byte[] original = Files.readAllBytes(database());
    List<String> leaves = leaves();
    int tried = 0;
    int caught = 0;
    int located = 0;
    for (Forgery forgery : Forgery.values()) {
      for (int at = 0; at < leaves.size(); at++) {
        if (forgery == Forgery.SWAP && at + 1 == leaves.size()) {
          continue;
        }
        List<String> forged = new ArrayList<>(leaves);
        switch (forgery) {
          case DROP -> forged.remove(at);
          case DOUBLE -> forged.add(at, leaves.get(at));
          case SWAP -> forged.set(at, forged.set(at + 1, forged.get(at)));
          case INSERT ->
              forged.add(
                  at,
                  new String(
                      Json.canonical(
                          new Record(
                              at,
                              Json.read(
                                      leaves.get(at).getBytes(StandardCharsets.UTF_8), Record.class)
                                  .time(),
                              "mallory",
                              new Fact.EcosystemDeclared(
                                  "mine", Digest.ofText("name: small\n"), new TreeMap<>()))),
                      StandardCharsets.UTF_8));
        }
        write(forged);
        Optional<String> problem = problem(false);
        tried++;
        if (problem.isPresent()) {
          caught++;
          // Of a doubled record nobody can say which one is the copy.
          if (names(problem.get(), at)
              || (forgery == Forgery.DOUBLE && names(problem.get(), at + 1))) {
            located++;
          } else {
            log.accept(forgery + " of record " + at + ": " + problem.get());
          }
        } else {
          log.accept("MISSED: " + forgery + " of record " + at);
        }
        replace(database(), original);
      }
    }
    int[] putBack = putBack();
    return new Forged(tried, caught, located, putBack[0], putBack[1]);
  }

  /** Whether a finding's record is the one, or was signed together with it. */
  private static boolean names(String problem, int at) {
    if (problem.startsWith("record " + at + ":") || problem.startsWith("record " + at + " ")) {
      return true;
    }
    var range = java.util.regex.Pattern.compile("records (\\d+) to (\\d+)").matcher(problem);
    return range.find()
        && Integer.parseInt(range.group(1)) <= at + 1
        && at <= Integer.parseInt(range.group(2));
  }

  private List<String> leaves() throws SQLException {
    List<String> leaves = new ArrayList<>();
    try (Connection connection = connect(database());
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("select leaf from log_record order by idx")) {
      while (rows.next()) {
        leaves.add(rows.getString(1));
      }
    }
    return leaves;
  }

  /** Writes records with indices, hashes and tree made anew; signatures cannot be. */
  private void write(List<String> leaves) throws SQLException {
    try (Connection connection = connect(database())) {
      connection.setAutoCommit(false);
      try (Statement statement = connection.createStatement();
          PreparedStatement record =
              connection.prepareStatement("insert into log_record values (?, ?, ?)");
          PreparedStatement node =
              connection.prepareStatement("insert into log_node values (?, ?, ?)")) {
        statement.execute("delete from log_record");
        statement.execute("delete from log_node");
        CompactRange tree = new CompactRange();
        for (int i = 0; i < leaves.size(); i++) {
          String leaf = leaves.get(i).replaceFirst("\"index\":\\d+,", "\"index\":" + i + ",");
          Digest hash = MerkleHash.leaf(leaf.getBytes(StandardCharsets.UTF_8));
          record.setLong(1, i);
          record.setString(2, leaf);
          record.setString(3, hash.hex());
          record.executeUpdate();
          tree.append(
              hash,
              (level, position, inner) -> {
                if (!Tiles.hold(level)) {
                  return;
                }
                try {
                  node.setInt(1, level);
                  node.setLong(2, position);
                  node.setString(3, inner.hex());
                  node.executeUpdate();
                } catch (SQLException e) {
                  throw new IllegalStateException(e);
                }
              });
        }
        connection.commit();
      }
    }
  }

  /** Puts a whole earlier ecosystem back: everything in it is signed and fits together. */
  private int[] putBack() throws IOException, SQLException {
    Path earlier = home.resolveSibling("earlier");
    int tried = 0;
    int caught = 0;
    for (int records = 1; records <= 3; records++) {
      DirectoryTree.delete(earlier);
      try (Ledger ledger = Ledger.create(earlier, InstantSource.system())) {
        Fact declared = new Fact.EcosystemDeclared("small", Digest.ofText("d"), new TreeMap<>());
        for (int i = 0; i < records; i++) {
          ledger.append("bench", List.of(declared), List.of());
        }
        List<Witness> witness = new ArrayList<>();
        Path before = earlier.resolveSibling("before.db");
        try (Connection connection = connect(earlier.resolve(".cambium/ledger.db"));
            Statement statement = connection.createStatement()) {
          Files.deleteIfExists(before);
          statement.execute("vacuum into '" + before + "'");
        }
        ledger.append("bench", List.of(declared), List.of());
        witness.add(new Witness("kept", ledger.state().checkpoint().orElseThrow()));
        ledger.close();
        Path database = earlier.resolve(".cambium/ledger.db");
        Files.move(before, database, StandardCopyOption.REPLACE_EXISTING);
        try (Ledger back = Ledger.open(earlier, InstantSource.system())) {
          require(back.verify(digest -> Optional.empty()).intact(), "an earlier state has errors");
          tried++;
          caught += back.verify(digest -> Optional.empty(), witness).intact() ? 0 : 1;
        }
      }
    }
    DirectoryTree.delete(earlier);
    return new int[] {tried, caught};
  }

  private static void require(boolean condition, String message) {
    if (!condition) {
      throw new IllegalStateException(message);
    }
  }
}
