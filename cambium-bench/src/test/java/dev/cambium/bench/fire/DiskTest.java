package dev.cambium.bench.fire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.cambium.artifact.DirectoryTree;
import dev.cambium.artifact.MissingArtifactException;
import dev.cambium.ledger.LedgerException;
import dev.cambium.loop.Cambium;
import dev.cambium.loop.campaign.Approver;
import dev.cambium.model.Channel;
import dev.cambium.model.Fact;
import dev.cambium.model.Progress;
import dev.cambium.model.VersionRef;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Disks that are full, read-only, or lose a file while a process works on it. */
class DiskTest {

  @TempDir static Path directory;
  private static Fleet fleet;

  @BeforeAll
  static void found() throws IOException {
    fleet = Fleet.found(directory.resolve("template"));
  }

  private static Cambium open(Path ecosystem) {
    return Cambium.open(ecosystem, "tester", InstantSource.system(), TableTrainer::new);
  }

  private static boolean sh(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getInputStream().readAllBytes();
    return process.waitFor() == 0;
  }

  /** A small disk of its own, where the system lets us have one. */
  private interface OnDisk {
    void run(Path disk) throws IOException, InterruptedException;
  }

  private static void onSmallDisk(OnDisk test) throws IOException, InterruptedException {
    Path disk = Files.createDirectories(directory.resolve("disk"));
    assumeTrue(
        Files.isExecutable(Path.of("/bin/mount"))
            && sh("mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", disk.toString()),
        "needs the right to mount a small tmpfs");
    try {
      test.run(disk);
    } finally {
      assertThat(sh("umount", disk.toString())).isTrue();
    }
  }

  /** Writes until nothing fits, and takes some bytes back. */
  private static Path fill(Path disk, int leave) throws IOException {
    Path filler = disk.resolve("filler");
    long written = 0;
    try (OutputStream out = Files.newOutputStream(filler)) {
      byte[] page = new byte[4096];
      while (true) {
        out.write(page);
        written += page.length;
      }
    } catch (IOException full) {
      try (var channel =
          java.nio.channels.FileChannel.open(filler, java.nio.file.StandardOpenOption.WRITE)) {
        channel.truncate(Math.max(0, written - leave));
      }
    }
    return filler;
  }

  @Test
  void aFullDiskIsNamedAndNothingIsLostByIt() throws IOException, InterruptedException {
    onSmallDisk(
        disk -> {
          for (int leave = 0; leave <= 160 * 1024; leave += 32 * 1024) {
            Path ecosystem = fleet.copy(disk.resolve("fleet"));
            List<?> before;
            try (Cambium cambium = open(ecosystem)) {
              cambium.signalData(Fleet.data(ecosystem, "cards", "0"), "cards", false, false, "");
              before = cambium.state().records(0, 1000);
              Path filler = fill(disk, leave);
              assertThatThrownBy(
                      () -> {
                        for (int i = 0; i < 100; i++) { // until it is full
                          cambium.run(Approver.ALWAYS, Progress.NONE);
                          cambium.signalData(
                              Fleet.data(ecosystem, "loans", "" + i % 3),
                              "loans",
                              false,
                              false,
                              "");
                        }
                      })
                  .isInstanceOfAny(LedgerException.class, UncheckedIOException.class)
                  .hasMessageMatching("(?s).*(No space left on device|disk is full|disk I/O).*");
              assertThat(cambium.state().records(0, before.size())).isEqualTo(before);
              Files.delete(filler);
              cambium.signalData(Fleet.data(ecosystem, "loans", "0"), "loans", false, false, "");
              while (cambium.run(Approver.ALWAYS, Progress.NONE).campaign() != null) {
                assertThat(cambium.state().openCampaign()).isEmpty();
              }
              assertThat(cambium.state().channel("cards", Channel.STABLE))
                  .contains(new VersionRef("cards", 2));
            }
            try (Cambium cambium = open(ecosystem)) {
              assertThat(Invariants.check(cambium, List.of())).isEmpty();
            }
            DirectoryTree.delete(ecosystem);
          }
        });
  }

  @Test
  void aReadOnlyDiskRefusesWhatWouldWrite() throws IOException, InterruptedException {
    onSmallDisk(
        disk -> {
          Path ecosystem = fleet.copy(disk.resolve("fleet"));
          assertThat(sh("mount", "-o", "remount,ro", disk.toString())).isTrue();
          assertThatThrownBy(
                  () -> {
                    try (Cambium cambium = open(ecosystem)) {
                      cambium.signalData(
                          Fleet.data(ecosystem, "cards", "0"), "cards", false, false, "");
                    }
                  })
              .isInstanceOfAny(LedgerException.class, UncheckedIOException.class)
              .hasMessageMatching("(?is).*(read-only|readonly|unable to open).*");
          assertThat(sh("mount", "-o", "remount,rw", disk.toString())).isTrue();
          try (Cambium cambium = open(ecosystem)) {
            assertThat(Invariants.check(cambium, List.of())).isEmpty();
          }
        });
  }

  @Test
  void aDatabaseThatIsRemovedUnderAProcessTakesNoMoreWrites() throws IOException {
    Path ecosystem = fleet.copy(directory.resolve("removed"));
    Path database = ecosystem.resolve(".cambium/ledger.db");
    Path elsewhere = ecosystem.resolve("elsewhere.db");
    try (Cambium cambium = open(ecosystem)) {
      cambium.signalData(Fleet.data(ecosystem, "cards", "0"), "cards", false, false, "");
      long size = cambium.state().size();
      Files.move(database, elsewhere);
      assertThatThrownBy(
              () ->
                  cambium.signalData(
                      Fleet.data(ecosystem, "cards", "1"), "cards", false, false, ""))
          .isInstanceOf(LedgerException.class)
          .hasMessageContaining("nothing was recorded")
          .hasMessageContaining("was removed");
      assertThat(database).as("no empty one is made in its place").doesNotExist();
      Files.move(elsewhere, database);
      cambium.signalData(Fleet.data(ecosystem, "cards", "1"), "cards", false, false, "");
      assertThat(cambium.state().size()).isEqualTo(size + 1);
      assertThat(Invariants.check(cambium, List.of())).isEmpty();
    }
  }

  @Test
  void anObjectThatIsRemovedUnderAProcessIsNamed() throws IOException {
    Path ecosystem = fleet.copy(directory.resolve("object"));
    try (Cambium cambium = open(ecosystem)) {
      Cambium.DataTaken taken =
          cambium.signalData(Fleet.data(ecosystem, "cards", "0"), "cards", false, false, "");
      Fact.SignalReceived signal =
          cambium.state().signal(taken.signal()).orElseThrow().received().fact();
      cambium.store().delete(signal.train());
      assertThatThrownBy(() -> cambium.run(Approver.ALWAYS, Progress.NONE))
          .isInstanceOf(MissingArtifactException.class)
          .hasMessageContaining(signal.train().hex().substring(2));
      cambium.store().put(Files.readAllBytes(Fleet.data(ecosystem, "cards", "0")));
      assertThat(cambium.verify(Progress.NONE).findings())
          .anyMatch(f -> f.found().contains("no such object"));
    }
  }
}
