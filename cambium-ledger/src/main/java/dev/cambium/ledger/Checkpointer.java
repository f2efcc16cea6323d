package dev.cambium.ledger;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Copies what commits left in SQLite's write-ahead log into the database's file, while further
 * commits go on. Nothing depends on it: what is committed is durable in the log, and is read from
 * there. But whoever copies it waits for the disk, and a commit should not.
 *
 * <p>Short commands never come to the point where it begins.
 */
final class Checkpointer {

  private static final Logger LOG = LoggerFactory.getLogger(Checkpointer.class);

  /** Pages that a commit changes, roughly, and that one of its records changes. */
  private static final int PAGES_OF_COMMIT = 12;

  private static final int PAGES_OF_RECORD = 1;

  /** Pages after which copying is worth while: what was changed several times is copied once. */
  private static final int DUE = 4_000;

  private static final int PATIENCE_S = 30;

  private final SqliteConnector connector;
  private final AtomicBoolean copying = new AtomicBoolean();
  private int pages;
  private boolean closed;
  private @Nullable ExecutorService thread;

  Checkpointer(SqliteConnector connector) {
    this.connector = connector;
  }

  /** A commit of some records is done. */
  synchronized void committed(int records) {
    pages += PAGES_OF_COMMIT + records * PAGES_OF_RECORD;
    if (pages < DUE || closed || !copying.compareAndSet(false, true)) {
      return;
    }
    pages = 0;
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
    current.execute(this::copy);
  }

  private void copy() {
    // Opened each time, so that nothing is held of a file that may be removed meanwhile.
    try (Connection connection = connector.copier();
        Statement statement = connection.createStatement()) {
      statement.execute("pragma wal_checkpoint(passive)");
    } catch (SQLException e) {
      LOG.debug("left to a commit: {}", e.getMessage());
    } finally {
      copying.set(false);
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
