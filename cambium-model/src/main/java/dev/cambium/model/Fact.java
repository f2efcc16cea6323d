package dev.cambium.model;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What happened, as the ledger keeps it. State is what one gets by replaying facts in order; what
 * is large (plans, evidence, outcomes) is in the artifact store under the digest that a fact names.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "fact")
@JsonSubTypes({
  @JsonSubTypes.Type(value = Fact.EcosystemDeclared.class, name = "ecosystem-declared"),
  @JsonSubTypes.Type(value = Fact.VersionRegistered.class, name = "version-registered"),
  @JsonSubTypes.Type(value = Fact.SignalReceived.class, name = "signal-received"),
  @JsonSubTypes.Type(value = Fact.CampaignOpened.class, name = "campaign-opened"),
  @JsonSubTypes.Type(value = Fact.DecisionTaken.class, name = "decision-taken"),
  @JsonSubTypes.Type(value = Fact.ActionFinished.class, name = "action-finished"),
  @JsonSubTypes.Type(value = Fact.VerdictReached.class, name = "verdict-reached"),
  @JsonSubTypes.Type(value = Fact.ChannelMoved.class, name = "channel-moved"),
  @JsonSubTypes.Type(value = Fact.LineSettled.class, name = "line-settled"),
  @JsonSubTypes.Type(value = Fact.CampaignClosed.class, name = "campaign-closed"),
  @JsonSubTypes.Type(value = Fact.KeyRotated.class, name = "key-rotated")
})
public sealed interface Fact {

  /** Every artifact that this fact refers to, and that must therefore be kept. */
  default List<Digest> artifacts() {
    return List.of();
  }

  /**
   * A person approved that a suite changed, so that what it asks for now is intended.
   *
   * @param from artifact of the suite that was in force
   * @param to artifact of the suite that is in force from now on
   * @param comparable whether added items ask for nothing new, so that versions may be compared on
   *     them as on the others
   * @param reason for people
   */
  record SuiteApproval(Digest from, Digest to, boolean comparable, String reason) {}

  /**
   * The ecosystem was declared, or declared anew.
   *
   * @param name of the ecosystem
   * @param declaration artifact: {@code ecosystem.yaml} as read
   * @param suites artifact of the suite in force of each capability, by capability
   * @param pending artifact of each suite that was changed and is not in force, as nobody has
   *     approved that; by capability
   * @param approved the changes of suites that this declaration brings into force, by capability
   */
  record EcosystemDeclared(
      String name,
      Digest declaration,
      SortedMap<String, Digest> suites,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) SortedMap<String, Digest> pending,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) SortedMap<String, SuiteApproval> approved)
      implements Fact {

    /** With every suite in force as it is written. */
    public EcosystemDeclared(String name, Digest declaration, SortedMap<String, Digest> suites) {
      this(name, declaration, suites, new TreeMap<>(), new TreeMap<>());
    }

    @SuppressWarnings("ConstantValue") // absent in JSON is null here
    public EcosystemDeclared {
      suites = java.util.Collections.unmodifiableSortedMap(new TreeMap<>(suites));
      pending =
          pending == null
              ? java.util.Collections.emptySortedMap()
              : java.util.Collections.unmodifiableSortedMap(new TreeMap<>(pending));
      approved =
          approved == null
              ? java.util.Collections.emptySortedMap()
              : java.util.Collections.unmodifiableSortedMap(new TreeMap<>(approved));
    }

    /** Whether the same holds after both; approvals are what led there. */
    public boolean sameState(EcosystemDeclared other) {
      return name.equals(other.name)
          && declaration.equals(other.declaration)
          && suites.equals(other.suites)
          && pending.equals(other.pending);
    }

    @Override
    public List<Digest> artifacts() {
      return java.util.stream.Stream.of(List.of(declaration), suites.values(), pending.values())
          .flatMap(java.util.Collection::stream)
          .toList();
    }
  }

  /**
   * A version was made or imported.
   *
   * @param version its name
   * @param manifest artifact: the {@link Manifest}, whose digest is the version's identity
   * @param parent the version it is built on
   * @param predecessor the version of the same line that it was made from, if any
   * @param rung how it was carried, when it was carried to a new parent
   * @param action key of the action that made it; none for an import
   * @param campaign that made it; none for an import
   * @param data artifacts of all training data that this version has seen since its parent
   * @param sources the versions that it was merged from; empty if it was not
   * @param note where it came from, for people
   */
  record VersionRegistered(
      VersionRef version,
      Digest manifest,
      VersionKind kind,
      @Nullable VersionRef parent,
      @Nullable VersionRef predecessor,
      @Nullable Rung rung,
      @Nullable Digest action,
      @Nullable String campaign,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) List<Digest> data,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) List<VersionRef> sources,
      String note)
      implements Fact {
    @SuppressWarnings("ConstantValue") // absent in JSON is null here
    public VersionRegistered {
      data = data == null ? List.of() : List.copyOf(data);
      sources = sources == null ? List.of() : List.copyOf(sources);
    }

    /** A version that was not merged. */
    public VersionRegistered(
        VersionRef version,
        Digest manifest,
        VersionKind kind,
        @Nullable VersionRef parent,
        @Nullable VersionRef predecessor,
        @Nullable Rung rung,
        @Nullable Digest action,
        @Nullable String campaign,
        List<Digest> data,
        String note) {
      this(
          version,
          manifest,
          kind,
          parent,
          predecessor,
          rung,
          action,
          campaign,
          data,
          List.of(),
          note);
    }

    @Override
    public List<Digest> artifacts() {
      return java.util.stream.Stream.concat(java.util.stream.Stream.of(manifest), data.stream())
          .toList();
    }
  }

  /** Why an update is wanted. */
  enum SignalKind {
    /** New training data for a line. */
    @JsonProperty("data")
    DATA,
    /** A new version of a line that others are built on. */
    @JsonProperty("upstream")
    UPSTREAM
  }

  /**
   * A reason to update arrived.
   *
   * @param signal its id, {@code s1}, {@code s2}, …
   * @param line the line concerned
   * @param train artifact: rows to learn, for {@link SignalKind#DATA}
   * @param heldOut artifact: rows set aside for searches, never trained on
   * @param rows how many rows were kept
   * @param upstream the new version, for {@link SignalKind#UPSTREAM}
   * @param note for people
   */
  record SignalReceived(
      String signal,
      SignalKind kind,
      String line,
      @Nullable Digest train,
      @Nullable Digest heldOut,
      int rows,
      @Nullable VersionRef upstream,
      String note)
      implements Fact {
    @Override
    public List<Digest> artifacts() {
      return java.util.stream.Stream.of(train, heldOut)
          .filter(java.util.Objects::nonNull)
          .map(java.util.Objects::requireNonNull)
          .toList();
    }
  }

  /**
   * A campaign began.
   *
   * @param campaign its id, {@code c1}, {@code c2}, …
   * @param signals that it answers
   * @param plan artifact: the plan as accepted
   */
  record CampaignOpened(String campaign, List<String> signals, Digest plan) implements Fact {
    public CampaignOpened {
      signals = List.copyOf(signals);
    }

    @Override
    public List<Digest> artifacts() {
      return List.of(plan);
    }
  }

  /** Somebody decided at a decision point of a campaign. */
  record DecisionTaken(String campaign, String point, boolean approved, String reason)
      implements Fact {}

  /**
   * An action was carried out.
   *
   * @param action its key
   * @param kind train, transplant, merge, evaluate or probe
   * @param spec artifact: the {@link Action}
   * @param outputs artifacts of the result, by path
   * @param seconds wall time
   * @param fingerprint of the engine
   */
  record ActionFinished(
      Digest action,
      String kind,
      Digest spec,
      SortedMap<String, Digest> outputs,
      double seconds,
      String fingerprint)
      implements Fact {
    public ActionFinished {
      outputs = java.util.Collections.unmodifiableSortedMap(new TreeMap<>(outputs));
    }

    @Override
    public List<Digest> artifacts() {
      return java.util.stream.Stream.concat(
              java.util.stream.Stream.of(spec), outputs.values().stream())
          .toList();
    }
  }

  /**
   * A gate decided.
   *
   * @param candidate the version judged
   * @param reference the version it was compared with; none for a first release
   * @param decision PASS, FAIL or INCONCLUSIVE
   * @param evidence artifact: the verdict with its evidence
   * @param campaign in which; none for a judgement outside of campaigns
   * @param score mean of what was measured, from 0 to 1, so that an overview of a fleet need not
   *     read all evidence; none where nothing was, and in records from before there was this field
   */
  record VerdictReached(
      VersionRef candidate,
      @Nullable VersionRef reference,
      Decision decision,
      Digest evidence,
      @Nullable String campaign,
      @Nullable Double score)
      implements Fact {

    /** A verdict that tells no score. */
    public VerdictReached(
        VersionRef candidate,
        @Nullable VersionRef reference,
        Decision decision,
        Digest evidence,
        @Nullable String campaign) {
      this(candidate, reference, decision, evidence, campaign, null);
    }

    @Override
    public List<Digest> artifacts() {
      return List.of(evidence);
    }
  }

  /** Why a channel moved. */
  enum Movement {
    @JsonProperty("candidate")
    CANDIDATE,
    @JsonProperty("release")
    RELEASE,
    @JsonProperty("rollback")
    ROLLBACK
  }

  /**
   * A channel moved.
   *
   * @param from what it pointed to before; none the first time
   * @param to what it points to now
   * @param evidence the verdict that allows a release
   */
  record ChannelMoved(
      String line,
      Channel channel,
      @Nullable VersionRef from,
      VersionRef to,
      Movement movement,
      @Nullable Digest evidence,
      String reason)
      implements Fact {}

  /** How a campaign left a line. */
  enum Settlement {
    /** A new version became stable. */
    @JsonProperty("released")
    RELEASED,
    /** Its files are kept on the new parent: nothing was trained. */
    @JsonProperty("kept")
    KEPT,
    /** What it depends on did not change, so nothing was run. */
    @JsonProperty("cut-off")
    CUT_OFF,
    /** The gate failed every candidate: the line stays where it was. */
    @JsonProperty("rejected")
    REJECTED,
    /** The evidence did not suffice: the line stays where it was. */
    @JsonProperty("held")
    HELD
  }

  /**
   * A campaign is done with a line.
   *
   * @param version the line's stable version afterwards; none if it has none
   * @param rung that carried it, if one did
   */
  record LineSettled(
      String campaign,
      String line,
      Settlement settlement,
      @Nullable VersionRef version,
      @Nullable Rung rung,
      String reason)
      implements Fact {}

  /** How a campaign ended. */
  enum CampaignOutcome {
    @JsonProperty("released")
    RELEASED,
    @JsonProperty("rejected")
    REJECTED,
    @JsonProperty("inconclusive")
    INCONCLUSIVE,
    @JsonProperty("declined")
    DECLINED
  }

  /**
   * A campaign ended.
   *
   * @param summary counts of settlements, by their written form
   */
  record CampaignClosed(String campaign, CampaignOutcome outcome, Map<String, Integer> summary)
      implements Fact {
    public CampaignClosed {
      summary = java.util.Collections.unmodifiableMap(new TreeMap<>(summary));
    }
  }

  /**
   * The key that signs the log was replaced. The checkpoint that ends with this record is signed by
   * both keys: the old one vouches for the new one, and the new one shows that somebody holds it.
   * Every later checkpoint is signed by the new one alone.
   *
   * @param from the key before, in the written form of a C2SP verifier key
   * @param to the key afterwards, likewise
   * @param reason for people
   */
  record KeyRotated(String from, String to, String reason) implements Fact {}
}
