/**
 * Actions carried out, each once: memoisation through the ledger, the job-directory contract, and
 * the worker processes that keep a native crash away from the system. What to do and why is decided
 * elsewhere; nothing here knows of campaigns, gates or channels.
 */
@NullMarked
package dev.cambium.loop.action;

import org.jspecify.annotations.NullMarked;
