package dev.cambium.artifact.hub;

import dev.cambium.model.Progress;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A hub of models with the HTTP API of huggingface.co.
 *
 * <p>A revision is first turned into the commit that it names, and everything is fetched at that
 * commit. Each file is checked against the digest that the hub gives for it; a fetch that was
 * interrupted goes on where it stopped.
 */
public final class Hub {

  private static final String ENDPOINT = "https://huggingface.co";
  private static final int LARGEST_LISTING = 64 << 20;
  private static final long MEGABYTE = 1_000_000;

  private final Http http;

  private Hub(Http http) {
    this.http = http;
  }

  /**
   * The hub that the environment names: {@code HF_ENDPOINT} (huggingface.co without it), {@code
   * HF_TOKEN}, {@code HTTPS_PROXY}, {@code HTTP_PROXY}, {@code NO_PROXY}.
   *
   * @throws HubException if one of them cannot be used
   */
  public static Hub of(Map<String, String> environment) {
    return of(environment, time -> Thread.sleep(time.toMillis()));
  }

  static Hub of(Map<String, String> environment, Http.Pause pause) {
    String given = environment.getOrDefault("HF_ENDPOINT", "").strip();
    String text = (given.isEmpty() ? ENDPOINT : given).replaceFirst("/+$", "");
    URI endpoint;
    try {
      endpoint = URI.create(text);
    } catch (IllegalArgumentException e) {
      throw new HubException("HF_ENDPOINT is no address");
    }
    String scheme = String.valueOf(endpoint.getScheme()).toLowerCase(Locale.ROOT);
    if (endpoint.getHost() == null
        || !(scheme.equals("https") || scheme.equals("http"))
        || endpoint.getUserInfo() != null
        || endpoint.getQuery() != null) {
      throw new HubException(
          "HF_ENDPOINT must be like https://HOST, not '" + Http.told(endpoint) + "'");
    }
    return new Hub(new Http(endpoint, token(environment), Proxies.of(environment), pause));
  }

  private static @Nullable String token(Map<String, String> environment) {
    String token = environment.getOrDefault("HF_TOKEN", "").strip();
    if (token.isEmpty()) {
      return null;
    }
    if (!token.matches("[\\x21-\\x7e]+")) {
      throw new HubException("HF_TOKEN has characters that no token has"); // not the value
    }
    return token;
  }

  /**
   * What was fetched.
   *
   * @param address the repository at the commit that its revision named
   * @param directory where the files lie
   * @param files their names
   * @param size bytes of all of them
   */
  public record Fetched(
      HubAddress address, String endpoint, Path directory, List<String> files, long size) {

    /** Where it is from, for the record. */
    public String origin() {
      return "from " + address + " at " + endpoint;
    }
  }

  /**
   * Fetches a model or an adapter: its configuration, tokenizer and templates, and its weights in
   * safetensors.
   *
   * @param downloads folder for what is being fetched; the same one goes on after an interruption
   * @throws HubException if it cannot be had, or is not what the hub says it is
   * @throws IOException if the network or the disk failed
   */
  public Fetched fetch(HubAddress address, Path downloads, Progress progress) throws IOException {
    HubListing listing = HubListing.parse(listing(address), address);
    HubAddress pinned = address.at(listing.commit());
    Path directory =
        downloads.resolve(address.owner() + "--" + address.name()).resolve(listing.commit());
    Files.createDirectories(directory);
    if (Files.isSymbolicLink(directory)) {
      throw new HubException(directory + " is a symbolic link; remove it");
    }
    Optional<byte[]> index = Optional.empty();
    if (listing.index().isPresent()) {
      Path file = new Download(http, pinned, listing.index().get(), directory, have -> {}).run();
      index = Optional.of(Files.readAllBytes(file));
    }
    List<HubListing.Entry> wanted = new ArrayList<>(listing.text());
    wanted.addAll(listing.weights(index, address));
    long total = wanted.stream().mapToLong(e -> Math.max(0, e.size())).sum();
    Map<String, Long> have = new HashMap<>();
    for (HubListing.Entry entry : wanted) {
      have.put(entry.path(), Download.there(directory, entry));
    }
    checkRoom(directory, total - sum(have), address);
    for (HubListing.Entry entry : wanted) {
      new Download(
              http,
              pinned,
              entry,
              directory,
              bytes -> {
                have.put(entry.path(), bytes);
                progress.at(
                    "Fetching " + address.repository() + ", MB",
                    Math.min(sum(have), total) / MEGABYTE,
                    Math.max(1, total / MEGABYTE),
                    entry.path());
              })
          .run();
    }
    return new Fetched(
        pinned,
        http.endpoint().toString(),
        directory,
        wanted.stream().map(HubListing.Entry::path).toList(),
        sum(have));
  }

  /**
   * Removes what was begun to be fetched and has not been touched since.
   *
   * @param downloads the folder of {@link #fetch}
   */
  public static void sweep(Path downloads, Instant before) throws IOException {
    if (!Files.isDirectory(downloads)) {
      return;
    }
    List<Path> repositories;
    try (Stream<Path> children = Files.list(downloads)) {
      repositories = children.toList();
    }
    for (Path repository : repositories) {
      List<Path> all;
      try (Stream<Path> walked = Files.walk(repository)) {
        all = walked.sorted(Comparator.reverseOrder()).toList();
      }
      boolean old = true;
      for (Path path : all) {
        old &=
            Files.getLastModifiedTime(path, LinkOption.NOFOLLOW_LINKS).toInstant().isBefore(before);
      }
      if (old) {
        for (Path path : all) {
          Files.delete(path);
        }
      }
    }
  }

  private static long sum(Map<String, Long> bytes) {
    return bytes.values().stream().mapToLong(Long::longValue).sum();
  }

  private static void checkRoom(Path directory, long wanted, HubAddress address)
      throws IOException {
    long room = Files.getFileStore(directory).getUsableSpace();
    if (wanted > room) {
      throw new HubException(
          String.format(
              Locale.ROOT,
              "%s: %.1f GB are still to be fetched, and %s has room for %.1f GB",
              address,
              wanted / 1e9,
              directory.toRealPath(LinkOption.NOFOLLOW_LINKS),
              room / 1e9));
    }
  }

  private byte[] listing(HubAddress address) throws IOException {
    String path =
        "/api/models/"
            + address.repository()
            + "/revision/"
            + HubAddress.segment(address.revision())
            + "?blobs=true";
    return http.persistently(
        () -> {
          try (InputStream body = http.get(path, Map.of(), address).last().body()) {
            byte[] all = body.readNBytes(LARGEST_LISTING + 1);
            if (all.length > LARGEST_LISTING) {
              throw new HubException(address + ": the hub's listing is larger than 64 MB");
            }
            return all;
          }
        },
        () -> 0);
  }
}
