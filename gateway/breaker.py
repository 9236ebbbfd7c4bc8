"""When to stop asking a part that does not answer. Pure: states are values and the time is an argument.

    closed ── `threshold` failures in a row ──> open ── after `open_s` ──> half-open: one probe
       ^                                         ^                              │
       └─────────────── success ─────────────────┼───────── success ────────────┤
                                                 └───────── failure ────────────┘

While it is open, callers are answered at once instead of each waiting for the whole deadline.
"""

import msgspec


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """When to open, and for how long."""

    threshold: int = 5
    open_s: float = 1.0


class Breaker(msgspec.Struct, frozen=True, kw_only=True):
    """One state. `opened_at` is None while closed; `probing` says that the one probe is under way."""

    failures: int = 0
    opened_at: float | None = None
    probing: bool = False


def admit(state: Breaker, rules: Rules, now: float) -> tuple[Breaker, bool]:
    """Whether a question may be asked now."""
    if state.opened_at is None:
        return state, True
    if state.probing or now - state.opened_at < rules.open_s:
        return state, False
    return Breaker(failures=state.failures, opened_at=state.opened_at, probing=True), True


def succeeded(state: Breaker) -> Breaker:
    """An answer came: closed, whoever asked."""
    return state if state == _CLOSED else _CLOSED


def failed(state: Breaker, rules: Rules, now: float) -> Breaker:
    """No answer came: open after enough of them, and again after a probe."""
    failures = state.failures + 1
    if state.probing or (state.opened_at is None and failures >= rules.threshold):
        return Breaker(failures=failures, opened_at=now)
    return Breaker(failures=failures, opened_at=state.opened_at, probing=state.probing)


def abandoned(state: Breaker) -> Breaker:
    """The asker went away before it knew: the next one may probe."""
    return Breaker(failures=state.failures, opened_at=state.opened_at)


_CLOSED = Breaker()
