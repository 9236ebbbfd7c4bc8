"""The data class of a tool, as Python reads it: the same file that Rego reads, no second map (R001).

The gateway uses it to choose how careful to be *before* the policy has spoken (fresh definitions, fresh approvals);
what may happen is decided in Rego, never here.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

import msgspec
from msgspec import Meta

from gateway.policy.data_file import DataFileError, parse_yaml
from gateway.policy.engine import PolicyRefused

LEAST_SENSITIVE = 3
"""Classes 1 to 3 go through two phases at least."""

DataClass = Annotated[int, Meta(ge=1, le=5)]
ToolName = Annotated[str, Meta(min_length=1, max_length=128)]


class Tier(StrEnum):
    """The four tiers of the handshake how-to, most sensitive first."""

    RESTRICTED = "restricted"
    CONFIDENTIAL = "confidential"
    INTERNAL = "internal"
    PUBLIC = "public"


_TIERS = {1: Tier.RESTRICTED, 2: Tier.RESTRICTED, 3: Tier.CONFIDENTIAL, 4: Tier.INTERNAL, 5: Tier.PUBLIC}


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    tools: dict[ToolName, DataClass]
    aliases: dict[ToolName, DataClass] = {}
    servers: dict[str, dict[ToolName, DataClass]] = {}


class Classes:
    """The class table, read once."""

    def __init__(
        self, classes: Mapping[str, int], servers: Mapping[str, Mapping[str, int]] | None = None
    ) -> None:
        self._classes = dict(classes)
        self._servers = {name: dict(table) for name, table in (servers or {}).items()}

    @classmethod
    def load(cls, policy_folder: Path) -> Self:
        """From ``classes/data.yaml`` under the policy folder.

        :raises PolicyRefused: the file is missing, damaged, or has a class that does not exist.
        """
        path = policy_folder / "classes" / "data.yaml"
        try:
            found = msgspec.convert(parse_yaml(path.read_text(encoding="utf-8")), _File)
        except OSError as problem:
            raise PolicyRefused(f"{path.name} of the classes cannot be read: {problem.strerror}.") from None
        except (DataFileError, msgspec.ValidationError) as problem:
            raise PolicyRefused(f"classes/data.yaml: {problem}") from None
        if both := found.tools.keys() & found.aliases.keys():
            raise PolicyRefused(f"classes/data.yaml: both a tool and an alias: {', '.join(sorted(both))}")
        return cls({**found.aliases, **found.tools}, found.servers)

    def of(self, server: str, tool: str) -> int | None:
        """1 (most sensitive) to 5 (public); None for a tool nobody classified. A server with a table has no other."""
        return self._servers.get(server, self._classes).get(tool)

    @staticmethod
    def tier(data_class: int) -> Tier:
        """The tier of a class (conflict C04). :raises ValueError: there is no such class."""
        try:
            return _TIERS[data_class]
        except KeyError:
            raise ValueError(f"{data_class!r} is not a data class (1 to 5)") from None

    def is_sensitive(self, server: str, tool: str) -> bool:
        """Whether to take no chances: classes 1 to 3, and every tool without a class."""
        found = self.of(server, tool)
        return found is None or found <= LEAST_SENSITIVE
