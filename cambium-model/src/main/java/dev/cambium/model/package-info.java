/**
 * The language of Cambium: tiers, versions, capabilities, signals, recipes, actions, facts.
 *
 * <p>Immutable values only, with their canonical JSON form. Nothing here reads or writes a file, a
 * database or the clock; nothing here depends on another Cambium module.
 */
@NullMarked
package dev.cambium.model;

import org.jspecify.annotations.NullMarked;
