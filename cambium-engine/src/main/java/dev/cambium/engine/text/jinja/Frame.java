package dev.cambium.engine.text.jinja;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Variables of a scope, and those around it. */
final class Frame {

  private final Run run;
  private final @Nullable Frame around;
  private final Map<String, Object> variables = new HashMap<>();

  Frame(Run run, @Nullable Frame around) {
    this.run = run;
    this.around = around;
  }

  Frame inner() {
    return new Frame(run, this);
  }

  Run run() {
    return run;
  }

  void set(String name, Object value) {
    variables.put(name, value);
  }

  Object lookup(String name) {
    for (@Nullable Frame frame = this; frame != null; frame = frame.around) {
      Object value = frame.variables.get(name);
      if (value != null) {
        return value;
      }
    }
    return new Undefined("'" + name + "' is undefined");
  }
}
