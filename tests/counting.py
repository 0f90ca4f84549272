"""What JAX reports of its work: compilations and traces, noted while a `with` block runs."""

import contextlib

import jax

COMPILED = "/jax/core/compile/backend_compile_duration"
TRACED = "/jax/core/compile/jaxpr_trace_duration"


@contextlib.contextmanager
def noted(*events):
    """Give a list that grows with each event of these names (none: each compilation)."""
    wanted, found = set(events or [COMPILED]), []

    def note(event, duration, **_):
        if event in wanted:
            found.append(event)

    jax.monitoring.register_event_duration_secs_listener(note)
    try:
        yield found
    finally:
        wanted.clear()
        forget = getattr(jax.monitoring, "unregister_event_duration_listener", None)
        if forget is not None:  # jax 0.8 has none
            forget(note)
