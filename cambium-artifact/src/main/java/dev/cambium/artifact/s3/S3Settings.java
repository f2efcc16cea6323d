package dev.cambium.artifact.s3;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where objects lie in an object store, and how to get in.
 *
 * <p>The place is written {@code s3://BUCKET/PREFIX}; the rest is the environment's: {@code
 * AWS_ACCESS_KEY_ID}, {@code AWS_SECRET_ACCESS_KEY} and, if needed, {@code AWS_SESSION_TOKEN},
 * {@code AWS_REGION} ({@value #DEFAULT_REGION} otherwise) and, for another server than Amazon's,
 * {@code AWS_ENDPOINT_URL_S3} or {@code AWS_ENDPOINT_URL}. No text of this class holds a secret.
 */
public final class S3Settings {

  static final String SCHEME = "s3://";

  private static final String DEFAULT_REGION = "us-east-1";
  private static final Pattern PLACE =
      Pattern.compile("s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(/[A-Za-z0-9!_.*'()/-]*)?");

  private final String bucket;
  private final String prefix;
  private final String keyId;
  private final String secret;
  private final @Nullable String session;
  private final String region;
  private final @Nullable URI endpoint;

  private S3Settings(
      String bucket,
      String prefix,
      String keyId,
      String secret,
      @Nullable String session,
      String region,
      @Nullable URI endpoint) {
    this.bucket = bucket;
    this.prefix = prefix;
    this.keyId = keyId;
    this.secret = secret;
    this.session = session;
    this.region = region;
    this.endpoint = endpoint;
  }

  /** Whether an address is one of an object store. */
  public static boolean names(String address) {
    return address.startsWith(SCHEME);
  }

  /**
   * Checks an address without looking into the environment.
   *
   * @throws IllegalArgumentException if it is none; the message does not repeat it, as it may hold
   *     a secret
   */
  public static void check(String address) {
    place(address);
  }

  /**
   * Settings of an address, with the environment's keys.
   *
   * @param environment as of {@link System#getenv()}
   * @throws IllegalArgumentException if the address is none, or the environment lacks a key
   */
  public static S3Settings of(String address, Map<String, String> environment) {
    Matcher place = place(address);
    String path = place.group(2) == null ? "" : place.group(2).substring(1);
    String endpoint = present(environment, "AWS_ENDPOINT_URL_S3");
    if (endpoint == null) {
      endpoint = present(environment, "AWS_ENDPOINT_URL");
    }
    String region = present(environment, "AWS_REGION");
    return new S3Settings(
        place.group(1),
        path.isEmpty() || path.endsWith("/") ? path : path + "/",
        required(environment, "AWS_ACCESS_KEY_ID"),
        required(environment, "AWS_SECRET_ACCESS_KEY"),
        present(environment, "AWS_SESSION_TOKEN"),
        region == null ? DEFAULT_REGION : region,
        endpoint == null ? null : endpoint(endpoint));
  }

  private static Matcher place(String address) {
    Matcher place = PLACE.matcher(address);
    if (!place.matches() || address.indexOf("//", SCHEME.length()) >= 0) {
      throw new IllegalArgumentException(
          "an object store is written s3://BUCKET/PREFIX, with the bucket's name in lower case;"
              + " keys and passwords belong into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
    }
    return place;
  }

  private static URI endpoint(String text) {
    try {
      URI uri = new URI(text);
      boolean web = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
      if (web && uri.getHost() != null && uri.getUserInfo() == null) {
        return uri;
      }
    } catch (URISyntaxException e) {
      // said below, without the text
    }
    throw new IllegalArgumentException(
        "AWS_ENDPOINT_URL_S3 and AWS_ENDPOINT_URL are written https://HOST:PORT, without a user");
  }

  private static @Nullable String present(Map<String, String> environment, String variable) {
    String value = environment.get(variable);
    return value == null || value.isBlank() ? null : value;
  }

  private static String required(Map<String, String> environment, String variable) {
    String value = present(environment, variable);
    if (value == null) {
      throw new IllegalArgumentException(
          "the artifact store is an object store, and " + variable + " is not set");
    }
    return value;
  }

  String bucket() {
    return bucket;
  }

  /** Empty, or ends with a slash. */
  String prefix() {
    return prefix;
  }

  String keyId() {
    return keyId;
  }

  String secret() {
    return secret;
  }

  @Nullable String session() {
    return session;
  }

  String region() {
    return region;
  }

  /** None for Amazon's own. */
  @Nullable URI endpoint() {
    return endpoint;
  }

  /** The place; never a key. */
  @Override
  public String toString() {
    return SCHEME + bucket + "/" + prefix;
  }
}
