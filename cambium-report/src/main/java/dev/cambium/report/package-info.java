@NullMarked
package dev.cambium.report;

import org.jspecify.annotations.NullMarked;
