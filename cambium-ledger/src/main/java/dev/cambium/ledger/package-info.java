@NullMarked
package dev.cambium.ledger;

import org.jspecify.annotations.NullMarked;
