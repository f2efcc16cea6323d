package dev.cambium.artifact.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cambium.model.Progress;
import java.io.IOException;
import java.net.ProxySelector;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

class HubTest {

  private static final String TOKEN = "hf_very-secret-token";
  private static final HubAddress ADDRESS = HubAddress.parse("hf://acme/tiny");

  @TempDir Path directory;
  private LoopbackHub hub;
  private final List<Duration> waits = new ArrayList<>();
  private final ListAppender<ILoggingEvent> log = new ListAppender<>();

  @BeforeEach
  void start() throws IOException {
    hub = new LoopbackHub().withModel();
    log.start();
    Logger logger = (Logger) LoggerFactory.getLogger("dev.cambium.artifact.hub");
    logger.setLevel(Level.ALL);
    logger.setAdditive(false);
    logger.addAppender(log);
  }

  @AfterEach
  void stop() {
    ((Logger) LoggerFactory.getLogger("dev.cambium.artifact.hub")).detachAppender(log);
    hub.close();
    assertThat(log.list)
        .extracting(ILoggingEvent::getFormattedMessage)
        .noneMatch(message -> message.contains(TOKEN) || message.contains("secret-signature"));
  }

  private Hub.Fetched fetch(Map<String, String> more) throws IOException {
    Map<String, String> environment = new HashMap<>(Map.of("HF_ENDPOINT", hub.endpoint()));
    environment.putAll(more);
    return Hub.of(environment, waits::add).fetch(ADDRESS, directory, Progress.NONE);
  }

  private Hub.Fetched fetch() throws IOException {
    return fetch(Map.of());
  }

  private void refused(String... words) {
    assertThatThrownBy(this::fetch).isInstanceOf(HubException.class).hasMessageContainingAll(words);
  }

  // ---- what is fetched --------------------------------------------------------------------------

  @Test
  void fetchesWeightsJsonAndTextOfOneCommitAndNothingElse() throws IOException {
    List<Long> told = new ArrayList<>();
    Hub.Fetched fetched =
        Hub.of(Map.of("HF_ENDPOINT", hub.endpoint() + "/"), waits::add)
            .fetch(ADDRESS, directory, (task, done, total, note) -> told.add(done));
    assertThat(fetched.files())
        .containsExactlyInAnyOrder("config.json", "README.md", "model.safetensors");
    assertThat(fetched.directory()).isDirectoryContaining("glob:**model.safetensors");
    for (String name : fetched.files()) {
      assertThat(Files.readAllBytes(fetched.directory().resolve(name)))
          .isEqualTo(hub.small.containsKey(name) ? hub.small.get(name) : hub.large.get(name));
    }
    assertThat(fetched.origin()).contains("hf://acme/tiny@" + LoopbackHub.COMMIT, hub.endpoint());
    assertThat(hub.asked)
        .extracting(LoopbackHub.Asked::path)
        .noneMatch(p -> p.matches(".*(\\.bin|\\.py|\\.model|events.json)"));
    assertThat(told).isSorted().isNotEmpty();
    assertThat(waits).isEmpty();

    int before = hub.asked.size();
    fetch();
    assertThat(hub.asked).as("only the listing is asked for again").hasSize(before + 1);
  }

  @Test
  void theTokenGoesToTheEndpointOnly() throws IOException {
    fetch(Map.of("HF_TOKEN", TOKEN));
    assertThat(hub.asked).filteredOn(LoopbackHub.Asked::network).hasSize(1);
    for (LoopbackHub.Asked asked : hub.asked) {
      assertThat(asked.authorization()).isEqualTo(asked.network() ? "null" : "Bearer " + TOKEN);
    }
  }

  @Test
  void takesTheShardsThatTheIndexNames() throws IOException {
    hub.large.put("a-1.safetensors", LoopbackHub.bytes(500, 3));
    hub.large.put("a-2.safetensors", LoopbackHub.bytes(600, 4));
    hub.large.put("consolidated.safetensors", LoopbackHub.bytes(1_100, 5));
    hub.large.remove("model.safetensors");
    hub.small.put(
        "model.safetensors.index.json",
        "{\"weight_map\":{\"x\":\"a-1.safetensors\",\"y\":\"a-2.safetensors\"}}"
            .getBytes(StandardCharsets.UTF_8));
    assertThat(fetch().files())
        .contains("a-1.safetensors", "a-2.safetensors", "model.safetensors.index.json")
        .doesNotContain("consolidated.safetensors");
    hub.large.remove("a-2.safetensors");
    refused("model.safetensors.index.json", "[a-2.safetensors]");
  }

  // ---- resuming ---------------------------------------------------------------------------------

  @Test
  void goesOnWhereAConnectionBroke() throws IOException {
    hub.troubles.add(LoopbackHub.breaksAfter(100_000));
    hub.troubles.add(LoopbackHub.answers(503, Map.of()));
    hub.troubles.add(LoopbackHub.breaksAfter(50_000));
    Path file = fetch().directory().resolve("model.safetensors");
    assertThat(Files.readAllBytes(file)).isEqualTo(hub.large.get("model.safetensors"));
    assertThat(ranges()).hasSize(4).startsWith("null");
    assertThat(starts()).as("each goes on, none past what was sent").isSorted();
    assertThat(starts().get(1)).isBetween(0, 100_000);
    assertThat(starts().get(3) - starts().get(2)).isBetween(0, 50_000);
    assertThat(waits).hasSize(3);
  }

  @Test
  void asksOnlyForWhatIsMissing() throws IOException {
    Path folder = directory.resolve("acme--tiny").resolve(LoopbackHub.COMMIT);
    Files.createDirectories(folder);
    byte[] whole = hub.large.get("model.safetensors");
    Files.write(folder.resolve("model.safetensors.part"), Arrays.copyOf(whole, 120_000));
    assertThat(fetch().directory().resolve("model.safetensors")).hasBinaryContent(whole);
    assertThat(ranges()).containsExactly("bytes=120000-");
  }

  @Test
  void whatWasKilledGoesOnLater() throws IOException {
    hub.troubles.add(LoopbackHub.breaksAfter(120_000));
    for (int i = 0; i < 10; i++) {
      hub.troubles.add(LoopbackHub.answers(500, Map.of()));
    }
    assertThatThrownBy(this::fetch)
        .isInstanceOf(IOException.class)
        .hasMessageContainingAll("answered 500", "given up", "goes on later")
        .hasMessageNotContaining("secret-signature");
    hub.troubles.clear();
    Path part =
        directory
            .resolve("acme--tiny")
            .resolve(LoopbackHub.COMMIT)
            .resolve("model.safetensors.part");
    // a connection that breaks may take bytes with it that were sent and not yet read
    long kept = Files.exists(part) ? Files.size(part) : 0;
    assertThat(kept).isLessThanOrEqualTo(120_000);
    int before = ranges().size();
    assertThat(fetch().directory().resolve("model.safetensors"))
        .hasBinaryContent(hub.large.get("model.safetensors"));
    assertThat(ranges().subList(before, ranges().size()))
        .containsExactly(kept == 0 ? "null" : "bytes=" + kept + "-");
  }

  @Test
  void beginsAnewWhereTheServerKnowsNoRangesOrThePartIsOfSomethingElse() throws IOException {
    Path folder = directory.resolve("acme--tiny").resolve(LoopbackHub.COMMIT);
    Files.createDirectories(folder);
    Path part = folder.resolve("model.safetensors.part");
    Files.write(part, new byte[1_000]);
    hub.ranges = false;
    assertThat(fetch().directory().resolve("model.safetensors"))
        .hasBinaryContent(hub.large.get("model.safetensors"));

    hub.ranges = true;
    for (int wrong : new int[] {1_000, 300_000, 400_000}) {
      Files.delete(folder.resolve("model.safetensors"));
      Files.write(part, new byte[wrong]);
      assertThat(fetch().directory().resolve("model.safetensors"))
          .as("a part of %d other bytes", wrong)
          .hasBinaryContent(hub.large.get("model.safetensors"));
    }
  }

  @Test
  void whatNobodyGoesOnWithIsSwept() throws IOException {
    Path folder = fetch().directory();
    Hub.sweep(directory, Instant.now().minusSeconds(3600));
    assertThat(folder).exists();
    Hub.sweep(directory, Instant.now().plusSeconds(3600));
    assertThat(directory).isEmptyDirectory();
    Hub.sweep(directory.resolve("none"), Instant.now());
  }

  /** The first byte that each request for the file asked for. */
  private List<Integer> starts() {
    return ranges().stream()
        .map(r -> r.equals("null") ? 0 : Integer.parseInt(r.replaceAll("\\D", "")))
        .toList();
  }

  private List<String> ranges() {
    return hub.asked.stream()
        .filter(LoopbackHub.Asked::network)
        .map(LoopbackHub.Asked::range)
        .toList();
  }

  // ---- what is not believed ---------------------------------------------------------------------

  @Test
  void otherBytesThanTheHubPromisesAreRefused() throws IOException {
    hub.troubles.add(LoopbackHub.lies());
    fetch(); // once may be an accident
    Files.delete(directory.resolve("acme--tiny/" + LoopbackHub.COMMIT + "/model.safetensors"));
    hub.troubles.add(LoopbackHub.lies());
    hub.troubles.add(LoopbackHub.lies());
    refused(
        "model.safetensors is not what the hub says it is",
        "expected sha256:" + LoopbackHub.sha256(hub.large.get("model.safetensors")),
        "found sha256:");
    assertThat(directory.resolve("acme--tiny/" + LoopbackHub.COMMIT))
        .isDirectoryNotContaining("glob:**model.safetensors*");
  }

  @Test
  void smallFilesAreCheckedToo() {
    hub.tamper = json -> sibling(json, "config.json").put("blobId", "0".repeat(40));
    refused("config.json is not what the hub says it is", "expected git:0000", "found git:");
  }

  @Test
  void withoutDigestsInTheListingThoseOfTheAnswersCount() throws IOException {
    hub.digests = false;
    fetch();
    Files.delete(directory.resolve("acme--tiny/" + LoopbackHub.COMMIT + "/model.safetensors"));
    hub.troubles.add(LoopbackHub.lies());
    hub.troubles.add(LoopbackHub.lies());
    refused("model.safetensors is not what the hub says it is");
  }

  @Test
  void aFileThatIsLongerThanListedIsRefused() {
    hub.tamper =
        json -> {
          ObjectNode one = sibling(json, "model.safetensors").put("size", 1_000);
          ((ObjectNode) one.get("lfs")).put("size", 1_000);
        };
    refused("model.safetensors is longer than the 1000 bytes");
  }

  @Test
  void aFileOfUnknownSizeIsNotFetched() {
    hub.tamper = json -> sibling(json, "model.safetensors").remove(List.of("size", "lfs"));
    refused("gives no size of model.safetensors");
  }

  private static ObjectNode sibling(ObjectNode json, String name) {
    for (var one : json.get("siblings")) {
      if (one.get("rfilename").asText().equals(name)) {
        return (ObjectNode) one;
      }
    }
    throw new AssertionError(name);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../evil.json",
        "a/../../evil.json",
        "/etc/evil.json",
        "a//b.json",
        "a\\b.json",
        "c:evil.json",
        "bell\u0007.json",
        "./x.json",
        "CONFIG.JSON",
        ""
      })
  void aListingThatLeadsElsewhereIsRefusedAsAWhole(String path) throws IOException {
    hub.tamper =
        json ->
            ((ArrayNode) json.get("siblings")).addObject().put("rfilename", path).put("size", 1);
    refused("hf://acme/tiny@main", "listing");
    assertThat(hub.asked).as("nothing but the listing was asked for").hasSize(1);
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void symbolicLinksAreRefusedThereAndHere() throws IOException {
    Consumer<ObjectNode> link = json -> sibling(json, "config.json").put("type", "symlink");
    hub.tamper = link;
    refused("config.json", "symbolic link");
    hub.tamper = json -> {};
    Path folder = Files.createDirectories(directory.resolve("acme--tiny/" + LoopbackHub.COMMIT));
    Path outside = Files.writeString(directory.resolve("outside"), "mine");
    Files.createSymbolicLink(folder.resolve("config.json.part"), outside);
    refused("symbolic link");
    assertThat(outside).hasContent("mine");
  }

  @Test
  void aRepositoryOfPicklesIsRefusedByName() {
    hub.large.remove("model.safetensors");
    refused("hf://acme/tiny", "pytorch_model.bin", "never");
    hub.large.clear();
    refused("no .safetensors file");
  }

  @Test
  void aFileWithoutAnyDigestIsNotTaken() {
    hub.digests = false;
    hub.tags = false;
    refused("names no digest", "cannot be checked");
    assertThat(FileDigest.ofTag("W/\"1234-abc\"")).isEmpty();
    assertThat(FileDigest.ofTag("\"" + "a".repeat(64) + "\"")).isPresent();
  }

  // ---- servers that say no, or wait -------------------------------------------------------------

  @ParameterizedTest
  @CsvSource({
    "401, '', does not exist; HF_TOKEN",
    "403, '', does not exist; HF_TOKEN",
    "403, GatedRepo, gated; terms; HF_TOKEN",
    "404, RepoNotFound, does not exist; ",
    "404, RevisionNotFound, no such revision; ",
    "400, '', answered 400; "
  })
  void aNoIsExplained(int status, String code, String words) {
    hub.listingTroubles.add(
        Map.entry(status, code.isEmpty() ? Map.of() : Map.of("X-Error-Code", code)));
    refused(Arrays.stream(words.split(";")).map(String::strip).toArray(String[]::new));
    assertThat(waits).isEmpty();
  }

  @Test
  void aTokenThatIsNotAcceptedIsNeverToldBack() {
    hub.listingTroubles.add(Map.entry(401, Map.of()));
    assertThatThrownBy(() -> fetch(Map.of("HF_TOKEN", TOKEN)))
        .hasMessageContaining("the token in HF_TOKEN")
        .hasMessageNotContaining(TOKEN);
    assertThatThrownBy(() -> fetch(Map.of("HF_TOKEN", "with\u00e9accent-secret")))
        .hasMessageContaining("HF_TOKEN")
        .hasMessageNotContaining("secret");
  }

  @Test
  void waitsAsLongAsTheServerAsks() throws IOException {
    hub.listingTroubles.add(Map.entry(429, Map.of("Retry-After", "7")));
    String date =
        DateTimeFormatter.RFC_1123_DATE_TIME.format(
            ZonedDateTime.now(ZoneOffset.UTC).plusSeconds(90));
    hub.troubles.add(LoopbackHub.answers(429, Map.of("Retry-After", date)));
    hub.troubles.add(LoopbackHub.answers(502, Map.of()));
    fetch();
    assertThat(waits).hasSize(3);
    assertThat(waits.get(0)).isEqualTo(Duration.ofSeconds(7));
    assertThat(waits.get(1)).isBetween(Duration.ofSeconds(30), Duration.ofSeconds(90));
    hub.listingTroubles.add(Map.entry(429, Map.of("Retry-After", "86400")));
    assertThatThrownBy(this::fetch)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("asks to wait 86400 s");
  }

  @Test
  void redirectionsAreFollowedToSafePlacesOnly() {
    URI secure = URI.create("https://hub.example/a?q=1");
    assertThat(Http.redirected(secure, "/b")).isEqualTo(URI.create("https://hub.example/b"));
    assertThatThrownBy(() -> Http.redirected(secure, "http://hub.example/b?secret"))
        .hasMessageContaining("not encrypted")
        .hasMessageNotContaining("secret");
    assertThatThrownBy(() -> Http.redirected(secure, "file:///etc/passwd"))
        .hasMessageContaining("no web address");
    assertThat(Http.sameServer(secure, URI.create("https://HUB.example:443/x"))).isTrue();
    assertThat(Http.sameServer(secure, URI.create("https://hub.example:8443/x"))).isFalse();
    assertThat(Http.sameServer(secure, URI.create("http://hub.example/x"))).isFalse();
  }

  // ---- addresses and the environment ------------------------------------------------------------

  @Test
  void addressesAreReadStrictly() {
    assertThat(HubAddress.parse("hf://A/b.c@refs/pr/1"))
        .isEqualTo(new HubAddress("A", "b.c", "refs/pr/1"));
    assertThat(ADDRESS.revision()).isEqualTo("main");
    for (String wrong :
        List.of("hf://a", "hf://a/b/c", "hf://a/..", "hf://a/b@", "hf://a/b@x/../y", "hf:///b")) {
      assertThatThrownBy(() -> HubAddress.parse(wrong)).hasMessageContaining(wrong);
    }
    assertThat(HubAddress.isOne("hf/a")).isFalse();
    for (String wrong : List.of("ftp://x", "huggingface.co", "https://user:pw@x", "http://[")) {
      assertThatThrownBy(() -> Hub.of(Map.of("HF_ENDPOINT", wrong)))
          .hasMessageContaining("HF_ENDPOINT")
          .hasMessageNotContaining("pw");
    }
  }

  @Test
  void proxiesAreThoseOfTheEnvironment() {
    ProxySelector proxies =
        Proxies.of(
            Map.of(
                "HTTPS_PROXY", "http://me:pass@proxy.example:3128",
                "http_proxy", "plain.example:8080",
                "NO_PROXY", "localhost, .corp.example,127.0.0.1"));
    assertThat(proxies.select(URI.create("https://huggingface.co/x")).toString())
        .contains("proxy.example", "3128");
    assertThat(proxies.select(URI.create("http://huggingface.co/x")).toString())
        .contains("plain.example", "8080");
    for (String direct :
        List.of("https://localhost:80/", "https://a.corp.example/", "https://127.0.0.1/")) {
      assertThat(proxies.select(URI.create(direct)).toString()).contains("DIRECT");
    }
    assertThatThrownBy(() -> Proxies.of(Map.of("HTTPS_PROXY", "socks5://u:pass@x:1")))
        .hasMessageContaining("HTTPS_PROXY")
        .hasMessageNotContaining("pass");
    assertThat(
            Proxies.of(Map.of("NO_PROXY", "*", "HTTPS_PROXY", "http://p:1"))
                .select(URI.create("https://x/"))
                .toString())
        .contains("DIRECT");
  }

  @Test
  void aProxyIsUsedAndTheTokenStaysBehindIt() throws IOException {
    // Asked as a proxy, the server sees the whole address; the loopback hub serves it all the same.
    Hub.Fetched fetched =
        Hub.of(
                Map.of(
                    "HF_ENDPOINT", "http://hub.invalid",
                    "HTTP_PROXY", hub.endpoint(),
                    "NO_PROXY", "localhost"),
                waits::add)
            .fetch(ADDRESS, directory, Progress.NONE);
    assertThat(fetched.files()).contains("model.safetensors");
    assertThat(fetched.endpoint()).isEqualTo("http://hub.invalid");
  }
}
