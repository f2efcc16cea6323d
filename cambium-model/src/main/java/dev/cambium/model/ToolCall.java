package dev.cambium.model;

import com.fasterxml.jackson.annotation.JsonInclude;
import org.jspecify.annotations.Nullable;

/**
 * A call of a tool that a model asks for in its turn.
 *
 * @param id by which the tool's turn refers to it; none where the template knows no ids
 * @param name of the tool
 * @param arguments by name
 */
public record ToolCall(
    @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable String id,
    String name,
    VerbatimJson arguments) {}
