package dev.cambium.engine.text.jinja;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Jinja2's filters, but for those that make HTML or are random. */
final class Filters {

  /** A filter. */
  @FunctionalInterface
  interface Filter {
    Object apply(Object value, Arguments arguments, Run run);
  }

  private static final Pattern WHOLE = Pattern.compile("\\s*([-+]?[0-9]{1,18})\\s*");
  private static final Pattern FRACTION =
      Pattern.compile("\\s*([-+]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][-+]?[0-9]{1,4})?)\\s*");

  private static final Map<String, Filter> ALL = all();

  private Filters() {}

  static Optional<Filter> named(String name) {
    Filter filter = ALL.get(name);
    if (filter == null) {
      return Optional.empty();
    }
    return Optional.of(
        (value, arguments, run) -> {
          Object result = filter.apply(value, arguments, run);
          arguments.end();
          return result instanceof String text ? run.text(text) : result;
        });
  }

  private static Map<String, Filter> all() {
    Map<String, Filter> all = new LinkedHashMap<>();
    all.put("default", Filters::defaulted);
    all.put("d", Filters::defaulted);
    all.put("tojson", ToJson::filter);
    all.put("length", (value, a, run) -> Values.length(value));
    all.put("count", (value, a, run) -> Values.length(value));
    all.put("string", (value, a, run) -> Values.string(value, run));
    all.put("safe", (value, a, run) -> Values.string(value, run));
    all.put(
        "trim",
        (value, a, run) ->
            Strings.strip(Values.string(value, run), a.text("chars", ""), true, true));
    all.put("upper", (value, a, run) -> Values.string(value, run).toUpperCase(Locale.ROOT));
    all.put("lower", (value, a, run) -> Values.string(value, run).toLowerCase(Locale.ROOT));
    all.put("capitalize", (value, a, run) -> StringMethods.capitalize(Values.string(value, run)));
    all.put("title", (value, a, run) -> title(Values.string(value, run)));
    all.put(
        "center",
        (value, a, run) ->
            StringMethods.center(Values.string(value, run), a.integer("width", 80), " "));
    all.put(
        "replace",
        (value, a, run) ->
            StringMethods.replace(
                Values.string(value, run),
                Values.string(a.need("old"), run),
                Values.string(a.need("new"), run),
                a.integer("count", -1),
                run));
    all.put("indent", Filters::indent);
    all.put("format", (value, a, run) -> Formats.percent(Values.string(value, run), a.rest(), run));
    all.put("wordcount", (value, a, run) -> words(Values.string(value, run)));
    all.put("int", Filters::integer);
    all.put("float", Filters::fraction);
    all.put("abs", (value, a, run) -> magnitude(Arithmetic.number(value)));
    all.put("round", Filters::round);
    all.put("list", (value, a, run) -> Values.elements(value, run));
    all.put("first", (value, a, run) -> end(value, true, run));
    all.put("last", (value, a, run) -> end(value, false, run));
    all.put("join", Filters::join);
    all.put("reverse", Filters::reverse);
    all.put("sort", Filters::sort);
    all.put("dictsort", Filters::sortMap);
    all.put("items", Filters::items);
    all.put("unique", Filters::unique);
    all.put("sum", Filters::sum);
    all.put("min", (value, a, run) -> extreme(value, a, run, -1));
    all.put("max", (value, a, run) -> extreme(value, a, run, 1));
    all.put("batch", Filters::batch);
    all.put("slice", Filters::slice);
    all.put("groupby", Filters::group);
    all.put("attr", (value, a, run) -> Attributes.attribute(value, a.needText("name")));
    all.put("map", Filters::map);
    all.put("select", (value, a, run) -> select(value, a, run, false, true));
    all.put("reject", (value, a, run) -> select(value, a, run, false, false));
    all.put("selectattr", (value, a, run) -> select(value, a, run, true, true));
    all.put("rejectattr", (value, a, run) -> select(value, a, run, true, false));
    return all;
  }

  private static Object defaulted(Object value, Arguments arguments, Run run) {
    Object absent = arguments.take("default_value", "");
    boolean whenFalse = arguments.flag("boolean", false);
    return value instanceof Undefined || (whenFalse && !Values.isTrue(value)) ? absent : value;
  }

  private static String title(String text) {
    StringBuilder out = new StringBuilder();
    boolean begins = true;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      out.append(begins ? Character.toUpperCase(c) : Character.toLowerCase(c));
      begins = Strings.isSpace(c) || "-([{<".indexOf(c) >= 0;
    }
    return out.toString();
  }

  private static String indent(Object value, Arguments arguments, Run run) {
    String text = Values.string(value, run);
    Object width = arguments.take("width", 4L);
    boolean first = arguments.flag("first", false);
    boolean blank = arguments.flag("blank", false);
    String by =
        width instanceof String given
            ? given
            : " ".repeat((int) Math.max(0, Math.min((Long) Arithmetic.number(width), Run.MOST)));
    List<Object> lines = StringMethods.lines(text + "\n", false);
    run.room(text.length() + (long) lines.size() * by.length());
    StringBuilder out = new StringBuilder(first ? by : "");
    for (int i = 0; i < lines.size(); i++) {
      String line = (String) lines.get(i);
      out.append(i > 0 ? "\n" : "");
      out.append(i > 0 && (blank || !line.isEmpty()) ? by : "").append(line);
    }
    return out.toString();
  }

  private static long words(String text) {
    long words = 0;
    boolean in = false;
    for (int i = 0; i < text.length(); i++) {
      boolean letter = Character.isLetterOrDigit(text.charAt(i)) || text.charAt(i) == '_';
      words += letter && !in ? 1 : 0;
      in = letter;
    }
    return words;
  }

  private static Object integer(Object value, Arguments arguments, Run run) {
    Object absent = arguments.take("default", 0L);
    if (value instanceof String text) {
      Matcher whole = WHOLE.matcher(text);
      if (whole.matches()) {
        return Long.parseLong(whole.group(1));
      }
      Object number = number(text);
      return number instanceof Double d && Math.abs(d) < 1e18 ? (Object) d.longValue() : absent;
    }
    if (Values.isNumber(value)) {
      Object number = Arithmetic.number(value);
      return number instanceof Double d
          ? Math.abs(d) < 1e18 ? (Object) d.longValue() : absent
          : number;
    }
    return absent;
  }

  private static Object fraction(Object value, Arguments arguments, Run run) {
    Object absent = arguments.take("default", 0.0);
    if (value instanceof String text) {
      Object number = number(text);
      return number instanceof Double ? number : absent;
    }
    return Values.isNumber(value) ? ((Number) Arithmetic.number(value)).doubleValue() : absent;
  }

  private static Object number(String text) {
    Matcher fraction = FRACTION.matcher(text);
    return fraction.matches() ? Double.valueOf(fraction.group(1)) : None.NONE;
  }

  private static Object magnitude(Object number) {
    if (number instanceof Long whole) {
      return whole < 0 ? Arithmetic.negated(whole) : whole;
    }
    return Math.abs((Double) number);
  }

  /** To so many places, half to even on the exact value, as Python does. */
  static BigDecimal rounded(double value, int places) {
    if (!Double.isFinite(value)) {
      throw JinjaException.failed("a number that is not finite cannot be rounded");
    }
    return new BigDecimal(value).setScale(places, RoundingMode.HALF_EVEN);
  }

  private static Object round(Object value, Arguments arguments, Run run) {
    double number = ((Number) Arithmetic.number(value)).doubleValue();
    int places = arguments.integer("precision", 0);
    String method = arguments.text("method", "common");
    if (Math.abs(places) > 300) {
      throw JinjaException.failed("round to " + places + " places is not supported");
    }
    double scale = Math.pow(10, places);
    return switch (method) {
      case "common" ->
          value instanceof Long && places >= 0 ? value : rounded(number, places).doubleValue();
      case "ceil" -> Math.ceil(number * scale) / scale;
      case "floor" -> Math.floor(number * scale) / scale;
      default -> throw JinjaException.failed("method must be common, ceil or floor");
    };
  }

  private static Object end(Object value, boolean first, Run run) {
    List<Object> all = Values.elements(value, run);
    if (all.isEmpty()) {
      return new Undefined("No " + (first ? "first" : "last") + " item, sequence was empty.");
    }
    return all.get(first ? 0 : all.size() - 1);
  }

  /** What a filter's argument {@code attribute} names within a value: {@code a.b.0}. */
  private static Object within(Object value, Object attribute) {
    if (attribute == None.NONE) {
      return value;
    }
    if (attribute instanceof Long) {
      return Attributes.item(value, attribute);
    }
    Object at = value;
    for (String part : Values.string(attribute, new Run()).split("\\.", -1)) {
      at = Attributes.item(at, part.matches("\\d{1,9}") ? (Object) Long.valueOf(part) : part);
    }
    return at;
  }

  private static Object join(Object value, Arguments arguments, Run run) {
    String separator = Values.string(arguments.take("d", ""), run);
    Object attribute = arguments.take("attribute", None.NONE);
    StringBuilder out = new StringBuilder();
    String before = "";
    for (Object element : Values.elements(value, run)) {
      out.append(before).append(Values.string(within(element, attribute), run));
      run.room(out.length());
      before = separator;
    }
    return out.toString();
  }

  private static Object reverse(Object value, Arguments arguments, Run run) {
    if (value instanceof String text) {
      return new StringBuilder(text).reverse().toString();
    }
    List<Object> all = Values.elements(value, run);
    Collections.reverse(all);
    return new Lazy(all);
  }

  private static Object folded(Object value, boolean caseSensitive) {
    return !caseSensitive && value instanceof String text ? text.toLowerCase(Locale.ROOT) : value;
  }

  private static Object sort(Object value, Arguments arguments, Run run) {
    boolean reverse = arguments.flag("reverse", false);
    boolean caseSensitive = arguments.flag("case_sensitive", false);
    Object attribute = arguments.take("attribute", None.NONE);
    if (attribute instanceof String several && several.contains(",")) {
      throw JinjaException.failed("to sort by several attributes is not supported");
    }
    List<Object> all = Values.elements(value, run);
    Comparator<Object> order =
        (a, b) ->
            Values.compare(
                folded(within(a, attribute), caseSensitive),
                folded(within(b, attribute), caseSensitive),
                run);
    all.sort(reverse ? order.reversed() : order);
    return all;
  }

  private static Map<?, ?> map(Object value) {
    if (value instanceof Map<?, ?> map) {
      return map;
    }
    throw value instanceof Undefined undefined
        ? undefined.used()
        : JinjaException.failed("a dict is needed, not " + Values.type(value));
  }

  private static Object sortMap(Object value, Arguments arguments, Run run) {
    boolean caseSensitive = arguments.flag("case_sensitive", false);
    int by = arguments.text("by", "key").equals("value") ? 1 : 0;
    boolean reverse = arguments.flag("reverse", false);
    List<Object> items = Attributes.items(map(value));
    Comparator<Object> order =
        (a, b) ->
            Values.compare(
                folded(((Tuple) a).get(by), caseSensitive),
                folded(((Tuple) b).get(by), caseSensitive),
                run);
    items.sort(reverse ? order.reversed() : order);
    return items;
  }

  private static Object items(Object value, Arguments arguments, Run run) {
    return new Lazy(value instanceof Undefined ? List.of() : Attributes.items(map(value)));
  }

  private static Object unique(Object value, Arguments arguments, Run run) {
    boolean caseSensitive = arguments.flag("case_sensitive", false);
    Object attribute = arguments.take("attribute", None.NONE);
    List<Object> seen = new ArrayList<>();
    List<Object> kept = new ArrayList<>();
    for (Object element : Values.elements(value, run)) {
      Object key = folded(within(element, attribute), caseSensitive);
      if (!Values.isIn(key, seen, run)) {
        seen.add(key);
        kept.add(element);
      }
    }
    return new Lazy(kept);
  }

  private static Object sum(Object value, Arguments arguments, Run run) {
    Object attribute = arguments.take("attribute", None.NONE);
    Object sum = arguments.take("start", 0L);
    for (Object element : Values.elements(value, run)) {
      sum = Arithmetic.apply(sum, "+", within(element, attribute), run);
    }
    return sum;
  }

  private static Object extreme(Object value, Arguments arguments, Run run, int sign) {
    boolean caseSensitive = arguments.flag("case_sensitive", false);
    Object attribute = arguments.take("attribute", None.NONE);
    Object best = new Undefined("No aggregated item, sequence was empty.");
    for (Object element : Values.elements(value, run)) {
      if (best instanceof Undefined
          || sign
                  * Values.compare(
                      folded(within(element, attribute), caseSensitive),
                      folded(within(best, attribute), caseSensitive),
                      run)
              > 0) {
        best = element;
      }
    }
    return best;
  }

  private static Object batch(Object value, Arguments arguments, Run run) {
    int size = arguments.integer("linecount", 0);
    Object fill = arguments.take("fill_with", None.NONE);
    if (size < 1) {
      throw JinjaException.failed("batch needs a size of 1 or more");
    }
    List<Object> all = Values.elements(value, run);
    List<Object> batches = new ArrayList<>();
    for (int i = 0; i < all.size(); i += size) {
      List<Object> batch = new ArrayList<>(all.subList(i, Math.min(all.size(), i + size)));
      while (fill != None.NONE && batch.size() < size) {
        batch.add(fill);
        run.step();
      }
      batches.add(batch);
    }
    return new Lazy(batches);
  }

  private static Object slice(Object value, Arguments arguments, Run run) {
    int slices = arguments.integer("slices", 0);
    Object fill = arguments.take("fill_with", None.NONE);
    if (slices < 1) {
      throw JinjaException.failed("slice needs a number of 1 or more");
    }
    run.elements(slices);
    List<Object> all = Values.elements(value, run);
    int each = all.size() / slices;
    int longer = all.size() % slices;
    List<Object> result = new ArrayList<>();
    int at = 0;
    for (int i = 0; i < slices; i++) {
      int size = each + (i < longer ? 1 : 0);
      List<Object> slice = new ArrayList<>(all.subList(at, at + size));
      if (fill != None.NONE && i >= longer) {
        slice.add(fill);
      }
      result.add(slice);
      at += size;
    }
    return new Lazy(result);
  }

  private static Object group(Object value, Arguments arguments, Run run) {
    Object attribute = arguments.need("attribute");
    Object absent = arguments.take("default", None.NONE);
    boolean caseSensitive = arguments.flag("case_sensitive", false);
    List<Object> all = Values.elements(value, run);
    Comparator<Object> order =
        (a, b) ->
            Values.compare(
                folded(defined(within(a, attribute), absent), caseSensitive),
                folded(defined(within(b, attribute), absent), caseSensitive),
                run);
    all.sort(order);
    List<Object> groups = new ArrayList<>();
    List<Object> members = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      members.add(all.get(i));
      if (i + 1 == all.size() || order.compare(all.get(i), all.get(i + 1)) != 0) {
        groups.add(new Tuple(List.of(defined(within(members.get(0), attribute), absent), members)));
        members = new ArrayList<>();
      }
    }
    return groups;
  }

  private static Object defined(Object value, Object absent) {
    return value instanceof Undefined && absent != None.NONE ? absent : value;
  }

  private static Object map(Object value, Arguments arguments, Run run) {
    Object attribute = arguments.named("attribute", None.NONE);
    List<Object> mapped = new ArrayList<>();
    if (attribute != None.NONE) {
      Object absent = arguments.named("default", None.NONE);
      for (Object element : Values.elements(value, run)) {
        mapped.add(defined(within(element, attribute), absent));
      }
      return new Lazy(mapped);
    }
    String name = arguments.needText("filter");
    Filter filter =
        named(name)
            .orElseThrow(() -> JinjaException.failed("the filter '" + name + "' is not supported"));
    List<Object> rest = arguments.rest();
    Map<String, Object> restNamed = arguments.restNamed();
    for (Object element : Values.elements(value, run)) {
      mapped.add(
          filter.apply(element, new Arguments("filter '" + name + "'", rest, restNamed), run));
    }
    return new Lazy(mapped);
  }

  private static Object select(
      Object value, Arguments arguments, Run run, boolean byAttribute, boolean keep) {
    Object attribute = byAttribute ? arguments.need("attribute") : None.NONE;
    List<Object> rest = new ArrayList<>(arguments.rest());
    Map<String, Object> restNamed = arguments.restNamed();
    Optional<Tests.Test> test = Optional.empty();
    String name = "";
    if (!rest.isEmpty()) {
      name = Values.string(rest.remove(0), run);
      String sought = name;
      test =
          Optional.of(
              Tests.named(name)
                  .orElseThrow(
                      () -> JinjaException.failed("the test '" + sought + "' is not supported")));
    }
    List<Object> kept = new ArrayList<>();
    for (Object element : Values.elements(value, run)) {
      Object tested = within(element, attribute);
      boolean holds =
          test.isEmpty()
              ? Values.isTrue(tested)
              : test.get()
                  .holds(tested, new Arguments("test '" + name + "'", rest, restNamed), run);
      if (holds == keep) {
        kept.add(element);
      }
    }
    return new Lazy(kept);
  }
}
