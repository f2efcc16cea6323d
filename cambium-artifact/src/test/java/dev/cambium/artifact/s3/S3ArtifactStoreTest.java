package dev.cambium.artifact.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.artifact.ArtifactStore;
import dev.cambium.artifact.ArtifactStoreContract;
import dev.cambium.artifact.GarbageHistory;
import dev.cambium.model.Digest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.S3Object;

class S3ArtifactStoreTest extends ArtifactStoreContract {

  /** The smallest part that the API takes, but for the last. */
  private static final int PART = 5 << 20;

  @TempDir Path directory;
  private final S3Server server = S3Server.shared();
  private final String address = server.freshAddress();
  private S3Settings settings;
  private S3ArtifactStore store;
  private S3Client client;

  @BeforeEach
  void openStore() {
    settings = server.settings(address);
    store = S3ArtifactStore.open(settings, PART, InstantSource.system(), S3Object::lastModified);
    client = server.client();
  }

  @AfterEach
  void closeClient() {
    client.close();
  }

  @Override
  protected ArtifactStore store() {
    return store;
  }

  @Override
  protected void corrupt(Digest digest, byte[] bytes) {
    for (S3Object copy : copies(digest)) {
      client.putObject(
          request -> request.bucket(settings.bucket()).key(copy.key()),
          RequestBody.fromBytes(bytes));
    }
  }

  @Override
  protected int rounds() {
    return 6;
  }

  private List<S3Object> copies(Digest digest) {
    String folder = "sha256/" + digest.hex().substring(0, 2) + "/" + digest.hex().substring(2);
    return client
        .listObjectsV2(
            request -> request.bucket(settings.bucket()).prefix(settings.prefix() + folder))
        .contents();
  }

  private Path large(int seed, int bytes) throws IOException {
    byte[] content = new byte[bytes];
    new Random(seed).nextBytes(content);
    return Files.write(directory.resolve("large-" + seed), content);
  }

  @Test
  void aLargeFileGoesInParts() throws IOException {
    Path file = large(1, 2 * PART + 12_345);
    Digest digest = store.put(file);
    assertThat(digest).isEqualTo(Digest.of(Files.readAllBytes(file)));
    assertThat(store.size(digest)).isEqualTo(2 * PART + 12_345);
    store.verify(digest);
    Path copy = directory.resolve("copy");
    store.materialize(digest, copy);
    assertThat(copy).hasSameBinaryContentAs(file);
    assertThat(store.put(file)).isEqualTo(digest);
    assertThat(copies(digest)).as("what is there is not sent again").hasSize(1);

    corrupt(digest, new byte[] {1, 2, 3});
    store.put(file);
    store.verify(digest);
  }

  @Test
  void whatIsThereIsNotSentAgain() {
    Digest digest = store.put("once".getBytes());
    store.put("once".getBytes());
    assertThat(copies(digest)).hasSize(1);
  }

  /** A process that is killed in the middle of an upload. */
  static final class Uploader {
    public static void main(String[] args) throws Exception {
      Map<String, String> environment =
          Map.of(
              "AWS_ACCESS_KEY_ID",
              S3Server.KEY,
              "AWS_SECRET_ACCESS_KEY",
              S3Server.SECRET,
              "AWS_ENDPOINT_URL_S3",
              args[1]);
      S3ArtifactStore store =
          S3ArtifactStore.open(
              S3Settings.of(args[0], environment),
              PART,
              InstantSource.system(),
              S3Object::lastModified);
      System.out.println("begins");
      store.put(Path.of(args[2]));
    }
  }

  @Test
  void anUploadThatIsKilledLeavesNothingToBeSeen() throws Exception {
    Path file = large(2, 6 * PART);
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                Uploader.class.getName(),
                address,
                server.environment().get("AWS_ENDPOINT_URL_S3"),
                file.toString())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    try {
      assertThat(process.inputReader().readLine()).isEqualTo("begins");
      while (process.isAlive() && partsSent() < 2) {
        Thread.onSpinWait();
      }
    } finally {
      process.destroyForcibly();
    }
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    Digest digest = Digest.of(Files.readAllBytes(file));
    assertThat(partsSent()).as("killed in the middle").isBetween(2, 5);
    assertThat(store.has(digest)).isFalse();
    assertThat(store.list()).isEmpty();
    assertThat(store.put(file)).isEqualTo(digest);
    store.verify(digest);
  }

  private int partsSent() {
    return client
        .listMultipartUploads(
            request -> request.bucket(settings.bucket()).prefix(settings.prefix()))
        .uploads()
        .stream()
        .mapToInt(
            upload ->
                client
                    .listParts(
                        request ->
                            request
                                .bucket(settings.bucket())
                                .key(upload.key())
                                .uploadId(upload.uploadId()))
                    .parts()
                    .size())
        .sum();
  }

  /** Garbage collection beside writers; see {@link GarbageHistory}. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void nothingThatARecordNamesIsEverTaken(int seed) throws Exception {
    GarbageHistory history = new GarbageHistory(seed, 3, 6);
    // The server's clock cannot be set: what it wrote is as old as when it was first seen.
    Map<String, Duration> seen = new ConcurrentHashMap<>();
    history.run(
        S3ArtifactStore.open(
            server.settings(server.freshAddress()),
            PART,
            history,
            object ->
                object
                    .lastModified()
                    .plus(seen.computeIfAbsent(object.key(), key -> history.passed()))));
  }

  @Test
  void superfluousCopiesAreTakenOnceTheyAreOld() {
    AtomicLong passed = new AtomicLong();
    S3ArtifactStore later =
        S3ArtifactStore.open(
            settings, PART, () -> Instant.now().plusSeconds(passed.get()), S3Object::lastModified);
    Digest digest = later.put("again and again".getBytes());
    for (int i = 0; i < 2; i++) {
      passed.addAndGet(7200);
      later.put("again and again".getBytes());
    }
    assertThat(copies(digest)).as("an old copy is not relied on").hasSize(3);
    passed.addAndGet(7200);
    ArtifactStore.Collected collected = later.collect(() -> Set.of(digest), Duration.ofHours(1));
    assertThat(collected.deleted()).isEmpty();
    assertThat(collected.reachable()).isEqualTo(1);
    assertThat(copies(digest)).hasSize(1);
    later.verify(digest);
  }

  @Test
  void anAddressIsCheckedAndNoKeyIsEverSaid() {
    for (String wrong :
        List.of(
            "s3://",
            "s3://UPPER/x",
            "s3://AKIA:hunter2@bucket/x",
            "s3://bucket/a//b",
            "s3://bucket/a?key=hunter2")) {
      assertThatThrownBy(() -> S3Settings.of(wrong, server.environment()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("AWS_SECRET_ACCESS_KEY")
          .message()
          .doesNotContain("hunter2");
    }
    assertThatThrownBy(() -> S3Settings.of("s3://bucket/x", Map.of("AWS_ACCESS_KEY_ID", "k")))
        .hasMessageContaining("AWS_SECRET_ACCESS_KEY is not set");
    assertThat(settings.toString()).isEqualTo(address + "/");
    assertThatThrownBy(() -> S3ArtifactStore.open(server.settings("s3://no-such-bucket/x")))
        .isInstanceOf(java.io.UncheckedIOException.class)
        .hasMessageContaining("s3://no-such-bucket/x")
        .message()
        .doesNotContain(S3Server.SECRET)
        .doesNotContain(S3Server.KEY);
  }
}
