"""A definition as hosts are shown it: the server's own, its annotations ours where we know the tool. Pure.

Attack: a server calls ``create_refund`` read-only, or says nothing, and a host that trusts hints asks nobody. The hash
stays over what the server sends; what is shown besides is in no definition and in no approval.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Annotations = Mapping[str, Mapping[str, Any]]
"""Tool -> the annotations that hosts are shown."""
NONE: Annotations = {}


def shown(wire: dict[str, Any], annotations: Annotations) -> dict[str, Any]:
    """The definition itself where we know no better. Never a mixture: half of our word would be the server's."""
    ours = annotations.get(str(wire.get("name")))
    return wire if ours is None else {**wire, "annotations": dict(ours)}
