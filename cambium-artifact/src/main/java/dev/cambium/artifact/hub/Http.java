package dev.cambium.artifact.hub;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Requests to a hub. The token goes to the endpoint itself and to no other host, so redirections
 * are followed here, one by one. Addresses are told without their query: that of a redirection may
 * hold a signature.
 */
final class Http {

  private static final Logger LOG = LoggerFactory.getLogger(Http.class);

  private static final int REDIRECTIONS = 5;
  private static final int ATTEMPTS = 6;
  private static final Duration LONGEST_WAIT = Duration.ofMinutes(5);
  private static final Duration UNTIL_HEADERS = Duration.ofSeconds(60);
  private static final Duration UNTIL_CONNECTED = Duration.ofSeconds(20);

  private final HttpClient client;
  private final URI endpoint;
  private final @Nullable String token;
  private final Pause pause;

  /** Waits; a test does not. */
  @FunctionalInterface
  interface Pause {
    void sleep(Duration time) throws InterruptedException;
  }

  Http(URI endpoint, @Nullable String token, Proxies proxies, Pause pause) {
    this.endpoint = endpoint;
    this.token = token;
    this.pause = pause;
    HttpClient.Builder builder =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(UNTIL_CONNECTED)
            .proxy(proxies);
    proxies.authenticator().ifPresent(builder::authenticator);
    this.client = builder.build();
  }

  URI endpoint() {
    return endpoint;
  }

  /**
   * An answer whose body is still to be read.
   *
   * @param first headers of the endpoint's own answer, before any redirection
   */
  record Answer(HttpResponse<InputStream> last, java.net.http.HttpHeaders first) {
    Optional<String> header(String name) {
      return last.headers().firstValue(name);
    }
  }

  /** Something that is done again if the network, or the server, fails for the moment. */
  @FunctionalInterface
  interface Attempt<T> {
    T run() throws IOException, Busy;
  }

  /** The server asks for patience. */
  static final class Busy extends Exception {
    private static final long serialVersionUID = 1L;
    private final transient @Nullable Duration wait;

    Busy(String message, @Nullable Duration wait) {
      super(message);
      this.wait = wait;
    }
  }

  /** What counts as progress between two attempts: after it, failures are counted anew. */
  @FunctionalInterface
  interface Position {
    long bytes();
  }

  /**
   * Does something until it is done, with longer and longer pauses.
   *
   * @throws IOException if it failed too often without getting any further
   */
  <T> T persistently(Attempt<T> attempt, Position position) throws IOException {
    int failures = 0;
    long reached = position.bytes();
    for (; ; ) {
      String problem;
      Duration wait;
      try {
        return attempt.run();
      } catch (Busy e) {
        problem = String.valueOf(e.getMessage());
        wait = e.wait;
      } catch (java.nio.file.FileSystemException e) {
        throw e; // a full disk does not get better by asking again
      } catch (IOException e) {
        problem = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        wait = null;
      }
      long now = position.bytes();
      failures = now > reached ? 1 : failures + 1;
      reached = now;
      if (failures >= ATTEMPTS) {
        throw new IOException(
            problem
                + "; given up after "
                + failures
                + " attempts. The same command goes on later.");
      }
      Duration usual = Duration.ofSeconds(1L << Math.min(failures - 1, 5));
      Duration chosen = wait == null ? usual : wait;
      if (chosen.compareTo(LONGEST_WAIT) > 0) {
        throw new IOException(
            problem + ", and asks to wait " + chosen.toSeconds() + " s; try again then");
      }
      LOG.info("{}; again in {} s", problem, chosen.toSeconds());
      try {
        pause.sleep(chosen);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted", e);
      }
    }
  }

  /**
   * Asks once, following redirections.
   *
   * @param path below the endpoint, encoded
   * @param headers of the request
   * @throws Busy for 408, 429 and what servers answer when they are not well
   * @throws HubException for any other answer but 200, 206 and 416
   */
  Answer get(String path, Map<String, String> headers, HubAddress address)
      throws IOException, Busy {
    URI uri = URI.create(endpoint + path);
    java.net.http.HttpHeaders first = null;
    for (int hop = 0; hop <= REDIRECTIONS; hop++) {
      HttpResponse<InputStream> response = send(uri, headers);
      first = first == null ? response.headers() : first;
      int status = response.statusCode();
      if (status == 200 || status == 206 || status == 416) {
        return new Answer(response, first);
      }
      response.body().close();
      Optional<String> location = response.headers().firstValue("Location");
      if (status >= 301 && status <= 308 && location.isPresent()) {
        uri = redirected(uri, location.get());
        continue;
      }
      if (status == 408 || status == 429 || status >= 500) {
        throw new Busy(told(uri) + " answered " + status, retryAfter(response));
      }
      throw new HubException(refused(status, response, uri, address));
    }
    throw new HubException(told(uri) + ": more than " + REDIRECTIONS + " redirections");
  }

  private HttpResponse<InputStream> send(URI uri, Map<String, String> headers) throws IOException {
    HttpRequest.Builder request = HttpRequest.newBuilder(uri).timeout(UNTIL_HEADERS).GET();
    headers.forEach(request::setHeader);
    request.setHeader("User-Agent", "cambium");
    if (token != null && sameServer(uri, endpoint)) {
      request.setHeader("Authorization", "Bearer " + token);
    }
    try {
      return client.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } catch (IOException e) {
      throw new IOException(
          told(uri)
              + " cannot be reached: "
              + (e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage()),
          e);
    }
  }

  static URI redirected(URI from, String location) {
    URI to;
    try {
      to = from.resolve(location);
    } catch (IllegalArgumentException e) {
      throw new HubException(told(from) + " redirects to something that is no address");
    }
    if (to.getHost() == null
        || !("http".equals(to.getScheme()) || "https".equals(to.getScheme()))) {
      throw new HubException(told(from) + " redirects to something that is no web address");
    }
    if ("https".equals(from.getScheme()) && !"https".equals(to.getScheme())) {
      throw new HubException(
          told(from) + " redirects to " + told(to) + ", which is not encrypted; not followed");
    }
    return to;
  }

  static boolean sameServer(URI a, URI b) {
    return a.getScheme().equalsIgnoreCase(b.getScheme())
        && a.getHost().equalsIgnoreCase(b.getHost())
        && port(a) == port(b);
  }

  private static int port(URI uri) {
    return uri.getPort() >= 0
        ? uri.getPort()
        : "https".equalsIgnoreCase(uri.getScheme()) ? 443 : 80;
  }

  /** An address without user, query and fragment. */
  static String told(URI uri) {
    return uri.getScheme()
        + "://"
        + uri.getHost()
        + (uri.getPort() < 0 ? "" : ":" + uri.getPort())
        + uri.getPath();
  }

  private String refused(
      int status, HttpResponse<InputStream> response, URI uri, HubAddress address) {
    String code = response.headers().firstValue("X-Error-Code").orElse("");
    String page = endpoint + "/" + address.repository();
    if (code.equals("GatedRepo")) {
      return address
          + " is gated: accept its terms at "
          + page
          + (token == null ? ", and set HF_TOKEN" : " with the account that HF_TOKEN belongs to");
    }
    if (status == 401 || status == 403) {
      return address
          + (token == null
              ? " does not exist, or is not public: check the name at " + page + ", or set HF_TOKEN"
              : " may not be read with the token in HF_TOKEN (answer " + status + ")");
    }
    if (code.equals("RevisionNotFound")) {
      return address + ": there is no such revision; see " + page;
    }
    if (status == 404) {
      return address + " does not exist at " + endpoint + " (" + uri.getPath() + ")";
    }
    return address + ": " + told(uri) + " answered " + status;
  }

  private static @Nullable Duration retryAfter(HttpResponse<?> response) {
    String given = response.headers().firstValue("Retry-After").orElse("").strip();
    if (given.matches("\\d{1,9}")) {
      return Duration.ofSeconds(Long.parseLong(given));
    }
    try {
      Instant then = ZonedDateTime.parse(given, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
      Duration wait = Duration.between(Instant.now(), then);
      return wait.isNegative() ? Duration.ZERO : wait;
    } catch (DateTimeParseException e) {
      return null;
    }
  }
}
