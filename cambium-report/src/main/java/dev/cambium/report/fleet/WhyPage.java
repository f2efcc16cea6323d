package dev.cambium.report.fleet;

import dev.cambium.ledger.LedgerState;
import dev.cambium.loop.Cambium;
import dev.cambium.loop.explain.ItemOutcomes;
import dev.cambium.loop.explain.Why;
import dev.cambium.loop.explain.WhyNode;
import dev.cambium.model.Digest;
import dev.cambium.model.Item;
import dev.cambium.model.Judgement;
import dev.cambium.model.Message;
import dev.cambium.model.Outcome;
import dev.cambium.model.Record;
import dev.cambium.model.Row;
import dev.cambium.model.VersionRef;
import dev.cambium.report.Block;
import dev.cambium.report.Note;
import dev.cambium.report.ReportPage;
import dev.cambium.report.Section;
import dev.cambium.report.TextTable;
import dev.cambium.report.TextTable.Cell;
import dev.cambium.report.TextTable.Tone;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * One page that explains a version: what it comes from, what judged it and on which items, which
 * rows it learnt from, and who decided what.
 */
public final class WhyPage {

  private final Cambium cambium;
  private final int rowsShown;

  /**
   * @param rowsShown rows of each data set that the page holds; it says how many more there are
   */
  public WhyPage(Cambium cambium, int rowsShown) {
    this.cambium = cambium;
    this.rowsShown = rowsShown;
  }

  /** The page about a version. */
  public ReportPage of(VersionRef version) {
    WhyNode why = cambium.why(version);
    TreeSet<Long> records = new TreeSet<>();
    Map<Digest, String> data = new LinkedHashMap<>();
    collect(why, records, data);
    List<VersionRef> judged = new ArrayList<>(List.of(version));
    judged.addAll(cambium.state().ancestors(version));
    List<ItemOutcomes.OfVerdict> verdicts = cambium.outcomes(judged);
    return new ReportPage(
        "Why " + version,
        "Every statement names the record of the signed ledger that says so; times are UTC.",
        List.of(
            new Section(
                "Where it comes from",
                "What it was made of, by what, and why it was let through.",
                List.of(FleetViews.why(why)),
                false),
            new Section(
                "What judged it",
                "The verdicts on it and on what it is built on, with every item's outcome.",
                judgements(verdicts),
                false),
            new Section(
                "What it learnt from",
                "The rows of the data that its training and that of what it is built on used.",
                rows(data),
                false),
            new Section(
                "Who did what",
                "The records that this page rests on, with who wrote them.",
                List.of(people(records)),
                false)),
        "Made by cambium why from " + cambium.state().size() + " records.");
  }

  private static void collect(WhyNode node, TreeSet<Long> records, Map<Digest, String> data) {
    if (node.record() != null) {
      records.add(node.record());
    }
    Digest artifact = node.artifact();
    if (artifact != null && (node.kind().equals("data") || node.kind().equals("mix"))) {
      data.merge(
          artifact,
          node.detail() == null ? "" : node.detail(),
          (one, other) -> one.isEmpty() ? other : one);
    }
    node.because().forEach(cause -> collect(cause, records, data));
  }

  private static List<Block> judgements(List<ItemOutcomes.OfVerdict> verdicts) {
    List<Block> blocks = new ArrayList<>();
    for (ItemOutcomes.OfVerdict verdict : verdicts) {
      blocks.add(FleetViews.verdict(verdict.verdict()));
      for (ItemOutcomes.OfCapability capability : verdict.capabilities()) {
        blocks.add(items(verdict, capability));
      }
    }
    return blocks.isEmpty() ? List.of(new Note("No verdict was reached on it.")) : blocks;
  }

  private static TextTable items(
      ItemOutcomes.OfVerdict verdict, ItemOutcomes.OfCapability capability) {
    List<List<Cell>> rows = new ArrayList<>();
    for (ItemOutcomes.OfItem item : capability.items()) {
      rows.add(
          List.of(
              Cell.said(item.item().id()).in(Tone.QUIET),
              Cell.said(tags(item.item().tags())).in(Tone.QUIET),
              Cell.said(asked(item.item())),
              Cell.said(item.item().answer() == null ? "" : item.item().answer()),
              said(item.reference()),
              said(item.candidate()),
              Cell.of(item.leftOut() ? "left out: learnt before" : changed(item)),
              Cell.of(
                      (item.referenceRecord() == null ? "" : item.referenceRecord() + ", ")
                          + (item.candidateRecord() == null ? "none" : item.candidateRecord()))
                  .in(Tone.QUIET)));
    }
    return new TextTable(
        capability.capability()
            + " of "
            + verdict.verdict().candidate()
            + ": "
            + rows.size()
            + " items (record "
            + verdict.record()
            + ")",
        List.of("item", "tags", "asked", "right answer", "before", "now", "", "records"),
        rows,
        "Suite "
            + capability.suite()
            + (capability.agrees()
                ? ""
                : ". The recorded evaluations do not give the scores that the verdict names"),
        true);
  }

  private static String changed(ItemOutcomes.OfItem item) {
    if (item.candidate() == null || item.reference() == null) {
      return "";
    }
    boolean before = item.reference().judgement() == Judgement.RIGHT;
    boolean now = item.candidate().judgement() == Judgement.RIGHT;
    return before == now ? "" : before ? "lost" : "won";
  }

  private static Cell said(@Nullable Outcome outcome) {
    if (outcome == null) {
      return Cell.of("");
    }
    return Cell.said(outcome.output().isEmpty() ? score(outcome) : outcome.output())
        .in(
            switch (outcome.judgement()) {
              case RIGHT -> Tone.GOOD;
              case WRONG -> Tone.BAD;
              case UNDECIDABLE -> Tone.DOUBTFUL;
            });
  }

  private static String score(Outcome outcome) {
    return String.format(
        Locale.ROOT,
        "%s, %.3f",
        outcome.judgement().name().toLowerCase(Locale.ROOT),
        outcome.score());
  }

  private List<Block> rows(Map<Digest, String> data) {
    List<Block> blocks = new ArrayList<>();
    data.forEach(
        (digest, detail) -> {
          List<Row> rows = cambium.rows(digest);
          List<Row> shown = rows.subList(0, Math.min(rowsShown, rows.size()));
          blocks.add(
              new TextTable(
                  digest.brief() + ": " + rows.size() + " rows",
                  List.of("row", "tags", "text"),
                  shown.stream()
                      .map(
                          row ->
                              List.of(
                                  Cell.said(row.id()).in(Tone.QUIET),
                                  Cell.said(tags(row.tags())).in(Tone.QUIET),
                                  Cell.said(text(row.text(), row.messages()))))
                      .toList(),
                  "Artifact "
                      + digest
                      + (detail.isEmpty() ? "" : "; " + detail)
                      + (shown.size() < rows.size()
                          ? "; the first " + shown.size() + " of " + rows.size() + " rows"
                          : ""),
                  true));
        });
    return blocks.isEmpty() ? List.of(new Note("No data: it was imported as it is.")) : blocks;
  }

  private TextTable people(TreeSet<Long> records) {
    List<List<Cell>> rows = new ArrayList<>();
    LedgerState state = cambium.state();
    for (long index : records) {
      Optional<Record> record = state.record(index);
      record.ifPresent(
          found ->
              rows.add(
                  List.of(
                      Cell.of(Long.toString(index)),
                      Cell.of(Why.time(found.time())),
                      Cell.said(found.actor()),
                      Cell.said(
                          dev.cambium.model.Json.mapper()
                              .valueToTree(found.fact())
                              .path("fact")
                              .asText()))));
    }
    return new TextTable(
        rows.size() + " records",
        List.of("record", "time", "who", "what"),
        rows,
        "cambium log shows each of them in full, cambium prove proves it to others",
        false);
  }

  private static String asked(Item item) {
    return text(item.text(), item.messages());
  }

  private static String text(@Nullable String text, List<Message> messages) {
    if (text != null) {
      return text;
    }
    StringBuilder said = new StringBuilder();
    for (Message message : messages) {
      said.append(said.isEmpty() ? "" : "\n")
          .append(message.role())
          .append(": ")
          .append(message.summary());
    }
    return said.toString();
  }

  private static String tags(Map<String, String> tags) {
    List<String> words = new ArrayList<>();
    tags.forEach((name, value) -> words.add(name + ": " + value));
    return String.join(", ", words);
  }
}
