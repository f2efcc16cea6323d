package dev.cambium.bench.fire;

import dev.cambium.artifact.ArtifactStore;
import dev.cambium.artifact.ForwardingArtifactStore;
import dev.cambium.bench.fire.History.Fault;
import dev.cambium.bench.fire.History.Trouble;
import dev.cambium.ledger.Connector;
import dev.cambium.ledger.ForwardingConnector;
import dev.cambium.loop.action.ActionFailedException;
import dev.cambium.loop.action.WorkerLostException;
import dev.cambium.model.Digest;
import dev.cambium.model.Progress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * All writes of one process pass through here, are counted, and meet the faults of its command. A
 * process that was killed writes nothing more, whatever its code still tries.
 */
final class Port {

  /** A write. */
  @FunctionalInterface
  private interface Write<T> {
    T run() throws SQLException, IOException;
  }

  private final List<Fault> faults;
  private final Consumer<Fault> outside;
  private int writes;
  private boolean dead;
  private boolean readersFail;
  private boolean injected;

  /**
   * @param outside carries out what is not this process's: another's command, the clock
   */
  Port(List<Fault> faults, Consumer<Fault> outside) {
    this.faults = faults;
    this.outside = outside;
  }

  /** Whether the process was told of a failure that the simulation had made. */
  boolean injected() {
    return injected;
  }

  /** Puts this port between a ledger and its database. */
  Connector around(Connector real) {
    return new ForwardingConnector(real) {
      @Override
      public Connection writer() throws SQLException {
        return guarded(real.writer(), true);
      }

      @Override
      public Connection reader() throws SQLException {
        return guarded(real.reader(), false);
      }

      @Override
      public void commit(Connection writer) throws SQLException {
        try {
          write(
              () -> {
                real.commit(writer);
                return 0;
              },
              "database",
              true);
        } catch (IOException e) {
          throw new AssertionError(e);
        }
      }
    };
  }

  private Connection guarded(Connection real, boolean writer) {
    return (Connection)
        Proxy.newProxyInstance(
            Connection.class.getClassLoader(),
            new Class<?>[] {Connection.class},
            (proxy, method, arguments) -> {
              Write<Object> call = () -> invoke(method, real, arguments);
              boolean begins =
                  method.getName().equals("setAutoCommit") && Boolean.FALSE.equals(arguments[0]);
              if (!writer) {
                if (begins && readersFail) {
                  readersFail = false;
                  throw new SQLException("the database went away");
                }
                return call.run();
              }
              return begins ? write(call, "database", false) : call.run();
            });
  }

  private static Object invoke(java.lang.reflect.Method method, Connection real, Object[] arguments)
      throws SQLException {
    try {
      return method.invoke(real, arguments);
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof SQLException failure) {
        throw failure;
      }
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      throw new IllegalStateException(e.getCause());
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Puts this port in front of a store. */
  ArtifactStore around(ArtifactStore real) {
    return new ForwardingArtifactStore(real) {
      @Override
      public Digest put(byte[] bytes) {
        return stored(() -> real.put(bytes));
      }

      @Override
      public Digest put(Path file) {
        return stored(() -> real.put(file));
      }

      @Override
      public Collected collect(Supplier<Set<Digest>> reachable, Duration grace) {
        try {
          return write(() -> real.collect(reachable, grace), "store", true);
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        } catch (SQLException e) {
          throw new AssertionError(e);
        }
      }
    };
  }

  private Digest stored(Write<Digest> put) {
    try {
      return write(put, "store", true);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot store: " + e.getMessage(), e);
    } catch (SQLException e) {
      throw new AssertionError(e);
    }
  }

  /** A trainer whose jobs pass through here. */
  TableTrainer trainer() {
    return new TableTrainer() {
      @Override
      public void execute(Path directory, Progress progress) {
        Fault fault = fault();
        try {
          if (fault != null && fault.trouble() == Trouble.HANG) {
            carryOut(directory, directory.resolve("out"));
            Files.createDirectories(directory.resolve("out/version"));
            Files.writeString(directory.resolve("out/version/half"), "half a fi");
            throw killed();
          }
          write(
              () -> {
                super.execute(directory, progress);
                return 0;
              },
              "worker",
              true,
              fault);
        } catch (IOException e) {
          if (fault != null && fault.trouble() == Trouble.FAIL) {
            throw new ActionFailedException("the worker failed: " + e.getMessage(), e);
          }
          throw new WorkerLostException("the worker was lost: " + e.getMessage(), e);
        } catch (SQLException e) {
          throw new AssertionError(e);
        }
      }
    };
  }

  private <T> T write(Write<T> write, String what, boolean settles)
      throws SQLException, IOException {
    return write(write, what, settles, fault());
  }

  /**
   * @param settles whether something is done when it is; the beginning of a transaction is nothing
   */
  private <T> T write(Write<T> write, String what, boolean settles, @Nullable Fault fault)
      throws SQLException, IOException {
    if (fault == null) {
      return write.run();
    }
    switch (fault.trouble()) {
      case CRASH_BEFORE, HANG -> throw killed();
      case CRASH_AFTER -> {
        write.run();
        throw killed();
      }
      case FAIL -> {
        injected = true;
        throw failure(what, "disk I/O error");
      }
      case REPLY_LOST, OUTCOME_UNKNOWN -> {
        injected = true;
        if (settles) {
          write.run();
          readersFail = what.equals("database") && fault.trouble() == Trouble.OUTCOME_UNKNOWN;
        }
        throw failure(what, "connection reset");
      }
      case DUPLICATE -> {
        if (settles && !what.equals("database")) {
          write.run();
        }
        return write.run();
      }
      case INTERLEAVE, CLOCK_BACK, CLOCK_FORWARD -> {
        // Within a transaction another writer would only wait for its end.
        if (!(settles && what.equals("database"))) {
          outside.accept(fault);
        }
        return write.run();
      }
    }
    throw new AssertionError(fault);
  }

  /** Throws what a failing database or disk does; declared to return, so that callers end there. */
  private static AssertionError failure(String what, String message)
      throws SQLException, IOException {
    if (what.equals("database")) {
      throw new SQLException(message);
    }
    throw new IOException(message);
  }

  private @Nullable Fault fault() {
    if (dead) {
      throw new Killed();
    }
    int at = writes++;
    return faults.stream().filter(f -> f.at() == at).findFirst().orElse(null);
  }

  private Killed killed() {
    dead = true;
    return new Killed();
  }
}
