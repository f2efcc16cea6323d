package dev.cambium.loop;

import dev.cambium.artifact.ArtifactStore;
import dev.cambium.ledger.ConflictException;
import dev.cambium.ledger.Ledger;
import dev.cambium.ledger.Precondition;
import dev.cambium.ledger.Recorded;
import dev.cambium.loop.declaration.Declaration;
import dev.cambium.loop.gate.Suite;
import dev.cambium.model.Channel;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Item;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What an ecosystem promises: its declaration, and the suites in force.
 *
 * <p>A suite is what a promise is measured by, so whoever changes it can make a broken promise look
 * kept. Therefore a changed file comes into force by itself only as long as nothing was released by
 * the suite. After that it waits for somebody's approval, and gates go on with the suite as it was.
 */
final class Declarations {

  /** A declaration that another one came before is made again. */
  private static final int TRIES = 3;

  private final Cambium cambium;
  private final Ledger ledger;
  private final ArtifactStore store;
  private final String actor;

  Declarations(Cambium cambium, Ledger ledger, ArtifactStore store, String actor) {
    this.cambium = cambium;
    this.ledger = ledger;
    this.store = store;
    this.actor = actor;
  }

  /** See {@link Cambium#declare}. */
  Declaration declare() {
    for (int tries = 1; ; tries++) {
      try {
        return declareOnce();
      } catch (ConflictException e) {
        if (tries == TRIES) {
          throw e;
        }
      }
    }
  }

  private Declaration declareOnce() {
    Declaration declaration = Declaration.load(cambium.directory());
    SortedMap<String, Digest> written = written(declaration);
    Optional<Recorded<Fact.EcosystemDeclared>> last = cambium.state().ecosystem();
    SortedMap<String, Digest> inForce = new TreeMap<>(written);
    SortedMap<String, Digest> pending = new TreeMap<>();
    if (last.isPresent()) {
      SortedMap<String, Digest> before = new TreeMap<>(last.get().fact().suites());
      before.keySet().retainAll(written.keySet());
      before.entrySet().removeIf(suite -> suite.getValue().equals(written.get(suite.getKey())));
      if (!before.isEmpty()) {
        before.keySet().retainAll(guarded(declaration));
      }
      before.forEach(
          (capability, suite) -> {
            inForce.put(capability, suite);
            pending.put(capability, Objects.requireNonNull(written.get(capability)));
          });
    }
    Fact.EcosystemDeclared fact =
        new Fact.EcosystemDeclared(
            declaration.name(), text(declaration), inForce, pending, new TreeMap<>());
    if (last.map(Recorded::fact).filter(fact::sameState).isEmpty()) {
      append(fact, last);
    }
    return declaration;
  }

  /** See {@link Cambium#suiteChanges}. */
  List<SuiteChange> changes() {
    Declaration declaration = declare();
    Fact.EcosystemDeclared fact = cambium.state().ecosystem().orElseThrow().fact();
    List<SuiteChange> changes = new ArrayList<>();
    fact.pending()
        .forEach(
            (capability, written) -> {
              Digest inForce = fact.suites().get(capability);
              if (inForce != null) {
                changes.add(
                    new SuiteChange(
                        capability,
                        declaration.capability(capability).suite(),
                        Suite.read(store.bytes(inForce)),
                        Suite.read(store.bytes(written))));
              }
            });
    return changes;
  }

  /** See {@link Cambium#approveSuites}. */
  List<SuiteChange> approve(Collection<String> capabilities, boolean comparable, String reason) {
    if (reason.isBlank()) {
      throw new IllegalArgumentException(
          "say why the suite was changed: the reason is what a verdict will name");
    }
    Declaration declaration = declare();
    capabilities.forEach(declaration::capability);
    List<SuiteChange> approved =
        changes().stream().filter(change -> capabilities.contains(change.capability())).toList();
    if (approved.isEmpty()) {
      return approved;
    }
    Recorded<Fact.EcosystemDeclared> before = cambium.state().ecosystem().orElseThrow();
    SortedMap<String, Digest> inForce = new TreeMap<>(before.fact().suites());
    SortedMap<String, Digest> pending = new TreeMap<>(before.fact().pending());
    SortedMap<String, Fact.SuiteApproval> approvals = new TreeMap<>();
    for (SuiteChange change : approved) {
      Digest from = change.inForce().digest();
      Digest to = change.written().digest();
      inForce.put(change.capability(), to);
      pending.remove(change.capability());
      approvals.put(
          change.capability(), new Fact.SuiteApproval(from, to, comparable, reason.strip()));
    }
    append(
        new Fact.EcosystemDeclared(
            before.fact().name(), before.fact().declaration(), inForce, pending, approvals),
        Optional.of(before));
    return approved;
  }

  private SortedMap<String, Digest> written(Declaration declaration) {
    SortedMap<String, List<Item>> items = declaration.suites(cambium.directory());
    SortedMap<String, Digest> written = new TreeMap<>();
    items.forEach((name, list) -> written.put(name, store.put(Suite.of(list).bytes())));
    return written;
  }

  private Digest text(Declaration declaration) {
    return store.put(declaration.yaml().getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Records a declaration.
   *
   * @param last what it was made from; a declaration that came between may have approved something
   */
  private void append(
      Fact.EcosystemDeclared fact, Optional<Recorded<Fact.EcosystemDeclared>> last) {
    ledger.append(
        actor,
        List.of(fact),
        List.of(
            new Precondition.NewestDeclaration(last.map(Recorded::index)),
            new Precondition.ArtifactsRenewed(fact.artifacts(), store::renew)));
  }

  /** The capabilities by which something stable was released. */
  private Set<String> guarded(Declaration declaration) {
    Set<String> guarded = new HashSet<>();
    for (String line : cambium.state().allAt(Channel.STABLE).keySet()) {
      if (declaration.lines().containsKey(line)) {
        guarded.addAll(declaration.contract(line).capabilities());
      }
    }
    return guarded;
  }
}
