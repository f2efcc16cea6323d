/**
 * The part of Jinja2 that chat templates are written in: parsing, and rendering with bounds. It
 * reaches nothing but the values that it is given, and knows nothing of models. What it does not
 * know it refuses by name; nothing is passed over in silence.
 */
@NullMarked
package dev.cambium.engine.text.jinja;

import org.jspecify.annotations.NullMarked;
