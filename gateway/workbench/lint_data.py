"""The data files held against what they are about: their schemas, the table of classes, the tools' own input schemas.

A table about a tool that does not exist, or about an argument that the tool does not have, refuses nothing and allows
nothing: its author believes in a rule that is not there. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema_rs

from gateway.workbench.finding import Finding
from gateway.workbench.pack import Pack
from gateway.workbench.questions import Document, Tools

MAX_SCHEMA_ERRORS = 10
"""Errors of one file that are told."""

_BY_NAME_ALONE = frozenset({"environment", "migration", "redaction", "transactions"})
_BY_EITHER = frozenset({"budgets", "decisions", "limits", "usage"})
"""How rooms know tools: by name, by name or as server/name; the others as ``_classified`` writes them."""

_WEAKEST_FIRST = ("host", "link", "oidc")
"""Of the kinds of evidence, those whose order nobody can doubt."""


def lint_data(
    pack: Pack, schemas: Mapping[str, Document], tools: Mapping[str, Tools], *, now: float
) -> list[Finding]:
    """``schemas``: room -> JSON Schema of its data file. ``now``: unix seconds, for dates that are over."""
    return [
        *_schemas(pack.data, schemas),
        *_names(pack.data),
        *_places(pack.data, tools),
        *_never(pack.data, now),
        *_turned(pack.data),
    ]


def _schemas(data: Document, schemas: Mapping[str, Document]) -> Iterator[Finding]:
    for room, document in sorted(data.items()):
        schema = schemas.get(room)
        if schema is None:
            continue
        errors = jsonschema_rs.validator_for(schema).iter_errors(document)
        for number, error in enumerate(errors):
            if number == MAX_SCHEMA_ERRORS:
                break
            place = "/" + "/".join(str(step) for step in error.instance_path)
            yield _finding("schema", "error", room, place, error.message, f"see policies/schemas/{room}.json")


def _names(data: Document) -> Iterator[Finding]:
    known = _classified(data)
    plain = {name.rpartition("/")[2] for name in known}
    for room, place, name in _mentioned(data):
        if room in _BY_NAME_ALONE:
            found = name in plain
        elif room in _BY_EITHER:
            found = name in plain or _qualified(name, data)
        else:
            found = name in known
        if found:
            continue
        alone = room in _BY_NAME_ALONE and name.rpartition("/")[2] in plain
        yield _finding(
            "tools",
            "error",
            room,
            place,
            f"tools stand here by their name alone, {name!r} is never met"
            if alone
            else f"there is no tool {name!r}: it has no data class, so every call of it is denied before this is read",
            "leave the server out"
            if alone
            else "correct the name, or classify the tool in classes/data.yaml",
        )


def _qualified(name: str, data: Document) -> bool:
    """Whether ``server/tool`` is a tool that the server can have: of its own table, or without one, of all."""
    server, _, tool = name.rpartition("/")
    classes = _object(data, "classes")
    own = _object(classes, "servers").get(server)
    if isinstance(own, dict):
        return tool in own
    return bool(server) and (tool in _object(classes, "tools") or tool in _object(classes, "aliases"))


def _classified(data: Document) -> frozenset[str]:
    """As the tables name tools: those of a server with a table of its own as server/tool."""
    classes = _object(data, "classes")
    plain = {*_object(classes, "tools"), *_object(classes, "aliases")}
    of_servers = {
        f"{server}/{name}"
        for server, table in _object(classes, "servers").items()
        if isinstance(table, dict)
        for name in table
    }
    return frozenset(plain | of_servers)


def _mentioned(data: Document) -> Iterator[tuple[str, str, str]]:
    for table in ("rules", "structure"):
        for name in _object(_object(data, "arguments"), table):
            yield "arguments", f"/{table}/{name}", name
    for number, name in enumerate(_list(_object(data, "limits"), "amount_required")):
        yield "limits", f"/amount_required/{number}", str(name)
    for name in _object(_object(_object(data, "migration"), "ramps"), "tools"):
        yield "migration", f"/ramps/tools/{name}", name
    for number, name in enumerate(_list(_object(_object(data, "environment"), "closed"), "tools")):
        yield "environment", f"/closed/tools/{number}", str(name)
    tables = (
        ("usage", "tools"),
        ("redaction", "tools"),
        ("transactions", "replayable"),
        ("decisions", "masked"),
    )
    for room, table in tables:
        for name in _object(_object(data, room), table):
            yield room, f"/{table}/{name}", name
    budgets = _object(_object(data, "budgets"), "budgets")
    for budget, entry in budgets.items():
        for number, name in enumerate(_list(entry, "tool") if isinstance(entry, dict) else ()):
            yield "budgets", f"/budgets/{budget}/tool/{number}", str(name)


def _places(data: Document, tools: Mapping[str, Tools]) -> Iterator[Finding]:
    arguments = _object(data, "arguments")
    for table in ("rules", "structure"):
        for name, entry in _object(arguments, table).items():
            schema = _schema_of(name, tools)
            if schema is None or not isinstance(entry, dict):
                continue
            for place, pointer in _pointers(table, name, entry):
                if not _has(schema, pointer):
                    yield _finding(
                        "paths",
                        "error",
                        "arguments",
                        place,
                        f"the tool {name} has no argument at {pointer}: the rule never meets a value",
                        "look at the tool's input schema (countersign tools show)",
                    )


def _pointers(table: str, name: str, entry: Document) -> Iterator[tuple[str, str]]:
    if table == "rules":
        for pointer in entry:
            yield f"/rules/{name}", pointer
        return
    for pointer in _object(entry, "max_items"):
        yield f"/structure/{name}/max_items", pointer
    for key in _list(entry, "keys"):
        yield f"/structure/{name}/keys", f"/{key}"
    for pointer in _list(entry, "forbidden"):
        yield f"/structure/{name}/forbidden", str(pointer)


def _never(data: Document, now: float) -> Iterator[Finding]:
    arguments = _object(data, "arguments")
    for name, rules in _object(arguments, "rules").items():
        structure = _object(_object(arguments, "structure"), name)
        keys, forbidden = _list(structure, "keys"), _list(structure, "forbidden")
        for pointer in rules if isinstance(rules, dict) else ():
            first = pointer.strip("/").split("/")[0]
            if pointer in forbidden or (keys and first not in keys):
                yield _finding(
                    "shadowed",
                    "warning",
                    "arguments",
                    f"/rules/{name}{pointer}",
                    "the structure of this tool forbids the place: the rule is never reached",
                    "delete one of the two",
                )
    migration = _object(data, "migration")
    for number, exemption in enumerate(_list(migration, "exemptions")):
        if not isinstance(exemption, dict):
            continue
        over = isinstance(exemption.get("expires"), int | float) and exemption["expires"] <= now
        ignored = migration.get("phase") == "completion"
        if over or ignored:
            why = "its date is over" if over else "the phase `completion` ignores exemptions"
            yield _finding(
                "never",
                "warning",
                "migration",
                f"/exemptions/{number}",
                f"exempts nothing: {why}",
                "delete it",
            )


def _turned(data: Document) -> Iterator[Finding]:
    """On a scale that was turned round, what is pressed inside the host is worth more than a login."""
    scale = [one for one in _list(_object(data, "consent"), "assurance") if one in _WEAKEST_FIRST]
    if scale and tuple(scale) != _WEAKEST_FIRST:
        yield _finding(
            "scale",
            "error",
            "consent",
            "/assurance",
            f"the weakest evidence stands first, and that is not {scale[0]!r}"
            if scale[0] != _WEAKEST_FIRST[0]
            else "a link is weaker evidence than a login at the identity provider",
            "assurance: [host, agent, link, oidc]",
        )


def _schema_of(name: str, tools: Mapping[str, Tools]) -> Document | None:
    server, _, tool = name.rpartition("/")
    known = tools.get(server or "paypal")
    wire = None if known is None else known.wire(tool)
    return None if wire is None else dict(wire["inputSchema"])


def _has(schema: Any, pointer: str) -> bool:
    """Whether a value can stand there, as far as ``properties`` and ``items`` say. What they leave open, can."""
    here = schema
    for step in pointer.strip("/").split("/"):
        if not isinstance(here, dict):
            return True
        if step == "*":
            if "items" not in here:
                return "properties" not in here
            here = here["items"]
        elif isinstance(here.get("properties"), dict):
            if step not in here["properties"]:
                return isinstance(here.get("additionalProperties"), dict)
            here = here["properties"][step]
        else:
            return "items" not in here
    return True


def _finding(check: str, severity: str, room: str, place: str, message: str, remedy: str) -> Finding:
    return Finding(
        check=check,
        severity="error" if severity == "error" else "warning",
        where=f"gateway/{room}/data.yaml {place}",
        message=message,
        remedy=remedy,
    )


def _object(value: Document, key: str) -> Document:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def _list(value: Document, key: str) -> list[Any]:
    found = value.get(key)
    return found if isinstance(found, list) else []
