package dev.cambium.engine.text.jinja;

import dev.cambium.engine.text.jinja.JinjaException.Kind;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A Jinja template as transformers reads chat templates: Jinja2's syntax and semantics with {@code
 * trim_blocks}, {@code lstrip_blocks}, loop controls and the sandbox that changes nothing it is
 * given; {@code tojson} writes what Python's {@code json.dumps} does.
 *
 * <p>Templates come with models from anywhere. They see the values they are given and nothing else,
 * and time, memory and depth are bounded. Immutable and thread-safe.
 */
public final class Jinja {

  private final Statement template;

  private Jinja(Statement template) {
    this.template = template;
  }

  /**
   * Parses a template.
   *
   * @throws JinjaException if it is no Jinja, or uses what is not supported, named
   */
  public static Jinja parse(String source) {
    try {
      return new Jinja(new Parser(Lexer.tokens(source)).template());
    } catch (StackOverflowError e) {
      throw new JinjaException(Kind.UNBOUNDED, "nested too deep", 1);
    }
  }

  /**
   * Renders it.
   *
   * @param variables names with values: null, booleans, numbers, strings, and lists and maps of
   *     these
   * @throws JinjaException if it fails, refuses the values, or does not end
   */
  public String render(Map<String, ? extends @Nullable Object> variables) {
    Run run = new Run();
    Frame globals = new Frame(run, null);
    Globals.all().forEach(globals::set);
    Frame frame = globals.inner();
    variables.forEach((name, value) -> frame.set(name, Values.of(value)));
    StringBuilder out = new StringBuilder();
    try {
      template.write(frame.inner(), out);
    } catch (JinjaException e) {
      throw e.at(run.line());
    } catch (StackOverflowError e) {
      throw new JinjaException(Kind.UNBOUNDED, "it recurses without end", run.line());
    }
    return out.toString();
  }
}
