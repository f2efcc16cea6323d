/**
 * The command line: reads arguments, calls the loop, writes what came of it for a person or, with
 * {@code --json}, for a program.
 *
 * <p>Nothing is decided here. What a command does can be done through {@link
 * dev.cambium.loop.Cambium} as well; what only a terminal needs (colours, bars, questions) is here
 * and nowhere else.
 */
@NullMarked
package dev.cambium.cli;

import org.jspecify.annotations.NullMarked;
