package dev.cambium.report;

/** Something that a page can show. */
public sealed interface Block
    permits Note,
        Tiles,
        Terms,
        FleetGraph,
        BeforeAfter,
        AccuracyTable,
        VerdictView,
        Timeline,
        Plot,
        TextTable,
        WhyTree {}
