package dev.cambium.engine.text.jinja;

import dev.cambium.engine.text.jinja.Lexer.Kind;
import dev.cambium.engine.text.jinja.Lexer.Token;
import dev.cambium.engine.text.jinja.Statement.Flow;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Turns tokens into statements. The grammar, and the names of its parts, are Jinja2's. */
final class Parser {

  private static final Set<String> WORDS_AFTER_TEST = Set.of("else", "or", "and");

  private final List<Token> tokens;
  private int at;
  private int loops;

  Parser(List<Token> tokens) {
    this.tokens = tokens;
  }

  Statement template() {
    Statement body = body(Set.of());
    if (token().kind() != Kind.END) {
      throw unexpected();
    }
    return body;
  }

  // ------------------------------------------------------------------------------- tokens

  private Token token() {
    return tokens.get(at);
  }

  private Token next() {
    return tokens.get(at++);
  }

  private boolean skip(String operator) {
    if (token().is(operator)) {
      at++;
      return true;
    }
    return false;
  }

  private boolean skipName(String name) {
    if (token().isName(name)) {
      at++;
      return true;
    }
    return false;
  }

  private void expect(String operator) {
    if (!skip(operator)) {
      throw failed("expected '" + operator + "', found " + shown(token()));
    }
  }

  private Token expect(Kind kind, String what) {
    if (token().kind() != kind) {
      throw failed("expected " + what + ", found " + shown(token()));
    }
    return next();
  }

  private String name() {
    return expect(Kind.NAME, "a name").text();
  }

  private JinjaException failed(String message) {
    return JinjaException.failed(message).at(token().line());
  }

  private JinjaException unexpected() {
    return failed("unexpected " + shown(token()));
  }

  private static String shown(Token token) {
    return switch (token.kind()) {
      case END -> "the end of the template";
      case TAG_END, PRINT_END -> "the end of the tag";
      case STRING -> "a string";
      case TEXT -> "text";
      case TAG, PRINT -> "a tag";
      default -> "'" + token.text() + "'";
    };
  }

  // --------------------------------------------------------------------------- statements

  /** Statements up to a tag of one of these names, or to the end of the template. */
  private Statement body(Set<String> ends) {
    List<Statement> statements = new ArrayList<>();
    while (token().kind() != Kind.END) {
      Token token = token();
      if (token.kind() == Kind.TEXT) {
        at++;
        statements.add(
            (frame, out) -> {
              write(frame, token.text(), out);
              return Flow.NEXT;
            });
      } else if (token.kind() == Kind.PRINT) {
        at++;
        Expression value = tuple(true);
        expect(Kind.PRINT_END, "the end of the tag");
        statements.add(
            at(
                token.line(),
                (frame, out) -> {
                  write(frame, Values.string(value.in(frame), frame.run()), out);
                  return Flow.NEXT;
                }));
      } else {
        if (tokens.get(at + 1).kind() == Kind.NAME && ends.contains(tokens.get(at + 1).text())) {
          return all(statements);
        }
        at++;
        statements.add(at(token.line(), tag()));
      }
    }
    if (!ends.isEmpty()) {
      throw failed("the template ends before one of " + String.join(", ", ends));
    }
    return all(statements);
  }

  private static void write(Frame frame, String text, StringBuilder out) {
    frame.run().room((long) out.length() + text.length());
    out.append(text);
  }

  private static Statement at(int line, Statement statement) {
    return (frame, out) -> {
      frame.run().line(line);
      frame.run().step();
      return statement.write(frame, out);
    };
  }

  private static Statement all(List<Statement> statements) {
    List<Statement> fixed = List.copyOf(statements);
    return (frame, out) -> {
      for (Statement statement : fixed) {
        Flow flow = statement.write(frame, out);
        if (flow != Flow.NEXT) {
          return flow;
        }
      }
      return Flow.NEXT;
    };
  }

  private Statement block(String end) {
    Statement body = body(Set.of(end));
    endTag(end);
    return body;
  }

  private void endTag(String name) {
    expect(Kind.TAG, "a tag");
    if (!skipName(name)) {
      throw unexpected();
    }
    endTag();
  }

  private void endTag() {
    expect(Kind.TAG_END, "the end of the tag");
  }

  private Statement tag() {
    String name = name();
    return switch (name) {
      case "for" -> loop();
      case "if" -> condition();
      case "set" -> assignment();
      case "macro" -> macro();
      case "call" -> call();
      case "filter" -> filtered();
      case "with" -> with();
      case "generation" -> {
        endTag();
        yield block("endgeneration");
      }
      case "break", "continue" -> {
        if (loops == 0) {
          throw failed("'" + name + "' outside of a loop");
        }
        endTag();
        Flow flow = name.equals("break") ? Flow.BREAK : Flow.CONTINUE;
        yield (frame, out) -> flow;
      }
      default -> throw failed("the tag '" + name + "' is not supported");
    };
  }

  private Statement condition() {
    Expression test = tuple(false);
    endTag();
    Statement then = body(Set.of("elif", "else", "endif"));
    expect(Kind.TAG, "a tag");
    Statement otherwise;
    String name = name();
    if (name.equals("elif")) {
      otherwise = condition();
    } else if (name.equals("else")) {
      endTag();
      otherwise = block("endif");
    } else {
      endTag();
      otherwise = (frame, out) -> Flow.NEXT;
    }
    return (frame, out) -> (Values.isTrue(test.in(frame)) ? then : otherwise).write(frame, out);
  }

  private Statement loop() {
    Target target = target(false);
    if (!skipName("in")) {
      throw failed("expected 'in', found " + shown(token()));
    }
    Expression elements = tuple(false);
    Optional<Expression> test = skipName("if") ? Optional.of(expression()) : Optional.empty();
    boolean recursive = skipName("recursive");
    endTag();
    loops++;
    Statement body = body(Set.of("endfor", "else"));
    loops--;
    expect(Kind.TAG, "a tag");
    Statement otherwise = (frame, out) -> Flow.NEXT;
    if (skipName("else")) {
      endTag();
      otherwise = block("endfor");
    } else {
      name();
      endTag();
    }
    return new Loop(target, elements, test, recursive, body, otherwise);
  }

  private Statement assignment() {
    Target target = target(true);
    if (skip("=")) {
      Expression value = tuple(true);
      endTag();
      return (frame, out) -> {
        target.set(frame, value.in(frame));
        return Flow.NEXT;
      };
    }
    Expression text = frame -> frame.lookup(CAPTURED);
    while (token().is("|")) {
      text = filter(text);
    }
    endTag();
    Statement body = block("endset");
    Expression all = text;
    return (frame, out) -> {
      target.set(frame, captured(frame, body, all));
      return Flow.NEXT;
    };
  }

  /** No template can name it. */
  private static final String CAPTURED = " captured";

  private static Object captured(Frame frame, Statement body, Expression then) {
    StringBuilder inner = new StringBuilder();
    Frame scope = frame.inner();
    body.write(scope, inner);
    scope.set(CAPTURED, frame.run().text(inner.toString()));
    return then.in(scope);
  }

  private Statement filtered() {
    Expression text = namedFilter(frame -> frame.lookup(CAPTURED));
    while (token().is("|")) {
      text = filter(text);
    }
    endTag();
    Statement body = block("endfilter");
    Expression all = text;
    return (frame, out) -> {
      write(frame, Values.string(captured(frame, body, all), frame.run()), out);
      return Flow.NEXT;
    };
  }

  private Statement with() {
    List<Target> targets = new ArrayList<>();
    List<Expression> values = new ArrayList<>();
    while (token().kind() != Kind.TAG_END) {
      if (!targets.isEmpty()) {
        expect(",");
      }
      targets.add(target(false));
      expect("=");
      values.add(expression());
    }
    endTag();
    Statement body = block("endwith");
    return (frame, out) -> {
      Frame scope = frame.inner();
      for (int i = 0; i < targets.size(); i++) {
        targets.get(i).set(scope, values.get(i).in(frame));
      }
      return body.write(scope, out);
    };
  }

  private record Parameter(String name, @Nullable Expression absent) {}

  private List<Parameter> parameters() {
    List<Parameter> parameters = new ArrayList<>();
    expect("(");
    while (!skip(")")) {
      if (!parameters.isEmpty()) {
        expect(",");
      }
      String name = name();
      parameters.add(new Parameter(name, skip("=") ? expression() : null));
    }
    return parameters;
  }

  private Statement macro() {
    String name = name();
    List<Parameter> parameters = parameters();
    endTag();
    int outer = loops;
    loops = 0;
    Statement body = block("endmacro");
    loops = outer;
    return (frame, out) -> {
      frame.set(name, callable(name, parameters, body, frame));
      return Flow.NEXT;
    };
  }

  private Statement call() {
    List<Parameter> parameters = token().is("(") ? parameters() : List.of();
    Expression called = unary(true);
    if (!(called instanceof Call call)) {
      throw failed("'call' needs a call of a macro");
    }
    endTag();
    Statement body = block("endcall");
    return (frame, out) -> {
      Callable caller = callable("caller", parameters, body, frame);
      Object value = call.with(frame, Map.of("caller", caller));
      write(frame, Values.string(value, frame.run()), out);
      return Flow.NEXT;
    };
  }

  private static Callable callable(
      String name, List<Parameter> parameters, Statement body, Frame around) {
    return (run, arguments) -> {
      run.enter();
      Frame scope = around.inner();
      int line = run.line();
      for (Parameter parameter : parameters) {
        Object absent = new Undefined("parameter '" + parameter.name() + "' was not provided");
        Object value = arguments.take(parameter.name(), absent);
        Expression other = parameter.absent();
        scope.set(parameter.name(), value == absent && other != null ? other.in(scope) : value);
      }
      scope.set("caller", arguments.named("caller", new Undefined("No caller defined in " + name)));
      scope.set("varargs", new Tuple(arguments.rest()));
      scope.set("kwargs", arguments.restNamed());
      StringBuilder out = new StringBuilder();
      body.write(scope, out);
      run.line(line);
      run.leave();
      return run.text(out.toString());
    };
  }

  // ------------------------------------------------------------------------------ targets

  /** What a value is given to. */
  interface Target {
    void set(Frame frame, Object value);
  }

  private Target target(boolean namespaces) {
    List<Target> targets = new ArrayList<>();
    boolean tuple = false;
    do {
      if (!targets.isEmpty() && (token().is("=") || token().is(")") || token().isName("in"))) {
        break;
      }
      targets.add(oneTarget(namespaces));
      tuple |= token().is(",");
    } while (skip(","));
    return tuple ? unpacked(targets) : targets.get(0);
  }

  private Target oneTarget(boolean namespaces) {
    if (skip("(")) {
      Target inner = target(namespaces);
      expect(")");
      return inner;
    }
    String name = name();
    if (namespaces && skip(".")) {
      String field = name();
      return (frame, value) -> {
        if (!(frame.lookup(name) instanceof Namespace namespace)) {
          throw JinjaException.failed("cannot assign attribute on non-namespace object");
        }
        namespace.variables().put(field, value);
      };
    }
    return (frame, value) -> frame.set(name, value);
  }

  private static Target unpacked(List<Target> targets) {
    return (frame, value) -> {
      List<Object> elements = Values.elements(value, frame.run());
      if (elements.size() != targets.size()) {
        throw JinjaException.failed(
            "cannot unpack " + elements.size() + " values into " + targets.size() + " names");
      }
      for (int i = 0; i < targets.size(); i++) {
        targets.get(i).set(frame, elements.get(i));
      }
    };
  }

  // -------------------------------------------------------------------------- expressions

  /** An expression, or several with commas between. */
  private Expression tuple(boolean conditional) {
    Expression first = conditional ? expression() : or();
    if (!token().is(",")) {
      return first;
    }
    List<Expression> elements = new ArrayList<>(List.of(first));
    while (skip(",")) {
      if (endsTuple()) {
        break;
      }
      elements.add(conditional ? expression() : or());
    }
    return frame -> new Tuple(values(elements, frame));
  }

  private boolean endsTuple() {
    Kind kind = token().kind();
    return kind == Kind.PRINT_END || kind == Kind.TAG_END || token().is(")");
  }

  private static List<Object> values(List<Expression> expressions, Frame frame) {
    List<Object> values = new ArrayList<>();
    for (Expression expression : expressions) {
      values.add(expression.in(frame));
    }
    return values;
  }

  private Expression expression() {
    Expression value = or();
    while (skipName("if")) {
      Expression then = value;
      Expression test = or();
      Expression otherwise =
          skipName("else")
              ? expression()
              : frame -> new Undefined("the inline if-expression evaluated to false");
      value = frame -> (Values.isTrue(test.in(frame)) ? then : otherwise).in(frame);
    }
    return value;
  }

  private Expression or() {
    Expression left = and();
    while (skipName("or")) {
      Expression first = left;
      Expression second = and();
      left =
          frame -> {
            Object value = first.in(frame);
            return Values.isTrue(value) ? value : second.in(frame);
          };
    }
    return left;
  }

  private Expression and() {
    Expression left = not();
    while (skipName("and")) {
      Expression first = left;
      Expression second = not();
      left =
          frame -> {
            Object value = first.in(frame);
            return Values.isTrue(value) ? second.in(frame) : value;
          };
    }
    return left;
  }

  private Expression not() {
    if (skipName("not")) {
      Expression operand = not();
      return frame -> !Values.isTrue(operand.in(frame));
    }
    return comparison();
  }

  private Expression comparison() {
    Expression first = sum();
    List<String> operators = new ArrayList<>();
    List<Expression> operands = new ArrayList<>();
    for (; ; ) {
      Token token = token();
      if (token.kind() == Kind.OPERATOR && Values.COMPARISONS.contains(token.text())) {
        at++;
        operators.add(token.text());
      } else if (skipName("in")) {
        operators.add("in");
      } else if (token.isName("not") && tokens.get(at + 1).isName("in")) {
        at += 2;
        operators.add("not in");
      } else {
        break;
      }
      operands.add(sum());
    }
    if (operators.isEmpty()) {
      return first;
    }
    return frame -> {
      Object left = first.in(frame);
      for (int i = 0; i < operators.size(); i++) {
        Object right = operands.get(i).in(frame);
        if (!Values.compares(left, operators.get(i), right, frame.run())) {
          return false;
        }
        left = right;
      }
      return true;
    };
  }

  private Expression sum() {
    Expression left = concatenation();
    while (token().is("+") || token().is("-")) {
      left = operation(left, next().text(), concatenation());
    }
    return left;
  }

  private Expression concatenation() {
    Expression left = product();
    while (skip("~")) {
      Expression first = left;
      Expression second = product();
      left =
          frame -> {
            Run run = frame.run();
            String begin = Values.string(first.in(frame), run);
            return run.text(begin + Values.string(second.in(frame), run));
          };
    }
    return left;
  }

  private Expression product() {
    Expression left = power();
    while (token().is("*") || token().is("/") || token().is("//") || token().is("%")) {
      left = operation(left, next().text(), power());
    }
    return left;
  }

  private Expression power() {
    Expression left = unary(true);
    while (token().is("**")) {
      left = operation(left, next().text(), unary(true));
    }
    return left;
  }

  private static Expression operation(Expression left, String operator, Expression right) {
    return frame -> {
      frame.run().step();
      return Arithmetic.apply(left.in(frame), operator, right.in(frame), frame.run());
    };
  }

  private Expression unary(boolean filters) {
    Expression value;
    if (skip("-")) {
      Expression operand = unary(false);
      value = frame -> Arithmetic.negated(operand.in(frame));
    } else if (skip("+")) {
      Expression operand = unary(false);
      value = frame -> Arithmetic.number(operand.in(frame));
    } else {
      value = primary();
    }
    for (; ; ) {
      if (token().is(".") || token().is("[")) {
        value = subscript(value);
      } else if (token().is("(")) {
        value = call(value);
      } else {
        break;
      }
    }
    while (filters) {
      if (token().is("|")) {
        value = filter(value);
      } else if (skipName("is")) {
        value = test(value);
      } else if (token().is("(")) {
        value = call(value);
      } else {
        break;
      }
    }
    return value;
  }

  private Expression primary() {
    Token token = next();
    switch (token.kind()) {
      case NAME -> {
        return switch (token.text()) {
          case "true", "True" -> frame -> true;
          case "false", "False" -> frame -> false;
          case "none", "None" -> frame -> None.NONE;
          default -> {
            String name = token.text();
            yield frame -> frame.lookup(name);
          }
        };
      }
      case STRING -> {
        StringBuilder text = new StringBuilder(token.text());
        while (token().kind() == Kind.STRING) {
          text.append(next().text());
        }
        String all = text.toString();
        return frame -> all;
      }
      case INTEGER -> {
        Object number = integer(token);
        return frame -> number;
      }
      case FLOAT -> {
        double number = Double.parseDouble(token.text().replace("_", ""));
        return frame -> number;
      }
      default -> {
        if (token.is("(")) {
          return parenthesized();
        }
        if (token.is("[")) {
          return list();
        }
        if (token.is("{")) {
          return map();
        }
        at--;
        throw unexpected();
      }
    }
  }

  private Object integer(Token token) {
    String text = token.text().replace("_", "").toLowerCase(java.util.Locale.ROOT);
    BigInteger value =
        text.startsWith("0x")
            ? new BigInteger(text.substring(2), 16)
            : text.startsWith("0o")
                ? new BigInteger(text.substring(2), 8)
                : text.startsWith("0b")
                    ? new BigInteger(text.substring(2), 2)
                    : new BigInteger(text);
    if (value.bitLength() > 63) {
      throw failed("an integer of more than 63 bits is not supported: " + token.text());
    }
    return value.longValue();
  }

  private Expression parenthesized() {
    if (skip(")")) {
      return frame -> new Tuple(List.of());
    }
    Expression value = tuple(true);
    expect(")");
    return value;
  }

  private Expression list() {
    List<Expression> elements = new ArrayList<>();
    while (!skip("]")) {
      if (!elements.isEmpty()) {
        expect(",");
        if (skip("]")) {
          break;
        }
      }
      elements.add(expression());
    }
    return frame -> {
      frame.run().elements(elements.size());
      return values(elements, frame);
    };
  }

  private Expression map() {
    List<Expression> keys = new ArrayList<>();
    List<Expression> values = new ArrayList<>();
    while (!skip("}")) {
      if (!keys.isEmpty()) {
        expect(",");
        if (skip("}")) {
          break;
        }
      }
      keys.add(expression());
      expect(":");
      values.add(expression());
    }
    return frame -> {
      frame.run().elements(keys.size());
      Map<Object, Object> map = new LinkedHashMap<>();
      for (int i = 0; i < keys.size(); i++) {
        map.put(Values.key(keys.get(i).in(frame)), values.get(i).in(frame));
      }
      return map;
    };
  }

  private Expression subscript(Expression of) {
    if (skip(".")) {
      Token token = next();
      if (token.kind() == Kind.NAME) {
        return frame -> Attributes.attribute(of.in(frame), token.text());
      }
      if (token.kind() == Kind.INTEGER) {
        Object index = integer(token);
        return frame -> Attributes.item(of.in(frame), index);
      }
      throw failed("expected a name or number, found " + shown(token));
    }
    expect("[");
    Optional<Expression> start = token().is(":") ? Optional.empty() : Optional.of(expression());
    if (skip("]")) {
      Expression index = start.orElseThrow();
      return frame -> Attributes.item(of.in(frame), index.in(frame));
    }
    expect(":");
    Optional<Expression> stop = bound();
    Optional<Expression> step = skip(":") ? bound() : Optional.empty();
    expect("]");
    return frame ->
        Attributes.slice(
            of.in(frame),
            start.map(e -> e.in(frame)),
            stop.map(e -> e.in(frame)),
            step.map(e -> e.in(frame)),
            frame.run());
  }

  private Optional<Expression> bound() {
    return token().is(":") || token().is("]") ? Optional.empty() : Optional.of(expression());
  }

  /** Arguments in parentheses, if there are any. */
  private Given given() {
    List<Expression> positional = new ArrayList<>();
    Map<String, Expression> named = new LinkedHashMap<>();
    boolean first = true;
    expect("(");
    while (!skip(")")) {
      if (!first) {
        expect(",");
        if (skip(")")) {
          break;
        }
      }
      first = false;
      if (token().is("*") || token().is("**")) {
        throw failed("'" + token().text() + "' before an argument is not supported");
      }
      if (token().kind() == Kind.NAME && tokens.get(at + 1).is("=")) {
        String name = name();
        at++;
        named.put(name, expression());
      } else if (!named.isEmpty()) {
        throw failed("an argument without a name after one with a name");
      } else {
        positional.add(expression());
      }
    }
    return new Given(positional, named);
  }

  private record Given(List<Expression> positional, Map<String, Expression> named) {

    static final Given NOTHING = new Given(List.of(), Map.of());

    Arguments in(Frame frame, String called, Map<String, Object> more) {
      Map<String, Object> all = new LinkedHashMap<>();
      named.forEach((name, value) -> all.put(name, value.in(frame)));
      all.putAll(more);
      return new Arguments(called, values(positional, frame), all);
    }
  }

  private record Call(Expression function, Given given) implements Expression {

    @Override
    public Object in(Frame frame) {
      return with(frame, Map.of());
    }

    Object with(Frame frame, Map<String, Object> more) {
      frame.run().step();
      Object called = function.in(frame);
      if (called instanceof Callable callable) {
        return callable.call(frame.run(), given.in(frame, "the call", more));
      }
      throw called instanceof Undefined undefined
          ? undefined.used()
          : JinjaException.failed(Values.type(called) + " cannot be called");
    }
  }

  private Expression call(Expression function) {
    return new Call(function, given());
  }

  private Expression filter(Expression value) {
    expect("|");
    return namedFilter(value);
  }

  private Expression namedFilter(Expression value) {
    String name = name();
    Filters.Filter filter = Filters.named(name).orElseThrow(() -> noSuch("filter", name));
    Given given = token().is("(") ? given() : Given.NOTHING;
    return frame -> {
      frame.run().step();
      return filter.apply(
          value.in(frame), given.in(frame, "filter '" + name + "'", Map.of()), frame.run());
    };
  }

  private JinjaException noSuch(String sort, String name) {
    return failed("the " + sort + " '" + name + "' is not supported");
  }

  private Expression test(Expression value) {
    boolean negated = skipName("not");
    String name = next().text();
    Tests.Test test = Tests.named(name).orElseThrow(() -> noSuch("test", name));
    Given given = Given.NOTHING;
    if (token().is("(")) {
      given = given();
    } else if (isArgument(token())) {
      Expression argument = primary();
      while (token().is(".") || token().is("[")) {
        argument = subscript(argument);
      }
      given = new Given(List.of(argument), Map.of());
    }
    Given arguments = given;
    return frame -> {
      frame.run().step();
      boolean holds =
          test.holds(
              value.in(frame), arguments.in(frame, "test '" + name + "'", Map.of()), frame.run());
      return holds != negated;
    };
  }

  private boolean isArgument(Token token) {
    return switch (token.kind()) {
      case STRING, INTEGER, FLOAT -> true;
      case NAME -> {
        if (token.text().equals("is")) {
          throw failed("tests cannot be chained with 'is'");
        }
        // 'if' and what follows a condition is no argument either.
        yield !WORDS_AFTER_TEST.contains(token.text()) && !token.text().equals("if");
      }
      default -> token.is("[") || token.is("{");
    };
  }
}
