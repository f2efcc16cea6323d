package dev.cambium.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cambium.model.Fact;
import dev.cambium.model.Record;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Threads that append while another's commit is under way: one more commit writes them all. */
abstract class SharedCommitContract {

  /** The kind of database under test. */
  abstract TestStore stores();

  /** An append in a thread of its own. */
  private record Appending(Thread thread, FutureTask<List<Record>> task) {
    Record record() throws Exception {
      return task.get().get(0);
    }

    Throwable failure() throws InterruptedException {
      try {
        throw new AssertionError("appended as " + task.get());
      } catch (ExecutionException e) {
        return e.getCause();
      }
    }
  }

  @TempDir Path directory;
  private final AtomicInteger commits = new AtomicInteger();
  private final CountDownLatch firstCommits = new CountDownLatch(1);
  private final CountDownLatch goOn = new CountDownLatch(1);
  private FailingConnector database;
  private Ledger ledger;

  @BeforeEach
  void create() {
    stores().create(directory, InstantSource.system()).close();
    ledger =
        Ledger.open(
            directory,
            stores().address(directory),
            InstantSource.system(),
            real -> {
              database = new HeldConnector(real);
              return database;
            });
  }

  @AfterEach
  void close() {
    ledger.close();
  }

  /** The first commit waits for the test, and is good. */
  private final class HeldConnector extends FailingConnector {
    HeldConnector(Connector real) {
      super(real);
    }

    @Override
    public void commit(Connection writer) throws SQLException {
      if (commits.incrementAndGet() > 1) {
        super.commit(writer);
        return;
      }
      firstCommits.countDown();
      try {
        goOn.await();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
      commitWell(writer);
    }
  }

  private Appending start(int action, Precondition... preconditions) {
    FutureTask<List<Record>> task =
        new FutureTask<>(
            () -> ledger.append("test", List.of(finished(action)), List.of(preconditions)));
    Thread thread = new Thread(task);
    thread.setDaemon(true);
    thread.start();
    return new Appending(thread, task);
  }

  private static Fact finished(int action) {
    return History.finished(History.artifact("action " + action));
  }

  /** Begins a first append, and leaves it in the middle of its commit. */
  private Appending hold() throws InterruptedException {
    Appending first = start(0);
    firstCommits.await();
    return first;
  }

  /** Lets the first commit end once these have come up to it. */
  private void release(List<Appending> waiting) throws InterruptedException {
    for (Appending appending : waiting) {
      awaitCommit(appending);
    }
    goOn.countDown();
  }

  /** Returns once an append waits for the commit that is under way. */
  private static void awaitCommit(Appending appending) throws InterruptedException {
    while (appending.thread().getState() != Thread.State.WAITING) {
      assertThat(appending.thread().isAlive()).as("waits for the commit").isTrue();
      Thread.sleep(1);
    }
  }

  /** Two appends that come up during a first commit, which is good, and share the next. */
  private List<Appending> shareOneThatFails(FailingConnector.Failure how) throws Exception {
    database.failure = how;
    Appending first = hold();
    List<Appending> others = List.of(start(1), start(2));
    release(others);
    first.record();
    return others;
  }

  private void assertIntact(long size) {
    assertThat(ledger.state().size()).isEqualTo(size);
    assertThat(ledger.verify(ArtifactCheck.NONE).findings()).isEmpty();
  }

  @Test
  void theyShareOneCommitAndItsCheckpoint() throws Exception {
    Appending first = hold();
    List<Appending> others = IntStream.rangeClosed(1, 5).mapToObj(this::start).toList();
    release(others);
    assertThat(first.record().index()).isZero();
    List<Long> indices = new ArrayList<>();
    for (int i = 0; i < others.size(); i++) {
      Record record = others.get(i).record();
      assertThat(record.fact()).isEqualTo(finished(i + 1));
      indices.add(record.index());
    }
    assertThat(indices).containsExactlyInAnyOrder(1L, 2L, 3L, 4L, 5L);
    assertThat(commits).hasValue(2);
    assertThat(ledger.state().checkpoint(1)).isPresent();
    assertThat(ledger.state().checkpoint(5)).isEmpty();
    assertThat(ledger.state().checkpoint(6)).isPresent();
    assertIntact(6);
  }

  @Test
  void whoIsRefusedIsRefusedAlone() throws Exception {
    Appending first = hold();
    List<Appending> others =
        List.of(
            start(1),
            start(0),
            start(2, new Precondition.LogSize(0)),
            start(
                3,
                new Precondition.ArtifactsRenewed(
                    List.of(History.artifact("gone")),
                    digest -> {
                      throw new IllegalStateException("the store does not answer");
                    })),
            start(4));
    release(others);
    first.record();
    others.get(0).record();
    others.get(4).record();
    assertThat(others.get(1).failure())
        .isInstanceOf(InvalidFactException.class)
        .hasMessageContaining("is recorded as finished already");
    assertThat(others.get(2).failure())
        .isInstanceOf(ConflictException.class)
        .hasMessageContaining("expected 0 records");
    assertThat(others.get(3).failure())
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("the store does not answer");
    assertIntact(3);
  }

  @Test
  void whoComesLaterSeesWhatTheOneBeforeWrote() throws Exception {
    Appending first = hold();
    Precondition one = new Precondition.LogSize(1);
    Precondition two = new Precondition.LogSize(2);
    Appending second = start(1, one);
    awaitCommit(second);
    Appending third = start(2, two, new Precondition.ActionAbsent(History.artifact("action 3")));
    release(List.of(third));
    first.record();
    assertThat(second.record().index()).isEqualTo(1);
    assertThat(third.record().index()).isEqualTo(2);
    assertThat(commits).hasValue(2);
    assertIntact(3);
  }

  @Test
  void aSharedCommitThatFailsIsToldToAll() throws Exception {
    for (Appending other : shareOneThatFails(FailingConnector.Failure.BEFORE_COMMIT)) {
      assertThat(other.failure())
          .isExactlyInstanceOf(LedgerException.class)
          .hasMessageContaining("nothing was recorded")
          .hasMessageContaining("disk I/O error");
    }
    database.failure = FailingConnector.Failure.NONE;
    assertThat(ledger.append("test", List.of(finished(1)), List.of()).get(0).index()).isOne();
    assertIntact(2);
  }

  @Test
  void aLostReplyIsSettledForAll() throws Exception {
    for (Appending other : shareOneThatFails(FailingConnector.Failure.AFTER_COMMIT)) {
      other.record();
    }
    database.failure = FailingConnector.Failure.NONE;
    assertIntact(3);
  }

  @Test
  void anOutcomeThatNobodyCanTellIsUnknownToAll() throws Exception {
    database.vanishes = true;
    for (Appending other : shareOneThatFails(FailingConnector.Failure.AFTER_COMMIT)) {
      assertThat(other.failure())
          .isInstanceOf(UnknownOutcomeException.class)
          .hasMessageContaining("records 1 to 2");
    }
    database.unreachable = false;
    database.failure = FailingConnector.Failure.NONE;
    assertIntact(3);
  }

  @Test
  void manyThreadsGetEveryRecordInOnce() throws Exception {
    goOn.countDown();
    int threads = 8;
    int each = 25;
    List<FutureTask<List<Record>>> tasks = new ArrayList<>();
    for (int t = 0; t < threads; t++) {
      int from = t * each;
      FutureTask<List<Record>> task =
          new FutureTask<>(
              () -> {
                List<Record> own = new ArrayList<>();
                for (int i = from; i < from + each; i++) {
                  own.addAll(ledger.append("test", List.of(finished(i)), List.of()));
                }
                return own;
              });
      tasks.add(task);
      new Thread(task).start();
    }
    List<Record> all = new ArrayList<>();
    for (FutureTask<List<Record>> task : tasks) {
      all.addAll(task.get());
    }
    assertThat(all.stream().map(Record::index).distinct()).hasSize(threads * each);
    for (Record record : all) {
      assertThat(ledger.state().record(record.index())).contains(record);
    }
    assertIntact(threads * each);
  }
}
