package dev.cambium.artifact.hub;

import com.fasterxml.jackson.databind.JsonNode;
import dev.cambium.model.Json;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What is in a repository at one commit.
 *
 * @param commit the commit that the revision named
 * @param entries all files
 */
record HubListing(String commit, List<Entry> entries) {

  private static final String INDEX = "model.safetensors.index.json";
  private static final String WEIGHTS = ".safetensors";

  /** Text that may come with a model: configuration, tokenizer, templates, model card. */
  private static final Set<String> TEXT = Set.of(".json", ".txt", ".md", ".jinja");

  /** Formats that may hold pickled Python objects, which run code when they are read. */
  private static final Set<String> PICKLES =
      Set.of(".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".npy", ".h5");

  /** Text larger than this is none that a model needs. */
  private static final long LARGEST_TEXT = 200_000_000;

  /**
   * A file.
   *
   * @param size in bytes; negative if the listing does not say
   * @param digest none if the listing does not say
   */
  record Entry(String path, long size, Optional<FileDigest> digest) {}

  /**
   * Reads the answer of {@code /api/models/OWNER/NAME/revision/REVISION?blobs=true}.
   *
   * @throws HubException if it names files that no repository of a model may have
   */
  static HubListing parse(byte[] answer, HubAddress address) {
    JsonNode json;
    try {
      json = Json.mapper().readTree(answer);
    } catch (IOException e) {
      throw new HubException(address + ": the hub's listing is not JSON");
    }
    String commit = json.path("sha").asText();
    if (!commit.matches("[0-9a-f]{40}")) {
      throw new HubException(
          address + ": the hub's listing names no commit ('sha' is '" + brief(commit) + "')");
    }
    if (address.revision().matches("[0-9a-f]{40}") && !address.revision().equals(commit)) {
      throw new HubException(
          address + ": the hub answered with another commit, " + commit + ", than was asked for");
    }
    List<Entry> entries = new ArrayList<>();
    Set<String> seen = new TreeSet<>();
    for (JsonNode sibling : json.path("siblings")) {
      String path = sibling.path("rfilename").asText();
      checkPath(address, path, sibling);
      if (!seen.add(path.toLowerCase(Locale.ROOT))) {
        throw new HubException(address + ": the listing names '" + brief(path) + "' twice");
      }
      JsonNode lfs = sibling.path("lfs");
      long size = sibling.hasNonNull("size") ? sibling.get("size").asLong(-1) : -1;
      if (lfs.hasNonNull("size") && size >= 0 && lfs.get("size").asLong() != size) {
        throw new HubException(
            address
                + ": the listing gives '"
                + brief(path)
                + "' two sizes, "
                + size
                + " and "
                + lfs.get("size").asLong());
      }
      Optional<FileDigest> digest =
          FileDigest.of(
              lfs.hasNonNull("sha256")
                  ? lfs.get("sha256").asText()
                  : lfs.isObject() ? "" : sibling.path("blobId").asText());
      entries.add(new Entry(path, size, digest));
    }
    return new HubListing(commit, List.copyOf(entries));
  }

  private static void checkPath(HubAddress address, String path, JsonNode sibling) {
    String wrong = null;
    if (path.isEmpty() || path.length() > 500) {
      wrong = "has no usable name";
    } else if (path.startsWith("/") || path.contains("\\") || path.contains(":")) {
      wrong = "is no path within the repository";
    } else if (List.of(path.split("/", -1)).stream()
        .anyMatch(s -> s.isEmpty() || s.equals(".") || s.equals(".."))) {
      wrong = "leads out of the repository";
    } else if (path.chars().anyMatch(c -> c < 0x20 || c == 0x7f)) {
      wrong = "has control characters in its name";
    } else if (sibling.path("type").asText("file").equals("symlink")
        || sibling.path("mode").asText().equals("120000")) {
      wrong = "is a symbolic link";
    }
    if (wrong != null) {
      throw new HubException(
          address
              + ": the listing's file '"
              + brief(path)
              + "' "
              + wrong
              + "; nothing was fetched");
    }
  }

  /**
   * The text files to fetch. Weights are chosen when the index of shards, if there is one, has been
   * read.
   */
  List<Entry> text() {
    return top().filter(e -> TEXT.contains(suffix(e.path())) && e.size() <= LARGEST_TEXT).toList();
  }

  /** The index of the weights' shards, where there is one. */
  Optional<Entry> index() {
    return top().filter(e -> e.path().equals(INDEX)).findFirst();
  }

  /**
   * The weights to fetch: the shards that the index names, or all that lie at the top.
   *
   * @param index content of the index; none without one
   * @throws HubException naming what there is instead, if there are none
   */
  List<Entry> weights(Optional<byte[]> index, HubAddress address) {
    List<Entry> all = top().filter(e -> suffix(e.path()).equals(WEIGHTS)).toList();
    if (all.isEmpty()) {
      throw new HubException(noWeights(address));
    }
    List<Entry> whole = all.stream().filter(e -> e.path().equals("model.safetensors")).toList();
    if (!whole.isEmpty()) {
      return whole;
    }
    if (index.isEmpty()) {
      return all;
    }
    Set<String> named = new TreeSet<>();
    try {
      Json.mapper()
          .readTree(index.get())
          .path("weight_map")
          .forEach(file -> named.add(file.asText()));
    } catch (IOException e) {
      throw new HubException(address + ": " + INDEX + " is not JSON");
    }
    List<Entry> shards = all.stream().filter(e -> named.contains(e.path())).toList();
    Set<String> missing = new TreeSet<>(named);
    shards.forEach(shard -> missing.remove(shard.path()));
    if (!missing.isEmpty() || shards.isEmpty()) {
      throw new HubException(
          address + ": " + INDEX + " names files that are not in the repository: " + missing);
    }
    return shards;
  }

  private String noWeights(HubAddress address) {
    List<String> pickles =
        entries.stream().map(Entry::path).filter(p -> PICKLES.contains(suffix(p))).toList();
    if (!pickles.isEmpty()) {
      return address
          + " has its weights only in formats that run code when they are read, which are never"
          + " fetched: "
          + pickles.stream().map(HubListing::brief).limit(5).collect(Collectors.joining(", "))
          + (pickles.size() > 5 ? ", …" : "")
          + ". Look for a revision with .safetensors files, or convert them.";
    }
    return address + " has no .safetensors file; it has " + entries.size() + " other files";
  }

  private java.util.stream.Stream<Entry> top() {
    return entries.stream().filter(e -> e.path().indexOf('/') < 0);
  }

  private static String suffix(String path) {
    int dot = path.lastIndexOf('.');
    return dot < 0 ? "" : path.substring(dot).toLowerCase(Locale.ROOT);
  }

  private static String brief(String text) {
    String printable = text.replaceAll("\\p{Cntrl}", "?");
    return printable.length() <= 80 ? printable : printable.substring(0, 80) + "…";
  }
}
