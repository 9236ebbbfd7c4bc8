"""What can go wrong for a tool's author. Messages name what is wrong and never hold a token or a secret.

::

    AuthoringError                authoring.*
    ├── ConfigInvalid             authoring.config_invalid     the provider's settings, the manifest, a declaration
    │   └── ConfigIncomplete      authoring.config_incomplete
    ├── UnsupportedProvider       authoring.unsupported_provider
    ├── NoToken                   authoring.no_token           with the normalised problem
    ├── HistoryUnusable           authoring.history_unusable
    ├── UnknownTool               authoring.unknown_tool
    └── NegotiationFailed         authoring.negotiation_failed
"""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.errors import INVALID_PARAMS, CountersignError


class Problem(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An error of an identity provider in one shape, whoever said it (R113). Secrets are cut out of every member."""

    code: str
    message: str
    details: dict[str, Any] | None = None
    provider_specific: dict[str, Any] | None = None


class AuthoringError(CountersignError):
    """The root of this package's errors."""

    code = "authoring.unusable"


class ConfigInvalid(AuthoringError):
    """Settings, a manifest or a declaration that cannot be used. The message names the key."""

    code = "authoring.config_invalid"


class ConfigIncomplete(ConfigInvalid):
    """A setting is missing, or empty."""

    code = "authoring.config_incomplete"


class UnsupportedProvider(ConfigInvalid):
    """A kind of identity provider that nobody taught us."""

    code = "authoring.unsupported_provider"

    def __init__(self, kind: str) -> None:
        super().__init__(f"Unsupported OAuth provider type: {kind}")


class NoToken(AuthoringError):
    """The identity provider gave no usable token. ``down``: it did not answer, and may the next time."""

    code = "authoring.no_token"

    def __init__(self, message: str, problem: Problem, *, down: bool = False) -> None:
        super().__init__(message)
        self.problem = problem
        self.down = down


class HistoryUnusable(AuthoringError):
    """The file of versions cannot be read or written. Going on would let a tool begin again at its first version."""

    code = "authoring.history_unusable"


class UnknownTool(AuthoringError):
    """No tool of that id was ever registered."""

    code = "authoring.unknown_tool"

    def __init__(self, tool_id: str) -> None:
        super().__init__(f"Tool not found: {tool_id}")


class NegotiationFailed(AuthoringError):
    """One side requires what the other does not speak."""

    code = "authoring.negotiation_failed"
    rpc_code = INVALID_PARAMS
