@NullMarked
package dev.cambium.cli;

import org.jspecify.annotations.NullMarked;
