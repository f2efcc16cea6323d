package dev.cambium.engine.text;

import com.hubspot.jinjava.el.ext.JinjavaBeanELResolver;
import com.hubspot.jinjava.el.ext.JinjavaListELResolver;
import com.hubspot.jinjava.lib.exptest.ExpTest;
import com.hubspot.jinjava.lib.filter.Filter;
import com.hubspot.jinjava.objects.collections.PyList;
import com.hubspot.jinjava.objects.collections.PyMap;
import com.hubspot.jinjava.util.ForLoop;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import jinjava.javax.el.ArrayELResolver;
import jinjava.javax.el.CompositeELResolver;
import jinjava.javax.el.ELContext;
import jinjava.javax.el.ELResolver;
import jinjava.javax.el.MapELResolver;
import org.jspecify.annotations.Nullable;

/**
 * Python's string methods, which chat templates call, and a short list of what else may be called.
 * Templates come with models from anywhere, so nothing that is not listed can be reached.
 */
final class PythonMethods extends ELResolver {

  private static final Set<String> LIST_METHODS = Set.of("append", "index", "count", "copy");
  private static final Set<String> MAP_METHODS = Set.of("items", "keys", "values", "get", "update");

  private final JinjavaBeanELResolver beans = new JinjavaBeanELResolver(false);

  private PythonMethods() {}

  static ELResolver resolver() {
    CompositeELResolver all = new CompositeELResolver();
    all.add(new PythonMethods());
    all.add(new ArrayELResolver(true));
    all.add(new JinjavaListELResolver(true));
    all.add(new MapELResolver(true));
    return all;
  }

  @Override
  public @Nullable Object invoke(
      ELContext context,
      @Nullable Object base,
      Object method,
      Class<?> @Nullable [] types,
      Object @Nullable [] given) {
    String name = String.valueOf(method);
    Object[] args = given == null ? new Object[0] : given;
    if (base instanceof String text) {
      context.setPropertyResolved(true);
      return string(text, name, args);
    }
    if (base instanceof List<?> list && name.equals("reversed")) {
      context.setPropertyResolved(true);
      List<Object> reversed = new ArrayList<>(list);
      Collections.reverse(reversed);
      return new PyList(reversed);
    }
    if ((base instanceof PyList && LIST_METHODS.contains(name))
        || (base instanceof PyMap && MAP_METHODS.contains(name))
        || base instanceof ExpTest
        || base instanceof Filter) {
      return beans.invoke(context, base, method, types, given);
    }
    if (base == null) {
      return null;
    }
    throw new IllegalArgumentException(
        "no method '" + name + "' for templates on a " + base.getClass().getSimpleName());
  }

  private static Object string(String text, String name, Object[] args) {
    return switch (name) {
      case "strip" -> strip(text, args, true, true);
      case "lstrip" -> strip(text, args, true, false);
      case "rstrip" -> strip(text, args, false, true);
      case "startswith" -> text.startsWith(argument(name, args, 0));
      case "endswith" -> text.endsWith(argument(name, args, 0));
      case "upper" -> text.toUpperCase(Locale.ROOT);
      case "lower" -> text.toLowerCase(Locale.ROOT);
      case "title" -> title(text);
      case "capitalize" ->
          text.isEmpty()
              ? text
              : text.substring(0, 1).toUpperCase(Locale.ROOT)
                  + text.substring(1).toLowerCase(Locale.ROOT);
      case "replace" -> text.replace(argument(name, args, 0), argument(name, args, 1));
      case "find" -> (long) text.indexOf(argument(name, args, 0));
      case "count" -> count(text, argument(name, args, 0));
      case "split" -> split(text, args);
      case "splitlines" -> new PyList(new ArrayList<>(text.lines().toList()));
      case "reversed" -> new StringBuilder(text).reverse().toString();
      case "join" -> join(text, args);
      default ->
          throw new IllegalArgumentException("no method '" + name + "' for templates on a string");
    };
  }

  private static String argument(String name, Object[] args, int index) {
    if (index >= args.length || args[index] == null) {
      throw new IllegalArgumentException(name + " needs " + (index + 1) + " argument(s)");
    }
    return args[index].toString();
  }

  /** A string's character at an index, counted from the end if negative. */
  private static @Nullable String character(String text, String index) {
    if (!index.matches("-?[0-9]{1,9}")) {
      return null;
    }
    int length = text.codePointCount(0, text.length());
    int at = Integer.parseInt(index);
    at = at < 0 ? length + at : at;
    if (at < 0 || at >= length) {
      return null;
    }
    return Character.toString(text.codePointAt(text.offsetByCodePoints(0, at)));
  }

  private static String strip(String text, Object[] args, boolean left, boolean right) {
    String set = args.length > 0 && args[0] != null ? args[0].toString() : "";
    int from = 0;
    int to = text.length();
    while (left && from < to && strippable(text.charAt(from), set)) {
      from++;
    }
    while (right && to > from && strippable(text.charAt(to - 1), set)) {
      to--;
    }
    return text.substring(from, to);
  }

  private static boolean strippable(char c, String set) {
    return set.isEmpty() ? isSpace(c) : set.indexOf(c) >= 0;
  }

  /** Python's idea of white space. */
  private static boolean isSpace(char c) {
    return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == '\u0085';
  }

  private static String title(String text) {
    StringBuilder out = new StringBuilder();
    boolean inWord = false;
    for (char c : text.toCharArray()) {
      out.append(inWord ? Character.toLowerCase(c) : Character.toTitleCase(c));
      inWord = Character.isLetter(c);
    }
    return out.toString();
  }

  private static long count(String text, String part) {
    if (part.isEmpty()) {
      return text.length() + 1L;
    }
    long count = 0;
    for (int at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length())) {
      count++;
    }
    return count;
  }

  private static PyList split(String text, Object[] args) {
    List<Object> parts = new ArrayList<>();
    if (args.length == 0 || args[0] == null) {
      StringBuilder word = new StringBuilder();
      for (char c : text.toCharArray()) {
        if (!isSpace(c)) {
          word.append(c);
        } else if (!word.isEmpty()) {
          parts.add(word.toString());
          word.setLength(0);
        }
      }
      if (!word.isEmpty()) {
        parts.add(word.toString());
      }
      return new PyList(parts);
    }
    String separator = args[0].toString();
    if (separator.isEmpty()) {
      throw new IllegalArgumentException("split: empty separator");
    }
    long most = args.length > 1 && args[1] instanceof Number n ? n.longValue() : -1;
    int from = 0;
    while (most < 0 || parts.size() < most) {
      int at = text.indexOf(separator, from);
      if (at < 0) {
        break;
      }
      parts.add(text.substring(from, at));
      from = at + separator.length();
    }
    parts.add(text.substring(from));
    return new PyList(parts);
  }

  private static String join(String separator, Object[] args) {
    if (args.length == 0 || !(args[0] instanceof Iterable<?> parts)) {
      throw new IllegalArgumentException("join needs a list");
    }
    StringBuilder out = new StringBuilder();
    for (Iterator<?> at = parts.iterator(); at.hasNext(); ) {
      out.append(at.next());
      if (at.hasNext()) {
        out.append(separator);
      }
    }
    return out.toString();
  }

  @Override
  public @Nullable Object getValue(
      ELContext context, @Nullable Object base, @Nullable Object property) {
    if (base instanceof ForLoop || base instanceof Map.Entry<?, ?>) {
      return beans.getValue(context, base, property);
    }
    if (base instanceof String text && property != null) {
      context.setPropertyResolved(true);
      return character(text, property.toString());
    }
    return null;
  }

  @Override
  public @Nullable Class<?> getType(
      ELContext context, @Nullable Object base, @Nullable Object property) {
    return null;
  }

  @Override
  public void setValue(
      ELContext context, @Nullable Object base, @Nullable Object property, @Nullable Object value) {
    throw new UnsupportedOperationException("templates change nothing but their own variables");
  }

  @Override
  public boolean isReadOnly(ELContext context, @Nullable Object base, @Nullable Object property) {
    return true;
  }

  @Override
  public @Nullable Iterator<java.beans.FeatureDescriptor> getFeatureDescriptors(
      ELContext context, @Nullable Object base) {
    return null;
  }

  @Override
  public @Nullable Class<?> getCommonPropertyType(ELContext context, @Nullable Object base) {
    return null;
  }
}
