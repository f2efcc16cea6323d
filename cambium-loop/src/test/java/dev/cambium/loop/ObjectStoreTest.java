package dev.cambium.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.adobe.testing.s3mock.S3MockApplication;
import dev.cambium.artifact.ArtifactAddress;
import dev.cambium.artifact.DirectoryTree;
import dev.cambium.ledger.Ledger;
import dev.cambium.loop.campaign.Approver;
import dev.cambium.loop.declaration.Declaration;
import dev.cambium.model.Channel;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Progress;
import dev.cambium.model.VersionRef;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;

/** A whole ecosystem whose artifacts lie in an object store, and the way there and back. */
class ObjectStoreTest {

  private static final String KEY = "AKIATESTKEY";
  private static final String SECRET = "of the test";
  private static final String ADDRESS = "s3://fleets/town";
  private static S3MockApplication server;
  private static Map<String, String> environment;

  @TempDir static Path root;
  @TempDir Path temp;

  @BeforeAll
  static void start() {
    Map<String, Object> properties = new HashMap<>();
    properties.put(S3MockApplication.PROP_HTTP_PORT, 0);
    properties.put(S3MockApplication.PROP_HTTPS_PORT, 0);
    properties.put(S3MockApplication.PROP_SILENT, true);
    properties.put("com.adobe.testing.s3mock.store.root", root.toString());
    properties.put("logging.level.root", "WARN");
    server = S3MockApplication.start(properties);
    String endpoint = "http://localhost:" + server.getHttpPort();
    environment =
        Map.of(
            "AWS_ACCESS_KEY_ID",
            KEY,
            "AWS_SECRET_ACCESS_KEY",
            SECRET,
            "AWS_ENDPOINT_URL_S3",
            endpoint);
    try (S3Client client =
        S3Client.builder()
            .region(Region.US_EAST_1)
            .endpointOverride(URI.create(endpoint))
            .forcePathStyle(true)
            .credentialsProvider(
                StaticCredentialsProvider.create(AwsBasicCredentials.create(KEY, SECRET)))
            .httpClient(UrlConnectionHttpClient.create())
            .build()) {
      client.createBucket(request -> request.bucket("fleets"));
    }
  }

  @AfterAll
  static void stop() {
    server.stop();
  }

  /** Opens the ecosystem as a process would whose environment has the store's keys. */
  private static Cambium open(Town town) {
    Path home = town.directory.resolve(Cambium.HOME);
    return Cambium.over(
        town.directory,
        "tester",
        InstantSource.system(),
        Ledger.open(town.directory, InstantSource.system()),
        ArtifactAddress.of(Declaration.artifacts(town.directory), environment).open(home),
        () -> town.memorizer);
  }

  private static Cambium.ArtifactsMoved move(Town town, String to, Progress progress) {
    return Cambium.moveArtifacts(town.directory, to, environment, InstantSource.system(), progress);
  }

  @Test
  void aFleetLivesInAnObjectStoreAndMovesBack() throws IOException {
    Town town = new Town(temp.resolve("town"));
    Path home = town.directory.resolve(Cambium.HOME);
    town.create().close();
    Cambium.ArtifactsMoved there = move(town, ADDRESS, Progress.NONE);
    assertThat(there.moved().copied()).isEqualTo(there.moved().objects()).isGreaterThan(5);
    assertThat(Declaration.artifacts(town.directory)).isEqualTo(Optional.of(ADDRESS));
    assertThatIllegalArgumentException().isThrownBy(() -> move(town, ADDRESS, Progress.NONE));
    DirectoryTree.delete(home.resolve("objects"));

    SortedMap<String, Digest> stable;
    try (Cambium cambium = open(town)) {
      town.found(cambium);
      assertThat(cambium.run(Approver.ALWAYS, Progress.NONE).outcome())
          .isEqualTo(Fact.CampaignOutcome.RELEASED);
    }
    // Another machine, that has nothing near.
    DirectoryTree.delete(home.resolve("objects-near"));
    DirectoryTree.delete(home.resolve("cache"));
    try (Cambium cambium = open(town)) {
      cambium.signalData(
          town.rows("more", Town.rows("card", Town.ITEMS, "yes")), "cards", false, true, "more");
      cambium.run(Approver.ALWAYS, Progress.NONE);
      stable = Town.stable(cambium);
      assertThat(stable.keySet()).containsExactly("base", "cards", "desk", "loans", "router");
      assertThat(cambium.gc().deleted()).isEmpty();
      assertThat(cambium.verify(Progress.NONE).findings()).isEmpty();
      assertThat(cambium.reach().missing()).isEmpty();
      VersionRef cards = cambium.state().channel("cards", Channel.STABLE).orElseThrow();
      assertThat(cambium.export(cards, temp.resolve("exported")).files())
          .isNotEmpty()
          .allSatisfy(
              exported ->
                  assertThat(temp.resolve("exported").resolve(exported.path())).isNotEmptyFile());
    }
    assertThat(home.resolve("objects")).doesNotExist();

    // Killed on the way back, it is where it was, and the same again goes on.
    for (int at = 0; at < 20; at += 6) {
      int kill = at;
      assertThatThrownBy(
              () ->
                  move(
                      town,
                      ArtifactAddress.LOCAL,
                      (task, done, total, note) -> {
                        if (done == kill) {
                          throw new IllegalStateException("killed");
                        }
                      }))
          .hasMessage("killed");
      assertThat(Declaration.artifacts(town.directory)).isEqualTo(Optional.of(ADDRESS));
    }
    int[] passes = {0};
    assertThatThrownBy(
            () ->
                move(
                    town,
                    ArtifactAddress.LOCAL,
                    (task, done, total, note) -> {
                      if (done == 0 && ++passes[0] == 2) {
                        throw new IllegalStateException("killed");
                      }
                    }))
        .hasMessage("killed");
    assertThat(Declaration.artifacts(town.directory))
        .as("the second pass is after the switch")
        .isEqualTo(Optional.of(ArtifactAddress.LOCAL));
    Cambium.ArtifactsMoved back = move(town, ArtifactAddress.LOCAL, Progress.NONE);
    assertThat(back.from()).hasToString(ADDRESS);
    assertThat(back.moved().copied()).isZero();
    assertThat(home.resolve("artifacts-moved")).doesNotExist();
    try (Cambium cambium = town.open()) {
      assertThat(cambium.verify(Progress.NONE).findings()).isEmpty();
      assertThat(Town.stable(cambium)).isEqualTo(stable);
    }
  }

  /** Who had the ecosystem open while its artifacts were moved does not record what it put. */
  @Test
  void whatWasPutIntoTheOldStoreIsNotRecorded() throws IOException {
    Town town = new Town(temp.resolve("town"));
    try (Cambium open = town.create()) {
      Cambium.moveArtifacts(
          town.directory, "s3://fleets/other", environment, InstantSource.system(), Progress.NONE);
      long records = open.state().size();
      assertThatIllegalArgumentException()
          .isThrownBy(() -> town.found(open))
          .withMessageContaining("s3://fleets/other");
      assertThat(open.state().size()).isEqualTo(records);
    }
  }
}
