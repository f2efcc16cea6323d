package dev.cambium.report;

/**
 * The fleet before and after something, side by side where there is room.
 *
 * @param before as it was
 * @param after as it is
 */
public record BeforeAfter(FleetGraph before, FleetGraph after) implements Block {}
