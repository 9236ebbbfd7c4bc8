"""The local side. For developers: the names below, to call tools through the handshake from their own code.

Beside them: the stdio bridge, its sign-in, the configuration of hosts. Knows no room of the server. The names are
loaded when they are first used, so that the bridge does not start with what only developers need.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway.client.background import Background
    from gateway.client.handshake.answers import receipt_of
    from gateway.client.handshake.client import HandshakeClient, SyncHandshakeClient
    from gateway.client.handshake.errors import (
        AuthorizationFailed,
        ConfigurationRefused,
        ConfirmationPending,
        ExecutionFailed,
        HandshakeError,
        OutcomeUnknown,
        ParametersRefused,
        UnclassifiedTool,
    )
    from gateway.client.handshake.flow import Authorization, Confirmation
    from gateway.client.handshake.options import Timeouts, Tls
    from gateway.client.handshake.proof import KeySigner, ParametersSigner
    from gateway.client.handshake.session_token import BoundToken, from_environment, from_keyring
    from gateway.client.login.dpop import Prover
    from gateway.client.secure_tool import data_class_of, execute_secure_tool
    from gateway.client.wrapping import SecureTools, ToolSpec, specs_of

_WHERE = {
    "background": ("Background",),
    "handshake.answers": ("receipt_of",),
    "handshake.client": ("HandshakeClient", "SyncHandshakeClient"),
    "handshake.errors": (
        "AuthorizationFailed",
        "ConfigurationRefused",
        "ConfirmationPending",
        "ExecutionFailed",
        "HandshakeError",
        "OutcomeUnknown",
        "ParametersRefused",
        "UnclassifiedTool",
    ),
    "handshake.flow": ("Authorization", "Confirmation"),
    "handshake.options": ("Timeouts", "Tls"),
    "handshake.proof": ("KeySigner", "ParametersSigner"),
    "handshake.session_token": ("BoundToken", "from_environment", "from_keyring"),
    "login.dpop": ("Prover",),
    "secure_tool": ("data_class_of", "execute_secure_tool"),
    "wrapping": ("SecureTools", "ToolSpec", "specs_of"),
}
_MODULE_OF = {name: module for module, names in _WHERE.items() for name in names}

__all__ = [
    "Authorization",
    "AuthorizationFailed",
    "Background",
    "BoundToken",
    "ConfigurationRefused",
    "Confirmation",
    "ConfirmationPending",
    "ExecutionFailed",
    "HandshakeClient",
    "HandshakeError",
    "KeySigner",
    "OutcomeUnknown",
    "ParametersRefused",
    "ParametersSigner",
    "Prover",
    "SecureTools",
    "SyncHandshakeClient",
    "Timeouts",
    "Tls",
    "ToolSpec",
    "UnclassifiedTool",
    "data_class_of",
    "execute_secure_tool",
    "from_environment",
    "from_keyring",
    "receipt_of",
    "specs_of",
]


def __getattr__(name: str) -> Any:
    """PEP 562: the module of a name, imported when the name is first asked for."""
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{module}"), name)
