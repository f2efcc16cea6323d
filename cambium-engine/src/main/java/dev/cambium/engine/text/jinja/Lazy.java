package dev.cambium.engine.text.jinja;

import java.util.Iterator;
import java.util.List;

/** What Python makes as a generator: always true, without a length, and gone once read. */
final class Lazy implements Iterable<Object> {

  private final Iterator<Object> elements;

  Lazy(List<Object> elements) {
    this.elements = elements.iterator();
  }

  @Override
  public Iterator<Object> iterator() {
    return elements;
  }
}
