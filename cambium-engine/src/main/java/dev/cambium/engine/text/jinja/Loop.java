package dev.cambium.engine.text.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** {@code {% for %}}. */
record Loop(
    Parser.Target target,
    Expression elements,
    Optional<Expression> test,
    boolean recursive,
    Statement body,
    Statement otherwise)
    implements Statement {

  @Override
  public Flow write(Frame frame, StringBuilder out) {
    return over(frame, elements.in(frame), 0, out);
  }

  private Flow over(Frame frame, Object value, int depth, StringBuilder out) {
    List<Object> all = Values.elements(value, frame.run());
    if (test.isPresent()) {
      List<Object> kept = new ArrayList<>();
      for (Object element : all) {
        Frame scope = frame.inner();
        target.set(scope, element);
        if (Values.isTrue(test.get().in(scope))) {
          kept.add(element);
        }
      }
      all = kept;
    }
    State state = new State(this, frame, all, depth);
    for (int i = 0; i < all.size(); i++) {
      frame.run().step();
      Frame scope = frame.inner();
      state.index = i;
      scope.set("loop", state);
      target.set(scope, all.get(i));
      if (body.write(scope, out) == Flow.BREAK) {
        return Flow.NEXT;
      }
    }
    return all.isEmpty() ? otherwise.write(frame.inner(), out) : Flow.NEXT;
  }

  /** The variable {@code loop}. */
  static final class State implements Callable {
    private final Loop loop;
    private final Frame frame;
    private final List<Object> all;
    private final int depth;
    private int index;
    private Object changed = new Undefined("nothing before");

    State(Loop loop, Frame frame, List<Object> all, int depth) {
      this.loop = loop;
      this.frame = frame;
      this.all = all;
      this.depth = depth;
    }

    Object attribute(String name) {
      return switch (name) {
        case "index" -> index + 1L;
        case "index0" -> (long) index;
        case "revindex" -> (long) all.size() - index;
        case "revindex0" -> all.size() - index - 1L;
        case "first" -> index == 0;
        case "last" -> index == all.size() - 1;
        case "length" -> (long) all.size();
        case "depth" -> depth + 1L;
        case "depth0" -> (long) depth;
        case "previtem" ->
            index > 0 ? all.get(index - 1) : new Undefined("there is no previous item");
        case "nextitem" ->
            index + 1 < all.size() ? all.get(index + 1) : new Undefined("there is no next item");
        case "cycle" ->
            (Callable)
                (run, arguments) -> {
                  List<Object> values = arguments.rest();
                  arguments.end();
                  if (values.isEmpty()) {
                    throw JinjaException.failed("no items for cycling given");
                  }
                  return values.get(index % values.size());
                };
        case "changed" ->
            (Callable)
                (run, arguments) -> {
                  Object now = new Tuple(arguments.rest());
                  boolean same = Values.equal(changed, now, run);
                  changed = now;
                  return !same;
                };
        default -> new Undefined("the loop has no '" + name + "'");
      };
    }

    @Override
    public Object call(Run run, Arguments arguments) {
      if (!loop.recursive()) {
        throw JinjaException.failed("the loop must have the 'recursive' marker to be called");
      }
      StringBuilder out = new StringBuilder();
      run.enter();
      loop.over(frame, arguments.need("iterable"), depth + 1, out);
      run.leave();
      return run.text(out.toString());
    }
  }
}
