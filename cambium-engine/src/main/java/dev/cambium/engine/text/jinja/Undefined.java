package dev.cambium.engine.text.jinja;

/**
 * A name that has no value: empty where it is written or looped over, false in a condition, and a
 * failure in everything else.
 *
 * @param why the message of that failure
 */
record Undefined(String why) {

  JinjaException used() {
    return JinjaException.failed(why);
  }
}
