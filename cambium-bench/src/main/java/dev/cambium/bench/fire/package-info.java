/**
 * Deterministic simulation: seeded histories of commands and faults over a whole ecosystem with a
 * trainer made of tables, and the invariants that every history must keep. Nothing here runs a real
 * model; what runs the real engine under fire is {@link dev.cambium.bench.KillCampaign}.
 */
@NullMarked
package dev.cambium.bench.fire;

import org.jspecify.annotations.NullMarked;
