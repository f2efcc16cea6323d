package dev.cambium.cli;

import dev.cambium.ledger.Recorded;
import dev.cambium.loop.Cambium;
import dev.cambium.loop.Target;
import dev.cambium.loop.explain.TelemetryHistory;
import dev.cambium.loop.gate.Verdict;
import dev.cambium.model.Channel;
import dev.cambium.model.Fact;
import dev.cambium.model.FileEntry;
import dev.cambium.model.Manifest;
import dev.cambium.model.VersionRef;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code cambium show}. */
@Command(
    name = "show",
    description =
        "Show one version: its files, what it is built on, how it learnt, how it was judged.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  cambium show banking@3",
      "  cambium show banking@candidate",
      "  cambium show banking"
    })
final class ShowCommand extends Subcommand.OnEcosystem {

  @Parameters(
      index = "0",
      paramLabel = "LINE[@N|@CHANNEL]",
      converter = Words.TargetWord.class,
      description = "The version.")
  private @Nullable Target target;

  @Override
  int on(Cambium cambium, Console console) {
    VersionRef ref = cambium.resolve(Objects.requireNonNull(target));
    Recorded<Fact.VersionRegistered> recorded = cambium.state().version(ref).orElseThrow();
    Fact.VersionRegistered version = recorded.fact();
    Manifest manifest = cambium.manifest(ref);
    List<Channel> channels =
        cambium.state().channels(ref.line()).entrySet().stream()
            .filter(e -> e.getValue().equals(ref))
            .map(Map.Entry::getKey)
            .toList();
    List<VersionRef> children =
        Stream.concat(
                cambium.state().children(ref).stream(), cambium.state().mergedFrom(ref).stream())
            .map(c -> c.fact().version())
            .distinct()
            .toList();
    List<Verdict> verdicts =
        cambium.state().verdicts(ref).stream()
            .map(v -> cambium.evidence(v.fact().evidence()))
            .toList();
    Optional<TelemetryHistory.OfVersion> telemetry = cambium.telemetry().of(ref);
    if (console.json()) {
      Map<String, Object> told = new LinkedHashMap<>();
      told.put("version", version);
      told.put("record", recorded.index());
      told.put("time", recorded.time());
      told.put("manifest", manifest);
      told.put("channels", channels);
      told.put("children", children);
      told.put("verdicts", verdicts);
      telemetry.ifPresent(found -> told.put("telemetry", found));
      console.json(told);
      return ExitCode.DONE;
    }
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of(console.tone(Console.Tone.STRONG, ref.toString()), label(version.kind())));
    row(rows, "  digest", version.manifest().toString());
    row(
        rows,
        "  made",
        Texts.time(recorded.time())
            + " by "
            + recorded.actor()
            + ", record "
            + recorded.index()
            + (version.campaign() == null ? "" : ", campaign " + version.campaign()));
    row(rows, "  built on", version.parent());
    row(
        rows,
        "  merged from",
        version.sources().isEmpty()
            ? null
            : version.sources().stream()
                .map(VersionRef::toString)
                .collect(Collectors.joining(", ")));
    row(rows, "  follows", version.predecessor());
    row(rows, "  carried by", version.rung() == null ? null : label(version.rung()));
    row(
        rows,
        "  channels",
        channels.isEmpty()
            ? "none"
            : channels.stream().map(Channel::label).collect(Collectors.joining(", ")));
    row(
        rows,
        "  built on it",
        children.isEmpty()
            ? null
            : children.stream().map(VersionRef::toString).collect(Collectors.joining(", ")));
    row(
        rows,
        "  data",
        version.data().isEmpty()
            ? null
            : version.data().stream().map(d -> d.brief()).collect(Collectors.joining(", ")));
    row(rows, "  note", version.note().isEmpty() ? null : version.note());
    console.table(rows);
    console.line("");
    List<List<String>> files = new ArrayList<>();
    files.add(List.of("FILE", "SIZE", "DIGEST"));
    for (FileEntry file : manifest.files()) {
      files.add(List.of(file.path(), Texts.bytes(file.size()), file.digest().brief()));
    }
    console.table(files);
    telemetry.ifPresent(found -> TelemetryText.write(found, console));
    verdicts.forEach(verdict -> VerdictText.write(verdict, console));
    return ExitCode.DONE;
  }

  private static String label(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }

  private static void row(List<List<String>> rows, String name, @Nullable Object value) {
    if (value != null) {
      rows.add(List.of(name, value.toString()));
    }
  }
}
