@NullMarked
package dev.cambium.bench;

import org.jspecify.annotations.NullMarked;
