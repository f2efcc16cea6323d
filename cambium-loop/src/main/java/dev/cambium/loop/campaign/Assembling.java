package dev.cambium.loop.campaign;

import dev.cambium.loop.action.ActionResult;
import dev.cambium.loop.action.EffectiveModel;
import dev.cambium.loop.declaration.Line;
import dev.cambium.loop.declaration.Merging;
import dev.cambium.model.Action;
import dev.cambium.model.Application;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Manifest;
import dev.cambium.model.MergeMethod;
import dev.cambium.model.Progress;
import dev.cambium.model.VersionKind;
import dev.cambium.model.VersionRef;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Candidates put together from what is there, without training: an application from its
 * declaration, a model by merging the versions of other lines.
 */
final class Assembling {

  private final Workspace workspace;

  Assembling(Workspace workspace) {
    this.workspace = workspace;
  }

  /** Makes an application's version from its declaration. */
  Candidate declared(Line line, VersionRef parent) {
    Application application = Objects.requireNonNull(line.application());
    workspace.store().put(application.bytes());
    Manifest manifest = application.on(workspace.registered(parent).manifest());
    workspace.versions().put(manifest);
    return new Candidate(manifest, null, null, List.of(), "from " + line.applicationFile());
  }

  /**
   * Merges the stable versions of other lines.
   *
   * @param parent what all of them must be built on
   */
  Candidate merged(
      Line line, Merging merging, VersionRef parent, List<VersionRef> sources, Progress progress)
      throws NotApplicableException {
    MergeMethod method = merging.method();
    Set<Digest> data = new LinkedHashSet<>();
    List<Action.Source> merged = new ArrayList<>();
    for (VersionRef source : sources) {
      Fact.VersionRegistered found = workspace.registered(source);
      if (!parent.equals(found.parent())) {
        throw new NotApplicableException(
            source
                + " is built on "
                + found.parent()
                + ", not on "
                + parent
                + "; what is merged must have come from the same model");
      }
      if (method.needsCalibration() && found.data().isEmpty()) {
        throw new NotApplicableException(
            source + " has no recorded training data, and the method looks at it");
      }
      EffectiveModel model = workspace.versions().effective(found.manifest());
      merged.add(
          new Action.Source(
              model.model(),
              model.adapter(),
              method.needsCalibration() ? found.data() : List.of()));
      data.addAll(found.data());
    }
    Digest base = workspace.versions().effective(workspace.registered(parent).manifest()).model();
    ActionResult result =
        workspace
            .actions()
            .run(
                new Action.Merge(method, method.needsBase() ? base : null, merged),
                Trainings.named(line, progress));
    return new Candidate(
        workspace
            .actions()
            .version(result, VersionKind.MODEL, workspace.registered(parent).manifest()),
        null,
        result.key(),
        List.copyOf(data),
        sources,
        String.format(
            Locale.ROOT,
            "merged from %s in %.1f s",
            sources.stream().map(VersionRef::toString).collect(Collectors.joining(", ")),
            result.seconds()));
  }
}
