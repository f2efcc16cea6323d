package dev.cambium.story;

import dev.cambium.artifact.DirectoryTree;
import dev.cambium.ledger.VerificationReport;
import dev.cambium.loop.Cambium;
import dev.cambium.model.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.InstantSource;
import java.util.List;
import java.util.stream.Stream;

/** Forges a verdict in a copy of an ecosystem's ledger, and lets verification look for it. */
final class Tampering {

  /**
   * What verification found.
   *
   * @param what was forged
   * @param findings of the verification, in words
   * @param caught whether the forged record is named
   */
  record Found(String what, List<String> findings, boolean caught) {}

  private Tampering() {}

  static Found of(Path ecosystem, String actor) throws IOException {
    Path copy = ecosystem.resolve(".cambium").resolve("tampered-copy");
    DirectoryTree.delete(copy);
    copy(ecosystem, copy);
    try {
      long forged = forge(copy);
      VerificationReport report;
      try (Cambium cambium = Cambium.open(copy, actor, InstantSource.system())) {
        report = cambium.verify(Progress.NONE);
      }
      return new Found(
          "Turned a verdict that held a version back (record " + forged + ") into a PASS",
          report.findings().stream().map(Object::toString).limit(10).toList(),
          report.findings().stream().anyMatch(f -> f.index() != null && f.index() == forged));
    } finally {
      DirectoryTree.delete(copy);
    }
  }

  /** Changes the first verdict that held a version back into a PASS, as a forger would. */
  private static long forge(Path copy) {
    Path database = copy.resolve(".cambium").resolve("ledger.db");
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database);
        PreparedStatement find =
            connection.prepareStatement(
                "select idx, leaf from log_record where leaf like '%\"verdict-reached\"%'"
                    + " and leaf not like '%\"decision\":\"pass\"%' order by idx limit 1");
        ResultSet found = find.executeQuery()) {
      if (!found.next()) {
        throw new IllegalStateException("the ledger holds no verdict that is worth forging");
      }
      long index = found.getLong(1);
      String leaf =
          found.getString(2).replaceFirst("\"decision\":\"[a-z]+\"", "\"decision\":\"pass\"");
      try (PreparedStatement change =
          connection.prepareStatement("update log_record set leaf = ? where idx = ?")) {
        change.setString(1, leaf);
        change.setLong(2, index);
        change.executeUpdate();
      }
      return index;
    } catch (SQLException e) {
      throw new IllegalStateException("cannot forge " + database, e);
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> paths = Files.walk(from)) {
      for (Path path : (Iterable<Path>) paths::iterator) {
        Path relative = from.relativize(path);
        if (relative.startsWith(".cambium/tampered-copy")
            || relative.startsWith(".cambium/cache")
            || relative.startsWith(".cambium/jobs")
            || relative.startsWith(".cambium/log")
            || relative.startsWith("foundations")) {
          continue;
        }
        Path target = to.resolve(relative);
        if (Files.isDirectory(path)) {
          Files.createDirectories(target);
        } else {
          Files.copy(path, target, java.nio.file.StandardCopyOption.COPY_ATTRIBUTES);
        }
      }
    }
  }
}
