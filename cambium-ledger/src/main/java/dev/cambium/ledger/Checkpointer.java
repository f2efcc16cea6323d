package dev.cambium.ledger;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Copies what commits left in SQLite's write-ahead log into the database's file, while further
 * commits go on. Nothing depends on it: what is committed is durable in the log, and is read from
 * there. But whoever copies it waits for the disk, and a commit should not.
 *
 * <p>The little that is committed meanwhile is then copied by the writer, between two of its
 * transactions: once nothing is left to copy, SQLite writes the log from its beginning again.
 * Otherwise it would grow as long as one commit follows another, and a write that makes a file
 * longer waits for the file system's journal as well.
 *
 * <p>Short commands never come to the point where it begins.
 */
final class Checkpointer {

  private static final Logger LOG = LoggerFactory.getLogger(Checkpointer.class);

  /** Pages that a commit changes, roughly, and that one of its records changes. */
  private static final int PAGES_OF_COMMIT = 6;

  private static final double PAGES_OF_RECORD = 0.5;

  /** Pages after which copying is worth while: what was changed several times is copied once. */
  private static final int DUE = 4_000;

  /** At most so many are copied by the writer. */
  private static final int FEW = 1_000;

  private static final int PATIENCE_S = 30;

  private final SqliteConnector connector;

  /** Whether the thread is copying. */
  private boolean copying;

  /** Whether it has copied, and what came meanwhile has not been. */
  private boolean copied;

  /** Committed since copying last began. */
  private double pages;

  private boolean closed;
  private @Nullable ExecutorService thread;

  Checkpointer(SqliteConnector connector) {
    this.connector = connector;
  }

  /** A commit of some records is done, on a connection that is in no transaction. */
  void committed(Connection writer, int records) {
    if (isLeftToWriter(records)) {
      copy(writer);
    }
  }

  private synchronized boolean isLeftToWriter(int records) {
    pages += PAGES_OF_COMMIT + records * PAGES_OF_RECORD;
    if (copying || closed || !copied && pages < DUE) {
      return false;
    }
    boolean few = copied && pages < FEW;
    copied = false;
    pages = 0;
    if (!few) {
      begin();
    }
    return few;
  }

  private void begin() {
    ExecutorService current = thread;
    if (current == null) {
      current =
          Executors.newSingleThreadExecutor(
              task -> {
                Thread daemon = new Thread(task, "ledger checkpoints");
                daemon.setDaemon(true);
                return daemon;
              });
      thread = current;
    }
    copying = true;
    current.execute(this::copy);
  }

  private void copy() {
    boolean done = false;
    // Opened each time, so that nothing is held of a file that may be removed meanwhile.
    try (Connection connection = connector.copier()) {
      done = copy(connection);
    } catch (SQLException e) {
      LOG.debug("left to a commit: {}", e.getMessage());
    } finally {
      copyingEnded(done);
    }
  }

  private synchronized void copyingEnded(boolean done) {
    copying = false;
    copied = done;
  }

  private static boolean copy(Connection connection) {
    try (Statement statement = connection.createStatement()) {
      statement.execute("pragma wal_checkpoint(passive)");
      return true;
    } catch (SQLException e) {
      LOG.debug("left to a commit: {}", e.getMessage());
      return false;
    }
  }

  /** Ends when what it copies is copied. */
  void close() {
    ExecutorService current;
    synchronized (this) {
      closed = true;
      current = thread;
      thread = null;
    }
    if (current == null) {
      return;
    }
    current.shutdown();
    boolean interrupted = false;
    try {
      if (!current.awaitTermination(PATIENCE_S, TimeUnit.SECONDS)) {
        LOG.debug("still copying");
      }
    } catch (InterruptedException e) {
      interrupted = true;
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
