package dev.cambium.artifact.s3;

import dev.cambium.artifact.ArtifactStore;
import dev.cambium.artifact.DurableFile;
import dev.cambium.artifact.IntegrityException;
import dev.cambium.artifact.MissingArtifactException;
import dev.cambium.artifact.VerifyingStream;
import dev.cambium.model.Digest;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.ResponseInputStream;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.retry.RetryMode;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3ClientBuilder;
import software.amazon.awssdk.services.s3.model.ChecksumAlgorithm;
import software.amazon.awssdk.services.s3.model.ChecksumMode;
import software.amazon.awssdk.services.s3.model.ChecksumType;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.MultipartUpload;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;
import software.amazon.awssdk.services.s3.model.S3Object;

/*
 * An object of digest abcdef… lies at
 *
 *   PREFIX sha256/ab/cdef…/COPY
 *
 * where COPY is a random name. Any number of copies may be there; they are equal, and the object is
 * there as long as one is. A copy is written once, under the condition that nothing has its name
 * (If-None-Match), and never written over. An upload that stops in the middle leaves nothing that
 * can be seen: a request's body is checked by the server before it counts, and the parts of a large
 * one become an object only when it is completed; collect() sweeps parts that were left.
 *
 * Why copies have names of their own. Garbage collection must not take what a writer has just found
 * to be there. The API knows no lock, and no deletion on the condition of an age. So:
 *
 *   put      finds no copy that is sound and younger than YOUNG: it adds one, under a new name
 *   renew    likewise, whatever the copy's bytes are
 *   collect  lists all copies once, and deletes only copies of that list that are older than grace
 *
 * A copy that put relied on is younger than YOUNG; it stays for another grace − YOUNG, which is the
 * time that the writer has for its record (half the grace period of the shortest that is used). A
 * copy that put added has a name that is on no list made before. So put never waits, collectors
 * may run side by side, and an object that was put is there for as long as the writer was promised.
 * Superfluous old copies are taken by the next collect().
 */

/**
 * A store in a bucket of an object store with the S3 API (Amazon's, MinIO, Ceph, R2, …).
 *
 * <p>Requests are tried again by the client where that can help; what then still fails is an {@link
 * UncheckedIOException} with the server's word and without any key. Reads hash what they read. A
 * copy is sound if its size and the SHA-256 checksum that the server holds are those of the object,
 * so that putting a large file that is there costs no transfer.
 */
public final class S3ArtifactStore implements ArtifactStore {

  private static final Logger LOG = LoggerFactory.getLogger(S3ArtifactStore.class);

  /** A copy that is older is not relied on by a new writer, who adds one of its own. */
  static final Duration YOUNG = Duration.ofMinutes(30);

  /** Parts of an upload that nobody added to for so long belong to a process that died. */
  private static final Duration ABANDONED = Duration.ofDays(1);

  /** Larger files are sent in parts of this size, or of more where there would be too many. */
  private static final int PART = 16 << 20;

  /** The API copies no larger object in one request. */
  private static final long MOST_COPIED = 5_000_000_000L;

  private static final int READ_ATTEMPTS = 4;
  private static final int MOST_PARTS = 10_000;

  private final InstantSource clock;
  private final Function<S3Object, Instant> written;
  private final S3Client client;
  private final S3Settings settings;
  private final String objects;
  private final int part;

  private S3ArtifactStore(
      S3Settings settings, int part, InstantSource clock, Function<S3Object, Instant> written) {
    this.clock = clock;
    this.written = written;
    this.settings = settings;
    this.objects = settings.prefix() + "sha256/";
    this.part = part;
    this.client = client(settings);
  }

  /**
   * Opens the store, which may be empty.
   *
   * @throws UncheckedIOException if the bucket cannot be reached
   */
  public static S3ArtifactStore open(S3Settings settings) {
    return open(settings, PART, InstantSource.system(), S3Object::lastModified);
  }

  /**
   * @param clock agrees with the server's
   * @param written when an object was written, by that clock
   */
  static S3ArtifactStore open(
      S3Settings settings, int part, InstantSource clock, Function<S3Object, Instant> written) {
    S3ArtifactStore store = new S3ArtifactStore(settings, part, clock, written);
    store.attempt(
        "cannot open", () -> store.client.headBucket(request -> request.bucket(settings.bucket())));
    return store;
  }

  private static S3Client client(S3Settings settings) {
    AwsCredentials keys =
        settings.session() == null
            ? AwsBasicCredentials.create(settings.keyId(), settings.secret())
            : AwsSessionCredentials.create(settings.keyId(), settings.secret(), settings.session());
    S3ClientBuilder builder =
        S3Client.builder()
            .region(Region.of(settings.region()))
            .credentialsProvider(StaticCredentialsProvider.create(keys))
            .httpClientBuilder(
                UrlConnectionHttpClient.builder()
                    .connectionTimeout(Duration.ofSeconds(10))
                    .socketTimeout(Duration.ofMinutes(1)))
            .overrideConfiguration(
                configuration ->
                    configuration
                        .retryStrategy(RetryMode.STANDARD)
                        // No file of the machine's decides what is recorded where.
                        .defaultProfileFile(
                            software.amazon.awssdk.profiles.ProfileFile.aggregator().build()));
    if (settings.endpoint() != null) {
      builder.endpointOverride(settings.endpoint()).forcePathStyle(true);
    }
    return builder.build();
  }

  // ---------------------------------------------------------------------------------- writing

  @Override
  public Digest put(byte[] bytes) {
    Digest digest = Digest.of(bytes);
    if (!isThere(digest, bytes.length, checksum(digest))) {
      add(digest, RequestBody.fromBytes(bytes), checksum(digest));
    }
    return digest;
  }

  @Override
  public Digest put(Path file) {
    try {
      long size = Files.size(file);
      if (size <= part) {
        return put(Files.readAllBytes(file)); // One look at the file: it may be changing.
      }
      Parts parts = Parts.of(file, (int) Math.max(part, size / MOST_PARTS + 1));
      if (!isThere(parts.digest(), parts.size(), parts.checksum())) {
        addInParts(file, parts);
      }
      return parts.digest();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot store " + file + ": " + e, e);
    }
  }

  /** Whether a sound and young copy is there; removes what is there and not sound. */
  private boolean isThere(Digest digest, long size, String checksum) {
    Instant old = clock.instant().minus(YOUNG);
    boolean there = false;
    for (Copy copy : copies(digest)) {
      switch (look(copy.key(), digest, size, checksum)) {
        case SOUND -> there |= copy.written().isAfter(old);
        case CORRUPT -> {
          LOG.warn("{}: is corrupt; replacing it by the good bytes", where(copy.key()));
          remove(copy.key());
        }
        case GONE -> {} // Collected since it was listed.
      }
    }
    return there;
  }

  private enum State {
    SOUND,
    CORRUPT,
    GONE
  }

  /**
   * Whether a copy is what it should be: by the server's checksum or, where that is none or of
   * parts of other sizes, by reading it.
   */
  private State look(String key, Digest digest, long size, String checksum) {
    try {
      HeadObjectResponse head =
          attempt(
              "cannot look at " + where(key),
              () ->
                  client.headObject(
                      request ->
                          request
                              .bucket(settings.bucket())
                              .key(key)
                              .checksumMode(ChecksumMode.ENABLED)));
      if (head.contentLength() != size) {
        return State.CORRUPT;
      }
      return checksum.equals(head.checksumSHA256()) ? State.SOUND : look(key, digest);
    } catch (NoSuchKeyException e) {
      return State.GONE;
    }
  }

  private State look(String key, Digest digest) {
    try {
      return transfer(key, digest, in -> in.transferTo(OutputStream.nullOutputStream())).isPresent()
          ? State.SOUND
          : State.GONE;
    } catch (IntegrityException e) {
      return State.CORRUPT;
    }
  }

  private void add(Digest digest, RequestBody body, String checksum) {
    String key = folder(digest) + UUID.randomUUID();
    try {
      attempt(
          "cannot store " + digest,
          () ->
              client.putObject(
                  request ->
                      request
                          .bucket(settings.bucket())
                          .key(key)
                          .ifNoneMatch("*")
                          .checksumSHA256(checksum),
                  body));
    } catch (AwsServiceException e) {
      requireOwn(look(key, digest, body.optionalContentLength().orElse(-1L), checksum), key, e);
    }
  }

  /** A name that is taken is ours: the first try got through, and its answer got lost. */
  private void requireOwn(State found, String key, AwsServiceException refusal) {
    if (found != State.SOUND) {
      throw failure("cannot store " + where(key), refusal);
    }
  }

  private void addInParts(Path file, Parts parts) {
    String key = folder(parts.digest()) + UUID.randomUUID();
    String what = "cannot store " + file;
    String upload =
        attempt(
                what,
                () ->
                    client.createMultipartUpload(
                        request ->
                            request
                                .bucket(settings.bucket())
                                .key(key)
                                .checksumAlgorithm(ChecksumAlgorithm.SHA256)
                                .checksumType(ChecksumType.COMPOSITE)))
            .uploadId();
    boolean complete = false;
    try {
      List<CompletedPart> sent = new ArrayList<>();
      for (int i = 0; i < parts.checksums().size(); i++) {
        sent.add(send(file, parts, i, key, upload));
      }
      try {
        attempt(
            what,
            () ->
                client.completeMultipartUpload(
                    request ->
                        request
                            .bucket(settings.bucket())
                            .key(key)
                            .uploadId(upload)
                            .ifNoneMatch("*")
                            .multipartUpload(all -> all.parts(sent))));
      } catch (AwsServiceException e) {
        requireOwn(look(key, parts.digest(), parts.size(), parts.checksum()), key, e);
      }
      complete = true;
      // A part of a file that has changed since it was hashed is refused by the server; that the
      // whole is what it should be is looked at all the same.
      if (look(key, parts.digest(), parts.size(), parts.checksum()) != State.SOUND) {
        remove(key);
        throw new UncheckedIOException(what, new IOException("what arrived is not what was sent"));
      }
    } finally {
      if (!complete) {
        abandon(key, upload);
      }
    }
  }

  private CompletedPart send(Path file, Parts parts, int index, String key, String upload) {
    byte[] bytes;
    try {
      bytes = parts.read(file, index);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file + ": " + e, e);
    }
    String checksum = parts.checksums().get(index);
    String etag =
        attempt(
                "cannot store " + file,
                () ->
                    client.uploadPart(
                        request ->
                            request
                                .bucket(settings.bucket())
                                .key(key)
                                .uploadId(upload)
                                .partNumber(index + 1)
                                .checksumSHA256(checksum),
                        RequestBody.fromBytes(bytes)))
            .eTag();
    return CompletedPart.builder()
        .partNumber(index + 1)
        .eTag(etag)
        .checksumSHA256(checksum)
        .build();
  }

  private void abandon(String key, String upload) {
    try {
      client.abortMultipartUpload(
          request -> request.bucket(settings.bucket()).key(key).uploadId(upload));
    } catch (SdkException e) {
      LOG.debug("parts of {} are left for collect()", where(key), e);
    }
  }

  @Override
  public boolean renew(Digest digest) {
    Instant old = clock.instant().minus(YOUNG);
    for (Copy copy : copies(digest)) {
      if (copy.written().isAfter(old) || duplicate(digest, copy)) {
        return true;
      }
    }
    return false;
  }

  /** Adds a copy of a copy, within the server if it takes one so large; false if it is gone. */
  private boolean duplicate(Digest digest, Copy copy) {
    if (copy.size() > MOST_COPIED) {
      return duplicateByWay(digest);
    }
    try {
      attempt(
          "cannot renew " + where(copy.key()),
          () ->
              client.copyObject(
                  request ->
                      request
                          .sourceBucket(settings.bucket())
                          .sourceKey(copy.key())
                          .destinationBucket(settings.bucket())
                          .destinationKey(folder(digest) + UUID.randomUUID())
                          .checksumAlgorithm(ChecksumAlgorithm.SHA256)));
      return true;
    } catch (NoSuchKeyException e) {
      return false; // Collected since it was listed.
    }
  }

  private boolean duplicateByWay(Digest digest) {
    try {
      Path file = Files.createTempFile("cambium-renew", null);
      try {
        materialize(digest, file);
        addInParts(file, Parts.of(file, (int) Math.max(part, Files.size(file) / MOST_PARTS + 1)));
        return true;
      } catch (MissingArtifactException e) {
        return false;
      } finally {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot renew " + digest + ": " + e, e);
    }
  }

  // ---------------------------------------------------------------------------------- reading

  @Override
  public boolean has(Digest digest) {
    return !copies(digest).isEmpty();
  }

  @Override
  public byte[] bytes(Digest digest) {
    long size = size(digest);
    if (size > Integer.MAX_VALUE - 8) {
      throw new IntegrityException(
          where(folder(digest)), digest, size + " bytes, too many to read at once");
    }
    return read(digest, InputStream::readAllBytes);
  }

  @Override
  public InputStream open(Digest digest) {
    for (Copy copy : copies(digest)) {
      Optional<ResponseInputStream<GetObjectResponse>> in = get(copy.key());
      if (in.isPresent()) {
        return new VerifyingStream(in.get(), where(copy.key()), digest);
      }
    }
    throw missing(digest);
  }

  @Override
  public long size(Digest digest) {
    return copies(digest).stream().findFirst().orElseThrow(() -> missing(digest)).size();
  }

  @Override
  public void verify(Digest digest) {
    read(digest, in -> in.transferTo(OutputStream.nullOutputStream()));
  }

  @Override
  public void materialize(Digest digest, Path target) {
    read(
        digest,
        in -> {
          DurableFile.write(
              target,
              channel -> {
                byte[] buffer = new byte[1 << 16];
                for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                  ByteBuffer bytes = ByteBuffer.wrap(buffer, 0, n);
                  while (bytes.hasRemaining()) {
                    channel.write(bytes);
                  }
                }
              });
          return target;
        });
  }

  private interface Reading<T> {
    T of(InputStream in) throws IOException;
  }

  /** Reads the newest copy that is sound, and says so of the newest if none is. */
  private <T> T read(Digest digest, Reading<T> reading) {
    IntegrityException first = null;
    for (Copy copy : copies(digest)) {
      try {
        Optional<T> found = transfer(copy.key(), digest, reading);
        if (found.isPresent()) {
          return found.get();
        }
      } catch (IntegrityException e) {
        first = first == null ? e : first;
      }
    }
    throw first == null ? missing(digest) : first;
  }

  /**
   * Reads a copy, again from its beginning if the connection breaks: the client tries again only
   * until the first byte.
   *
   * @return none if it is not there any more
   */
  private <T> Optional<T> transfer(String key, Digest digest, Reading<T> reading) {
    for (int attempt = 1; ; attempt++) {
      Optional<ResponseInputStream<GetObjectResponse>> opened = get(key);
      if (opened.isEmpty()) {
        return Optional.empty();
      }
      Breaking body = new Breaking(opened.get());
      try (InputStream in = new VerifyingStream(body, where(key), digest)) {
        return Optional.of(reading.of(in));
      } catch (IOException | UncheckedIOException e) {
        if (body.broken() && attempt < READ_ATTEMPTS) {
          LOG.debug("{}: reading it again", where(key), e);
          continue;
        }
        throw e instanceof UncheckedIOException unchecked
            ? unchecked
            : new UncheckedIOException("cannot read " + where(key) + ": " + e, (IOException) e);
      }
    }
  }

  /** Remembers whether it was the connection that failed, and not what the bytes are written to. */
  private static final class Breaking extends FilterInputStream {
    private boolean broken;

    Breaking(InputStream in) {
      super(in);
    }

    boolean broken() {
      return broken;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      try {
        return in.read(target, offset, length);
      } catch (IOException e) {
        broken = true;
        throw e;
      }
    }
  }

  private Optional<ResponseInputStream<GetObjectResponse>> get(String key) {
    try {
      return Optional.of(
          attempt(
              "cannot read " + where(key),
              () -> client.getObject(request -> request.bucket(settings.bucket()).key(key))));
    } catch (NoSuchKeyException e) {
      return Optional.empty(); // Superfluous, and collected since.
    }
  }

  private MissingArtifactException missing(Digest digest) {
    return new MissingArtifactException(where(folder(digest)), digest);
  }

  // --------------------------------------------------------------------------------- the whole

  @Override
  public Stream<Digest> list() {
    return all().keySet().stream();
  }

  @Override
  public boolean delete(Digest digest) {
    List<Copy> copies = copies(digest);
    copies.forEach(copy -> remove(copy.key()));
    return !copies.isEmpty();
  }

  @Override
  public Collected collect(Supplier<Set<Digest>> reachable, Duration grace) {
    if (grace.isNegative()) {
      throw new IllegalArgumentException("negative grace period: " + grace);
    }
    sweep();
    Instant youngAfter = clock.instant().minus(grace);
    Set<Digest> needs = reachable.get();
    List<Digest> deleted = new ArrayList<>();
    List<String> keys = new ArrayList<>();
    long bytes = 0;
    long kept = 0;
    long young = 0;
    for (Map.Entry<Digest, List<Copy>> entry : all().entrySet()) {
      boolean needed = needs.contains(entry.getKey());
      boolean left = false;
      for (Copy copy : entry.getValue()) {
        boolean old = !copy.written().isAfter(youngAfter);
        // Of what is needed, the newest copy that is sound stays.
        if (!old
            || (needed
                && !left
                && (entry.getValue().size() == 1
                    || look(copy.key(), entry.getKey()) == State.SOUND))) {
          left = true;
        } else if (!needed || left) {
          keys.add(copy.key());
          bytes += copy.size();
        }
      }
      if (needed) {
        kept++;
      } else if (left) {
        young++;
      } else {
        deleted.add(entry.getKey());
      }
    }
    keys.forEach(this::remove);
    return new Collected(deleted, bytes, kept, young);
  }

  /** Removes the parts of uploads whose writers have died. */
  private void sweep() {
    Instant before = clock.instant().minus(ABANDONED);
    attempt(
        "cannot list unfinished uploads to " + settings,
        () -> {
          for (MultipartUpload upload :
              client
                  .listMultipartUploadsPaginator(
                      request -> request.bucket(settings.bucket()).prefix(objects))
                  .uploads()) {
            if (upload.initiated().isBefore(before)) {
              abandon(upload.key(), upload.uploadId());
            }
          }
          return true;
        });
  }

  /** A copy of an object. */
  private record Copy(String key, long size, Instant written) {}

  private static final Comparator<Copy> NEWEST_FIRST =
      Comparator.comparing(Copy::written).reversed();

  /** The copies of an object, the newest first. */
  private List<Copy> copies(Digest digest) {
    return listed(folder(digest)).stream().sorted(NEWEST_FIRST).toList();
  }

  private TreeMap<Digest, List<Copy>> all() {
    TreeMap<Digest, List<Copy>> all = new TreeMap<>();
    for (Copy copy : listed(objects)) {
      String name = copy.key().substring(objects.length()); // ab/cdef…/COPY
      if (name.matches("[0-9a-f]{2}/[0-9a-f]{62}/[^/]+")) {
        Digest digest = new Digest(name.substring(0, 2) + name.substring(3, 65));
        all.computeIfAbsent(digest, d -> new ArrayList<>()).add(copy);
      }
    }
    all.values().forEach(copies -> copies.sort(NEWEST_FIRST));
    return all;
  }

  private List<Copy> listed(String prefix) {
    return attempt(
        "cannot list " + where(prefix),
        () ->
            client
                .listObjectsV2Paginator(request -> request.bucket(settings.bucket()).prefix(prefix))
                .contents()
                .stream()
                .map(object -> new Copy(object.key(), object.size(), written.apply(object)))
                .toList());
  }

  private void remove(String key) {
    attempt(
        "cannot delete " + where(key),
        () -> client.deleteObject(request -> request.bucket(settings.bucket()).key(key)));
  }

  // ----------------------------------------------------------------------------------- helpers

  private String folder(Digest digest) {
    return objects + digest.hex().substring(0, 2) + "/" + digest.hex().substring(2) + "/";
  }

  private String where(String key) {
    return S3Settings.SCHEME + settings.bucket() + "/" + key;
  }

  private static String checksum(Digest digest) {
    return Base64.getEncoder().encodeToString(HexFormat.of().parseHex(digest.hex()));
  }

  /**
   * @throws NoSuchKeyException if the server says so
   * @throws AwsServiceException if a condition does not hold
   */
  private <T> T attempt(String what, Supplier<T> request) {
    try {
      return request.get();
    } catch (NoSuchKeyException e) {
      throw e;
    } catch (AwsServiceException e) {
      if (e.statusCode() == 412 || e.statusCode() == 409) {
        throw e;
      }
      throw failure(what, e);
    } catch (SdkException e) {
      throw failure(what, e);
    }
  }

  private UncheckedIOException failure(String what, SdkException e) {
    return new UncheckedIOException(
        what + " in " + settings + ": " + e.getMessage(), new IOException(e));
  }
}
