package dev.cambium.report;

import dev.cambium.model.Decision;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A page that stands alone: one file, readable offline, on screen (light and dark) and on paper. It
 * holds no script and loads nothing, and a content security policy in it says so.
 *
 * @param title of the page
 * @param lead a sentence or two under it; may be empty
 * @param sections the parts
 * @param footer how it was made; may be empty
 */
public record ReportPage(String title, String lead, List<Section> sections, String footer) {

  private static final int FLIPS_SHOWN = 10;

  public ReportPage {
    sections = List.copyOf(sections);
  }

  /** The page, to be written as UTF-8. */
  public String html() {
    Markup out = new Markup();
    out.open("html", "lang", "en", "xmlns", "http://www.w3.org/1999/xhtml").line();
    out.open("head").line();
    out.empty("meta", "charset", "utf-8").line();
    out.empty(
            "meta",
            "http-equiv",
            "Content-Security-Policy",
            "content",
            "default-src 'none'; style-src 'unsafe-inline'")
        .line();
    out.empty("meta", "name", "viewport", "content", "width=device-width, initial-scale=1").line();
    out.leaf("title", title).line();
    out.style(Style.COLOURS + Style.DRAWING + Style.PAGE);
    out.close().line().open("body").line();
    out.open("header").leaf("h1", title);
    if (!lead.isEmpty()) {
      out.leaf("p", lead);
    }
    out.close().line();
    contents(out);
    out.open("main").line();
    for (int i = 0; i < sections.size(); i++) {
      section(out, sections.get(i), i + 1);
    }
    out.close();
    if (!footer.isEmpty()) {
      out.leaf("footer", footer);
    }
    out.close(2);
    return "<!DOCTYPE html>\n" + out.finish() + "\n";
  }

  private void contents(Markup out) {
    if (sections.stream().filter(s -> !s.title().isEmpty()).count() < 2) {
      return;
    }
    out.open("nav", "aria-label", "Parts of this page");
    for (int i = 0; i < sections.size(); i++) {
      if (!sections.get(i).title().isEmpty()) {
        out.leaf("a", sections.get(i).title(), "href", "#part-" + (i + 1));
      }
    }
    out.close().line();
  }

  private static void section(Markup out, Section section, int number) {
    out.open("section", "id", "part-" + number);
    if (section.folded()) {
      out.open("details", "class", "fold").open("summary");
    }
    if (!section.title().isEmpty()) {
      out.leaf("h2", section.title());
    }
    if (section.folded()) {
      out.close();
    }
    if (!section.lead().isEmpty()) {
      out.leaf("p", section.lead(), "class", "lead");
    }
    for (Block block : section.blocks()) {
      block(out.line(), block);
    }
    if (section.folded()) {
      out.close();
    }
    out.close().line();
  }

  private static void block(Markup out, Block block) {
    if (block instanceof Note note) {
      out.leaf("p", note.text());
    } else if (block instanceof Tiles tiles) {
      tiles(out, tiles);
    } else if (block instanceof Terms terms) {
      terms(out, terms.terms());
    } else if (block instanceof FleetGraph graph) {
      fleet(out, graph);
    } else if (block instanceof BeforeAfter both) {
      out.open("div", "class", "pair");
      fleet(out, both.before());
      fleet(out, both.after());
      out.close();
    } else if (block instanceof AccuracyTable table) {
      accuracy(out, table);
    } else if (block instanceof VerdictView verdict) {
      verdict(out, verdict);
    } else if (block instanceof Timeline timeline) {
      timeline(out, timeline);
    } else if (block instanceof Plot plot) {
      new PlotDrawing(plot).draw(out);
    } else if (block instanceof TextTable table) {
      texts(out, table);
    } else if (block instanceof WhyTree why) {
      out.open("ul", "class", "why");
      cause(out, why.root());
      out.close();
    }
  }

  private static void tiles(Markup out, Tiles tiles) {
    out.open("div", "class", "tiles");
    for (Tiles.Tile tile : tiles.tiles()) {
      out.open("div", "class", "tile");
      out.leaf("div", tile.value(), "class", "value");
      out.leaf("div", tile.label(), "class", "label");
      if (!tile.note().isEmpty()) {
        out.leaf("div", tile.note(), "class", "note");
      }
      out.close();
    }
    out.close();
  }

  private static void terms(Markup out, List<Terms.Term> terms) {
    if (terms.isEmpty()) {
      return;
    }
    out.open("dl", "class", "terms");
    for (Terms.Term term : terms) {
      out.leaf("dt", term.name());
      out.open("dd");
      if (term.exact()) {
        out.leaf("span", term.value(), "class", "exact");
      } else {
        out.text(term.value());
      }
      out.close();
    }
    out.close();
  }

  private static void fleet(Markup out, FleetGraph graph) {
    out.open("figure").leaf("figcaption", graph.title());
    new FleetDrawing(graph).draw(out, false);
    out.close();
  }

  private static void accuracy(Markup out, AccuracyTable table) {
    out.open("div", "class", "scroll");
    new AccuracyDrawing(table).draw(out);
    out.open("p", "class", "key");
    out.leaf("i", "", "class", "before").text("before");
    out.leaf("i", "", "class", "after").text("after, each with its 95 % interval");
    out.close(2);
  }

  private static String tone(Decision decision) {
    return switch (decision) {
      case PASS -> "good";
      case FAIL -> "bad";
      case INCONCLUSIVE -> "warn";
    };
  }

  private static void chip(Markup out, Decision decision) {
    String word =
        switch (decision) {
          case PASS -> "pass";
          case FAIL -> "fail";
          case INCONCLUSIVE -> "inconclusive";
        };
    out.leaf("span", word, "class", "chip " + tone(decision));
  }

  private static void verdict(Markup out, VerdictView verdict) {
    String tone = "verdict " + tone(verdict.decision());
    if (verdict.decision() == Decision.PASS) {
      out.open("details", "class", tone);
    } else {
      out.open("details", "class", tone, "open", "open");
    }
    out.open("summary");
    chip(out, verdict.decision());
    out.leaf("b", verdict.candidate().toString());
    out.leaf(
        "span",
        verdict.reference() == null ? "first release" : "against " + verdict.reference(),
        "class",
        "why");
    out.leaf("span", verdict.summary(), "class", "why");
    out.close();
    for (VerdictView.Evidence evidence : verdict.capabilities()) {
      evidence(out.line(), evidence);
    }
    headroom(out.line(), verdict.headroom());
    out.close();
  }

  private static void headroom(Markup out, VerdictView.@Nullable Headroom headroom) {
    if (headroom == null) {
      return;
    }
    out.open("div", "class", "evidence");
    out.open("h4").text("headroom");
    chip(out, headroom.decision());
    out.close();
    out.leaf("p", headroom.reason());
    if (!headroom.measured().isEmpty()) {
      out.leaf("p", headroom.measured(), "class", "key");
    }
    out.close();
  }

  private static void evidence(Markup out, VerdictView.Evidence evidence) {
    out.open("div", "class", "evidence");
    out.open("h4").text(evidence.capability());
    chip(out, evidence.decision());
    out.close();
    out.open("div", "class", "columns").open("div");
    out.open("dl", "class", "terms");
    term(out, "right before", Numbers.percent(evidence.before()));
    term(out, "right after", Numbers.percent(evidence.after()));
    term(out, "difference", Numbers.points(evidence.after() - evidence.before()) + " points");
    term(
        out,
        "accepted loss",
        String.format(java.util.Locale.ROOT, "%.1f points", 100 * evidence.margin()));
    term(out, "items looked at", evidence.items() + " of " + evidence.available());
    term(out, "lost / won", evidence.lost().size() + " / " + evidence.won());
    out.close();
    if (!evidence.note().isEmpty()) {
      out.leaf("p", evidence.note(), "class", "key");
    }
    out.close();
    if (evidence.notWorse().size() > 1 || evidence.worse().size() > 1) {
      out.open("figure");
      out.leaf("figcaption", "Wealth of both bets over the items");
      new WealthDrawing(evidence).draw(out);
      out.close();
    }
    out.close();
    slices(out, evidence.slices());
    if (!evidence.common().isEmpty()) {
      out.leaf("h5", "What the lost items have in common");
      out.open("ul", "class", "common");
      evidence.common().forEach(c -> out.leaf("li", c));
      out.close();
    }
    flips(out, "Right before, wrong now", evidence.lost(), "said bad");
    evidence
        .intended()
        .ifPresent(
            intended -> {
              out.leaf("p", intended.summary(), "class", "key");
              flips(out, "Changed as the suite asks now", intended.flips(), "said");
            });
    out.close();
  }

  private static void term(Markup out, String name, String value) {
    out.leaf("dt", name).leaf("dd", value);
  }

  private static void slices(Markup out, List<VerdictView.Slice> slices) {
    if (slices.isEmpty()) {
      return;
    }
    out.leaf("h5", "Slices that failed");
    out.open("div", "class", "scroll").open("table").open("thead").open("tr");
    out.leaf("th", "slice", "scope", "col");
    for (String head : List.of("items", "before", "after", "points")) {
      out.leaf("th", head, "scope", "col", "class", "number");
    }
    out.close(2).open("tbody");
    for (VerdictView.Slice slice : slices) {
      out.open("tr").leaf("th", slice.tag(), "scope", "row");
      out.leaf("td", String.valueOf(slice.items()), "class", "number");
      out.leaf("td", Numbers.percent(slice.before()), "class", "number");
      out.leaf("td", Numbers.percent(slice.after()), "class", "number");
      out.leaf("td", Numbers.points(slice.after() - slice.before()), "class", "number bad");
      out.close();
    }
    out.close(3);
  }

  private static void flips(
      Markup out, String title, List<VerdictView.Flip> flips, String classes) {
    if (flips.isEmpty()) {
      return;
    }
    out.leaf("h5", title);
    flipTable(out, flips.subList(0, Math.min(FLIPS_SHOWN, flips.size())), classes);
    if (flips.size() > FLIPS_SHOWN) {
      out.open("details", "class", "more");
      out.leaf("summary", (flips.size() - FLIPS_SHOWN) + " more");
      flipTable(out, flips.subList(FLIPS_SHOWN, flips.size()), classes);
      out.close();
    }
  }

  private static void flipTable(Markup out, List<VerdictView.Flip> flips, String classes) {
    out.open("div", "class", "scroll").open("table").open("thead").open("tr");
    for (String head : List.of("item", "asked", "right answer", "before", "now")) {
      out.leaf("th", head, "scope", "col");
    }
    out.close(2).open("tbody");
    for (VerdictView.Flip flip : flips) {
      out.open("tr");
      out.leaf("td", flip.item(), "class", "quiet");
      for (String said : List.of(flip.asked(), flip.right(), flip.before())) {
        said(out, said, "said");
      }
      said(out, flip.after(), classes);
      out.close();
    }
    out.close(3);
  }

  private static void said(Markup out, String text, String classes) {
    out.open("td", "class", classes).leaf("span", text, "class", "exact").close();
  }

  private static void texts(Markup out, TextTable table) {
    if (table.folded()) {
      out.open("details", "class", "more").leaf("summary", table.title());
    } else {
      out.leaf("h3", table.title());
    }
    if (!table.note().isEmpty()) {
      out.leaf("p", table.note(), "class", "key");
    }
    out.open("div", "class", "scroll").open("table").open("thead").open("tr");
    table.columns().forEach(column -> out.leaf("th", column, "scope", "col"));
    out.close(2).open("tbody");
    for (List<TextTable.Cell> row : table.rows()) {
      out.line().open("tr");
      for (TextTable.Cell cell : row) {
        String tone =
            switch (cell.tone()) {
              case PLAIN -> "";
              case QUIET -> "quiet";
              case GOOD -> "good";
              case BAD -> "bad";
              case DOUBTFUL -> "warn";
            };
        if (cell.exact()) {
          said(out, cell.text(), ("said " + tone).strip());
        } else if (tone.isEmpty()) {
          out.leaf("td", cell.text());
        } else {
          out.leaf("td", cell.text(), "class", tone);
        }
      }
      out.close();
    }
    out.close(3);
    if (table.folded()) {
      out.close();
    }
  }

  private static void timeline(Markup out, Timeline timeline) {
    double end = 0;
    for (Timeline.Span span : timeline.spans()) {
      end = Math.max(end, span.start() + span.seconds());
    }
    double scale = end > 0 ? 1000 / end : 0;
    out.open("figure").leaf("figcaption", timeline.title());
    out.open("div", "class", "bars");
    for (Timeline.Span span : timeline.spans()) {
      out.open("div").text(span.name());
      out.close();
      out.open(
          "svg",
          "xmlns",
          "http://www.w3.org/2000/svg",
          "viewBox",
          "0 0 1000 14",
          "preserveAspectRatio",
          "none",
          "role",
          "img",
          "aria-label",
          span.name()
              + ": "
              + Numbers.seconds(span.seconds())
              + " from "
              + Numbers.seconds(span.start()));
      out.empty("rect", "class", "track", "width", "1000", "height", "14");
      out.empty(
          "rect",
          "class",
          span.state().tone(),
          "x",
          Numbers.at(span.start() * scale),
          "width",
          Numbers.at(Math.max(2, span.seconds() * scale)),
          "height",
          "14");
      out.close();
      out.leaf("div", Numbers.seconds(span.seconds()), "class", "number");
      out.leaf("div", span.note(), "class", "note");
    }
    out.close(2);
  }

  private static void cause(Markup out, WhyTree.Cause cause) {
    out.open("li").leaf("span", cause.title(), "class", "title");
    if (!cause.text().isEmpty()) {
      out.text(" ").leaf("span", cause.text(), "class", "text");
    }
    terms(out, cause.facts());
    if (!cause.causes().isEmpty()) {
      out.open("ul");
      cause.causes().forEach(c -> cause(out, c));
      out.close();
    }
    out.close();
  }
}
