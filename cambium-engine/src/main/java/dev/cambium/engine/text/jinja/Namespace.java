package dev.cambium.engine.text.jinja;

import java.util.Map;

/** Variables that a loop may change. */
record Namespace(Map<String, Object> variables) {}
