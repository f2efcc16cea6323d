package dev.cambium.loop.explain;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cambium.artifact.ArtifactStore;
import dev.cambium.ledger.LedgerState;
import dev.cambium.ledger.Recorded;
import dev.cambium.model.Action;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.FileEntry;
import dev.cambium.model.Json;
import dev.cambium.model.Manifest;
import dev.cambium.model.Record;
import dev.cambium.model.VersionRef;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What the ledger says of a version or an action, as an in-toto Statement v1 with the SLSA
 * provenance v1 predicate. It is a function of the records alone: the same record gives the same
 * bytes at any time, so that whoever has the ledger can tell whether a statement is its own.
 *
 * <p>Subjects are what was made, {@code resolvedDependencies} everything that the action names by
 * digest, {@code externalParameters} the action as it was asked for, with its recipe and seed, and
 * the engine's fingerprint is the builder's version.
 */
public final class Statements {

  /** The type of the envelope's payload, as in-toto defines it. */
  public static final String PAYLOAD_TYPE = "application/vnd.in-toto+json";

  private static final String STATEMENT = "https://in-toto.io/Statement/v1";
  private static final String PROVENANCE = "https://slsa.dev/provenance/v1";
  private static final String BUILD_TYPE = "https://cambium.dev/build/";
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  private final LedgerState state;
  private final ArtifactStore store;
  private final String origin;

  /**
   * Statements about a ledger's records.
   *
   * @param origin the ledger's name
   */
  public Statements(LedgerState state, ArtifactStore store, String origin) {
    this.state = state;
    this.store = store;
    this.origin = origin;
  }

  /**
   * The statement about a record, as canonical JSON.
   *
   * @throws IllegalArgumentException if there is no such record, or it made nothing
   */
  public byte[] of(long index) {
    Record record =
        state.record(index).orElseThrow(() -> new IllegalArgumentException("no record " + index));
    ObjectNode statement = NODES.objectNode();
    statement.put("_type", STATEMENT);
    statement.put("predicateType", PROVENANCE);
    if (record.fact() instanceof Fact.VersionRegistered version) {
      describe(statement, record, version);
    } else if (record.fact() instanceof Fact.ActionFinished action) {
      describe(statement, record, action);
    } else {
      throw new IllegalArgumentException(
          "record " + index + " made nothing: only a version or an action can be attested");
    }
    return Json.canonical(statement);
  }

  /**
   * The record that a statement is about, by its own word.
   *
   * @throws IllegalArgumentException if it is no statement of this ledger's
   */
  public long record(byte[] statement) {
    JsonNode internal =
        Json.read(statement, JsonNode.class)
            .path("predicate")
            .path("buildDefinition")
            .path("internalParameters");
    if (!internal.path("ledger").asText().equals(origin)
        || !internal.path("record").canConvertToLong()) {
      throw new IllegalArgumentException("not a statement about a record of " + origin);
    }
    return internal.path("record").asLong();
  }

  private void describe(ObjectNode statement, Record record, Fact.VersionRegistered version) {
    ArrayNode subject = statement.putArray("subject");
    subject.add(subject(version.version().toString(), version.manifest()));
    Manifest manifest = Json.read(store.bytes(version.manifest()), Manifest.class);
    for (FileEntry file : manifest.files()) {
      subject.add(subject(version.version() + "/" + file.path(), file.digest()));
    }
    Optional<Recorded<Fact.ActionFinished>> action =
        Optional.ofNullable(version.action()).flatMap(state::action);
    ObjectNode parameters = NODES.objectNode();
    Set<JsonNode> dependencies = new LinkedHashSet<>();
    action.ifPresent(done -> spec(done.fact(), parameters, dependencies));
    parameters.put("kind", version.kind().name().toLowerCase(Locale.ROOT));
    parameters.put("note", version.note());
    if (version.rung() != null) {
      parameters.put("rung", version.rung().name().toLowerCase(Locale.ROOT));
    }
    if (version.parent() != null) {
      dependency(version.parent(), "parent", dependencies);
    }
    for (VersionRef source : version.sources()) {
      dependency(source, "source", dependencies);
    }
    if (version.predecessor() != null) {
      dependency(version.predecessor(), "predecessor", dependencies);
    }
    for (Digest data : version.data()) {
      dependencies.add(dependency("data", data));
    }
    predicate(
        statement,
        action.map(done -> done.fact().kind()).orElse("registered"),
        parameters,
        dependencies,
        record,
        action);
  }

  private void describe(ObjectNode statement, Record record, Fact.ActionFinished action) {
    ArrayNode subject = statement.putArray("subject");
    action.outputs().forEach((path, digest) -> subject.add(subject(path, digest)));
    ObjectNode parameters = NODES.objectNode();
    Set<JsonNode> dependencies = new LinkedHashSet<>();
    spec(action, parameters, dependencies);
    predicate(
        statement,
        action.kind(),
        parameters,
        dependencies,
        record,
        Optional.of(new Recorded<>(record.index(), record.time(), record.actor(), action)));
  }

  private void spec(Fact.ActionFinished action, ObjectNode parameters, Set<JsonNode> dependencies) {
    JsonNode spec = Json.mapper().valueToTree(Json.read(store.bytes(action.spec()), Action.class));
    parameters.set("action", spec);
    named("", spec, dependencies);
  }

  /** Whatever a value names by digest, under the path of the name. */
  private void named(String path, JsonNode value, Set<JsonNode> dependencies) {
    if (value.isTextual() && value.asText().startsWith("sha256:")) {
      dependencies.add(dependency(path, Digest.parse(value.asText())));
    } else if (value.isObject()) {
      for (Map.Entry<String, JsonNode> field : value.properties()) {
        named(
            path.isEmpty() ? field.getKey() : path + "/" + field.getKey(),
            field.getValue(),
            dependencies);
      }
    } else if (value.isArray()) {
      for (int i = 0; i < value.size(); i++) {
        named(path + "/" + i, value.get(i), dependencies);
      }
    }
  }

  private void dependency(VersionRef version, String name, Set<JsonNode> dependencies) {
    state
        .version(version)
        .ifPresent(found -> dependencies.add(dependency(name, found.fact().manifest())));
  }

  /** A material; if it is a version, under its name. */
  private JsonNode dependency(String name, Digest digest) {
    ObjectNode dependency = subject(name, digest);
    List<Recorded<Fact.VersionRegistered>> versions = state.versionsByManifest(digest);
    if (!versions.isEmpty()) {
      dependency.put("uri", "cambium:" + versions.get(0).fact().version());
    }
    return dependency;
  }

  private static ObjectNode subject(String name, Digest digest) {
    ObjectNode subject = NODES.objectNode();
    subject.put("name", name);
    subject.putObject("digest").put("sha256", digest.hex());
    return subject;
  }

  private void predicate(
      ObjectNode statement,
      String buildType,
      ObjectNode parameters,
      Set<JsonNode> dependencies,
      Record record,
      Optional<Recorded<Fact.ActionFinished>> action) {
    ObjectNode predicate = statement.putObject("predicate");
    ObjectNode definition = predicate.putObject("buildDefinition");
    definition.put("buildType", BUILD_TYPE + buildType + "/v1");
    definition.set("externalParameters", parameters);
    ObjectNode internal = definition.putObject("internalParameters");
    internal.put("ledger", origin);
    internal.put("record", record.index());
    definition.putArray("resolvedDependencies").addAll(dependencies);

    ObjectNode details = predicate.putObject("runDetails");
    ObjectNode builder = details.putObject("builder");
    builder.put("id", "https://" + origin);
    ObjectNode metadata = details.putObject("metadata");
    action.ifPresent(
        done -> {
          builder.putObject("version").put("engine", done.fact().fingerprint());
          metadata.put("invocationId", done.fact().action().toString());
          metadata.put(
              "startedOn",
              done.time().minusMillis(Math.round(1000 * done.fact().seconds())).toString());
          metadata.put("finishedOn", done.time().toString());
        });
    ArrayNode byproducts = details.putArray("byproducts");
    byproducts.add(subject("record " + record.index(), Json.digest(record)));
    action
        .filter(done -> done.index() != record.index())
        .flatMap(done -> state.record(done.index()))
        .ifPresent(made -> byproducts.add(subject("record " + made.index(), Json.digest(made))));
  }
}
