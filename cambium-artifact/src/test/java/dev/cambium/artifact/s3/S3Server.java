package dev.cambium.artifact.s3;

import com.adobe.testing.s3mock.S3MockApplication;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;

/** A server with the S3 API in this process, started once, with a prefix for each test. */
final class S3Server {

  static final String KEY = "AKIATESTKEY";
  static final String SECRET = "test/secret/that/nobody/may/read";

  private static final String BUCKET = "cambium-test";
  private static @Nullable S3Server shared;

  private final String endpoint;
  private final AtomicInteger prefixes = new AtomicInteger();

  private S3Server(String endpoint) {
    this.endpoint = endpoint;
    try (S3Client client = client()) {
      client.createBucket(request -> request.bucket(BUCKET));
    }
  }

  static synchronized S3Server shared() {
    S3Server server = shared;
    if (server == null) {
      try {
        Path root = Files.createTempDirectory("s3mock");
        Map<String, Object> properties = new HashMap<>();
        properties.put(S3MockApplication.PROP_HTTP_PORT, 0);
        properties.put(S3MockApplication.PROP_HTTPS_PORT, 0);
        properties.put(S3MockApplication.PROP_SILENT, true);
        properties.put("com.adobe.testing.s3mock.store.root", root.toString());
        properties.put("logging.level.root", "WARN");
        S3MockApplication application = S3MockApplication.start(properties);
        Runtime.getRuntime().addShutdownHook(new Thread(application::stop));
        server = new S3Server("http://localhost:" + application.getHttpPort());
        shared = server;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return server;
  }

  /** The address of a store that is empty. */
  String freshAddress() {
    return "s3://" + BUCKET + "/fleet-" + prefixes.incrementAndGet();
  }

  /** What the environment says about the server. */
  Map<String, String> environment() {
    return Map.of(
        "AWS_ACCESS_KEY_ID", KEY, "AWS_SECRET_ACCESS_KEY", SECRET, "AWS_ENDPOINT_URL_S3", endpoint);
  }

  S3Settings settings(String address) {
    return S3Settings.of(address, environment());
  }

  /** A client of the test's own. */
  S3Client client() {
    return S3Client.builder()
        .region(Region.US_EAST_1)
        .endpointOverride(URI.create(endpoint))
        .forcePathStyle(true)
        .credentialsProvider(
            StaticCredentialsProvider.create(AwsBasicCredentials.create(KEY, SECRET)))
        .httpClient(UrlConnectionHttpClient.create())
        .build();
  }
}
