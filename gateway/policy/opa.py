"""Asks an OPA sidecar over its REST API (https://www.openpolicyagent.org/docs/rest-api, Data API).

OPA answers 200 without `result` for an undefined rule, and 500 for a rule conflict or, asked for strict errors, for
a failed built-in: without that, `not net.cidr_contains(...)` on bad input would be true. Redirects are not followed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import msgspec

from gateway import breaker
from gateway.errors import PolicyUnavailable
from gateway.http1 import (
    BadReply,
    Endpoint,
    Http1Client,
    Http1Error,
    Limits,
    NoReplyTimeout,
    NotSent,
    NotSentTimeout,
    Response,
)
from gateway.policy.engine import Entrypoint, Evaluation, Failure, Readiness, unavailable
from gateway.policy.vectors import VECTORS

MAX_ANSWER_BYTES = 2 * 1024 * 1024
"""An answer is a few hundred bytes; a listing of some hundred tools is the largest."""

UNVERSIONED = "unversioned"
"""The revision of a bundle whose manifest has none: OPA then reports an empty string."""

_TARGETS = {
    entrypoint: f"/v1/data/{entrypoint}?provenance=true&strict-builtin-errors=true".encode()
    for entrypoint in Entrypoint
}


class _BundleInfo(msgspec.Struct):
    revision: str = ""


class _Provenance(msgspec.Struct):
    bundles: dict[str, _BundleInfo] = {}


class _Reply(msgspec.Struct):
    result: msgspec.Raw = msgspec.Raw()
    decision_id: str | None = None  # present when OPA has decision logs configured
    provenance: _Provenance | None = None


class _Error(msgspec.Struct):
    code: str = ""
    errors: list[_Error] = []


_REPLY = msgspec.json.Decoder(_Reply)
_ERROR = msgspec.json.Decoder(_Error)


class OpaSidecar:
    """The production engine. `deadline_s` bounds each decision, waiting for a connection included."""

    def __init__(
        self,
        client: Http1Client,
        *,
        clock: Callable[[], float],
        deadline_s: float = 0.5,
        rules: breaker.Rules | None = None,
        token: str | None = None,
    ) -> None:
        self._client = client
        self._clock = clock
        self._deadline_s = deadline_s
        self._rules = rules or breaker.Rules()
        self._breaker = breaker.Breaker()
        self._headers = [(b"content-type", b"application/json")]
        if token is not None:
            self._headers.append((b"authorization", b"Bearer " + token.encode("ascii")))

    @classmethod
    def at(
        cls, url: str, *, clock: Callable[[], float], deadline_s: float = 0.5, token: str | None = None
    ) -> Self:
        """A sidecar at `http://127.0.0.1:8181` or `unix:///path`. ValueError for anything else."""
        client = Http1Client(Endpoint.parse(url), limits=Limits(body_bytes=MAX_ANSWER_BYTES, idle_s=60))
        return cls(client, clock=clock, deadline_s=deadline_s, token=token)

    async def evaluate(self, entrypoint: Entrypoint, document: bytes) -> Evaluation:
        """Ask OPA. Raises PolicyUnavailable; an undefined rule is an Evaluation without result."""
        self._breaker, admitted = breaker.admit(self._breaker, self._rules, self._clock())
        if not admitted:
            raise unavailable(Failure.BREAKER_OPEN, "The policy engine failed several times in a row.")
        try:
            response = await self._client.request(
                b"POST",
                _TARGETS[entrypoint],
                self._headers,
                b'{"input":' + document + b"}",
                timeout_s=self._deadline_s,
                replayable=True,  # a question changes nothing
            )
        except Http1Error as error:
            self._breaker = breaker.failed(self._breaker, self._rules, self._clock())
            raise _no_answer(error) from error
        except BaseException:
            self._breaker = breaker.abandoned(self._breaker)
            raise
        if response.status > 500:  # a proxy or a starting server, not an evaluation that failed
            self._breaker = breaker.failed(self._breaker, self._rules, self._clock())
        else:
            self._breaker = breaker.succeeded(self._breaker)
        return _read(response)

    async def ready(self) -> Readiness:
        """Ask the known vectors: a sidecar that answers them wrongly has the wrong policy, and is not ready."""
        revision = ""
        for vector in VECTORS:
            try:
                evaluation = await self.evaluate(vector.entrypoint, vector.document)
            except PolicyUnavailable as error:
                return Readiness(ready=False, engine="opa", revision=revision, error=error.message)
            revision = evaluation.revision
            if problem := vector.problem(evaluation.result):
                return Readiness(ready=False, engine="opa", revision=revision, error=problem)
        return Readiness(ready=True, engine="opa", revision=revision)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _no_answer(error: Http1Error) -> PolicyUnavailable:
    match error:
        case NotSentTimeout() | NoReplyTimeout():
            return unavailable(Failure.TIMEOUT, "The policy engine did not answer in time.")
        case NotSent():
            return unavailable(Failure.REFUSED, "The policy engine cannot be reached.")
        case BadReply():
            return unavailable(Failure.MALFORMED, "The policy engine did not answer in proper HTTP.")
        case _:
            return unavailable(Failure.NO_REPLY, "The policy engine hung up.")


def _read(response: Response) -> Evaluation:
    if response.status != 200:
        raise _refusal(response)
    try:
        reply = _REPLY.decode(response.body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise unavailable(Failure.MALFORMED, "The policy engine's answer is not what OPA answers.") from error
    return Evaluation(
        result=msgspec.Raw(reply.result) if reply.result else None,
        decision_id=reply.decision_id,
        revision=_revision(reply.provenance),
        engine="opa",
    )


def _refusal(response: Response) -> PolicyUnavailable:
    """A status other than 200: the rule failed on this question, or this is not OPA's Data API."""
    try:
        codes = {error.code for error in _ERROR.decode(response.body).errors}
    except (msgspec.DecodeError, UnicodeDecodeError):
        codes = set()
    if response.status == 500 and any(code.startswith("eval_") for code in codes):
        return unavailable(Failure.BUILT_IN_ERROR, f"The policy failed on this question: {min(codes)}.")
    return unavailable(Failure.HTTP_STATUS, f"The policy engine answered with status {response.status}.")


def _revision(provenance: _Provenance | None) -> str:
    """One bundle: its revision. Several: `name=revision` of each, sorted, so that any change shows."""
    bundles = provenance.bundles if provenance else {}
    if len(bundles) == 1:
        return next(iter(bundles.values())).revision or UNVERSIONED
    named = [f"{name}={info.revision or UNVERSIONED}" for name, info in sorted(bundles.items())]
    return ";".join(named) or UNVERSIONED
