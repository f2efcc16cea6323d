package dev.cambium.artifact.hub;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.cambium.model.Json;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * A server that speaks the part of huggingface.co's HTTP API that {@link Hub} uses, and a second
 * one, on another port, that large files are redirected to, as to a content network.
 */
final class LoopbackHub implements AutoCloseable {

  static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
  static final String REPOSITORY = "acme/tiny";

  /** What a client asked for. */
  record Asked(boolean network, String path, String range, String authorization) {}

  /** A trouble that one request runs into. */
  interface Trouble {
    /** Returns whether it has answered. */
    boolean happens(HttpExchange exchange, byte[] body, int from) throws IOException;
  }

  final List<Asked> asked = new CopyOnWriteArrayList<>();
  final Map<String, byte[]> small = new LinkedHashMap<>();
  final Map<String, byte[]> large = new LinkedHashMap<>();

  /** Troubles of the next requests for large files. */
  final Deque<Trouble> troubles = new ArrayDeque<>();

  /** Answers of the next requests for the listing: a status and a header. */
  final Deque<Map.Entry<Integer, Map<String, String>>> listingTroubles = new ArrayDeque<>();

  /** Changes the listing. */
  java.util.function.Consumer<ObjectNode> tamper = json -> {};

  boolean digests = true;
  boolean tags = true;
  boolean ranges = true;
  private final HttpServer hub;
  private final HttpServer network;
  private final ExecutorService threads = Executors.newCachedThreadPool();

  LoopbackHub() throws IOException {
    hub = server();
    network = server();
    hub.createContext("/api/models/" + REPOSITORY + "/revision/", this::listing);
    hub.createContext("/" + REPOSITORY + "/resolve/" + COMMIT + "/", this::resolve);
    network.createContext("/blobs/", this::blob);
    hub.start();
    network.start();
  }

  private HttpServer server() throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    return server;
  }

  String endpoint() {
    return "http://127.0.0.1:" + hub.getAddress().getPort();
  }

  /** Files of a tiny model, and such as must not be asked for. */
  LoopbackHub withModel() {
    small.put("config.json", "{\"model_type\":\"llama\"}".getBytes(StandardCharsets.UTF_8));
    small.put("README.md", "# Tiny\n".getBytes(StandardCharsets.UTF_8));
    small.put("modeling.py", "import os".getBytes(StandardCharsets.UTF_8));
    small.put("tokenizer.model", new byte[] {1, 2});
    small.put("runs/events.json", "{}".getBytes(StandardCharsets.UTF_8));
    large.put("model.safetensors", bytes(300_000, 1));
    large.put("pytorch_model.bin", bytes(1_000, 2));
    return this;
  }

  static byte[] bytes(int count, int seed) {
    byte[] bytes = new byte[count];
    new java.util.Random(seed).nextBytes(bytes);
    return bytes;
  }

  private void note(HttpExchange exchange, boolean fromNetwork) {
    Headers headers = exchange.getRequestHeaders();
    asked.add(
        new Asked(
            fromNetwork,
            exchange.getRequestURI().getPath(),
            String.valueOf(headers.getFirst("Range")),
            String.valueOf(headers.getFirst("Authorization"))));
  }

  private void listing(HttpExchange exchange) throws IOException {
    note(exchange, false);
    if (!listingTroubles.isEmpty()) {
      Map.Entry<Integer, Map<String, String>> trouble = listingTroubles.poll();
      trouble.getValue().forEach((k, v) -> exchange.getResponseHeaders().set(k, v));
      answer(exchange, trouble.getKey(), new byte[0]);
      return;
    }
    ObjectNode json = Json.mapper().createObjectNode().put("sha", COMMIT);
    ArrayNode siblings = json.putArray("siblings");
    small.forEach(
        (name, content) -> {
          ObjectNode one = siblings.addObject().put("rfilename", name).put("size", content.length);
          if (digests) {
            one.put("blobId", gitBlob(content));
          }
        });
    large.forEach(
        (name, content) -> {
          ObjectNode one = siblings.addObject().put("rfilename", name).put("size", content.length);
          if (digests) {
            one.put("blobId", "f".repeat(40)); // of the pointer, not of the file
            one.putObject("lfs").put("sha256", sha256(content)).put("size", content.length);
          }
        });
    tamper.accept(json);
    answer(exchange, 200, Json.mapper().writeValueAsBytes(json));
  }

  private void resolve(HttpExchange exchange) throws IOException {
    note(exchange, false);
    String path = exchange.getRequestURI().getPath();
    String name = path.substring(path.indexOf(COMMIT) + COMMIT.length() + 1);
    exchange.getResponseHeaders().set("X-Repo-Commit", COMMIT);
    if (small.containsKey(name)) {
      byte[] content = small.get(name);
      if (tags) {
        exchange.getResponseHeaders().set("ETag", "\"" + gitBlob(content) + "\"");
      }
      answer(exchange, 200, content);
    } else if (large.containsKey(name)) {
      if (tags) {
        exchange.getResponseHeaders().set("X-Linked-Etag", "\"" + sha256(large.get(name)) + "\"");
      }
      exchange
          .getResponseHeaders()
          .set(
              "Location",
              "http://localhost:"
                  + network.getAddress().getPort()
                  + "/blobs/"
                  + name
                  + "?X-Amz-Signature=secret-signature");
      answer(exchange, 302, new byte[0]);
    } else {
      exchange.getResponseHeaders().set("X-Error-Code", "EntryNotFound");
      answer(exchange, 404, new byte[0]);
    }
  }

  private void blob(HttpExchange exchange) throws IOException {
    note(exchange, true);
    String name = exchange.getRequestURI().getPath().substring("/blobs/".length());
    byte[] content = large.get(name);
    String range = exchange.getRequestHeaders().getFirst("Range");
    int from =
        ranges && range != null
            ? Integer.parseInt(range.substring("bytes=".length(), range.length() - 1))
            : 0;
    Trouble trouble = troubles.poll();
    if (trouble != null && trouble.happens(exchange, content, from)) {
      return;
    }
    if (from >= content.length) {
      answer(exchange, 416, new byte[0]);
      return;
    }
    head(exchange, content, from);
    try (OutputStream out = exchange.getResponseBody()) {
      out.write(content, from, content.length - from);
    }
  }

  /** Announces the rest of a file. */
  private static void head(HttpExchange exchange, byte[] content, int from) throws IOException {
    if (from > 0) {
      exchange
          .getResponseHeaders()
          .set(
              "Content-Range", "bytes " + from + "-" + (content.length - 1) + "/" + content.length);
    }
    exchange.sendResponseHeaders(from > 0 ? 206 : 200, content.length - from);
  }

  /** The connection breaks after so many bytes. */
  static Trouble breaksAfter(int bytes) {
    return (exchange, content, from) -> {
      head(exchange, content, from);
      OutputStream out = exchange.getResponseBody();
      out.write(content, from, Math.min(bytes, content.length - from - 1));
      out.flush();
      exchange.close();
      return true;
    };
  }

  /** An answer without a file. */
  static Trouble answers(int status, Map<String, String> headers) {
    return (exchange, content, from) -> {
      headers.forEach((k, v) -> exchange.getResponseHeaders().set(k, v));
      answer(exchange, status, new byte[0]);
      return true;
    };
  }

  /** Other bytes of the same length. */
  static Trouble lies() {
    return (exchange, content, from) -> {
      head(exchange, content, from);
      byte[] other = Arrays.copyOfRange(content, from, content.length);
      other[other.length / 2] ^= 1;
      try (OutputStream out = exchange.getResponseBody()) {
        out.write(other);
      }
      return true;
    };
  }

  private static void answer(HttpExchange exchange, int status, byte[] body) throws IOException {
    exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
    if (body.length > 0) {
      exchange.getResponseBody().write(body);
    }
    exchange.close();
  }

  static String gitBlob(byte[] content) {
    return hex(
        "SHA-1", ("blob " + content.length + "\0").getBytes(StandardCharsets.US_ASCII), content);
  }

  static String sha256(byte[] content) {
    return hex("SHA-256", content);
  }

  private static String hex(String algorithm, byte[]... parts) {
    try {
      MessageDigest digest = MessageDigest.getInstance(algorithm);
      for (byte[] part : parts) {
        digest.update(part);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (java.security.NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public void close() {
    hub.stop(0);
    network.stop(0);
    threads.shutdownNow();
  }
}
