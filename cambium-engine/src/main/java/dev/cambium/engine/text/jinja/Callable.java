package dev.cambium.engine.text.jinja;

/** A function, method or macro. */
@FunctionalInterface
interface Callable {
  Object call(Run run, Arguments arguments);
}
