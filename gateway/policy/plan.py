"""What must be true of a compiled plan before it is run. Pure: a plan in, a list of complaints out.

rego-cpp compiles policies that OPA refuses: recursion, functions that do not exist, variables that nothing binds; it
knows the names of built-ins that it does not have. All of these are undefined when evaluated, and `not undefined` is
true, so a `deny` rule that uses one never fires. The plan is OPA's IR
(https://www.openpolicyagent.org/docs/ir); a statement that is not in the table below is refused too.

NOT found: a variable that OPA calls unsafe and that rego-cpp binds by iterating inside a negation
(`not input.a[x] == 1`); `opa check --strict`, which CI runs, finds it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

# For each statement of the IR: the members that name locals it reads, and those it writes.
_READS_WRITES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "ArrayAppendStmt": (("value", "array"), ()),
    "AssignIntStmt": ((), ("target",)),
    "AssignVarOnceStmt": (("source",), ("target",)),
    "AssignVarStmt": (("source",), ("target",)),
    "BlockStmt": ((), ()),
    "BreakStmt": ((), ()),
    "CallDynamicStmt": (("args", "path"), ("result",)),
    "CallStmt": (("args",), ("result",)),
    "DotStmt": (("source", "key"), ("target",)),
    "EqualStmt": (("a", "b"), ()),
    "IsArrayStmt": (("source",), ()),
    "IsDefinedStmt": (("source",), ()),
    "IsObjectStmt": (("source",), ()),
    "IsSetStmt": (("source",), ()),
    "IsUndefinedStmt": (("source",), ()),
    "LenStmt": (("source",), ("target",)),
    "MakeArrayStmt": ((), ("target",)),
    "MakeNullStmt": ((), ("target",)),
    "MakeNumberIntStmt": ((), ("target",)),
    "MakeNumberRefStmt": ((), ("target",)),
    "MakeObjectStmt": ((), ("target",)),
    "MakeSetStmt": ((), ("target",)),
    "NopStmt": ((), ()),
    "NotEqualStmt": (("a", "b"), ()),
    "NotStmt": ((), ()),
    "ObjectInsertOnceStmt": (("key", "value", "object"), ()),
    "ObjectInsertStmt": (("key", "value", "object"), ()),
    "ObjectMergeStmt": (("a", "b"), ("target",)),
    "ResetLocalStmt": ((), ("target",)),
    "ResultSetAddStmt": (("value",), ()),
    "ReturnLocalStmt": (("source",), ()),
    "ScanStmt": (("source",), ("key", "value")),
    "SetAddStmt": (("value", "set"), ()),
    "WithStmt": (("value",), ("local",)),
}

# Built-ins that rego-cpp has and answers differently from OPA (compared against OPA 1.20.2).
_WRONG = frozenset(
    {
        "time.parse_rfc3339_ns",  # refuses Z
        "urlquery.decode_object",  # doubles values
        "io.jwt.verify_hs256",  # undefined for a wrong signature
        "io.jwt.decode_verify",  # undefined for a short one
        # The following work on a string's escapes instead of its characters.
        "substring",
        "indexof",
        "indexof_n",
        "strings.reverse",
        "hex.encode",
        "base64.encode",
        "base64url.encode",
        "base64url.encode_no_pad",
    }
)
_WRONG_FAMILIES = ("crypto.",)  # hashes of escapes


def complaints(plan: Mapping[str, Any], *, has_builtin: Callable[[str], bool]) -> list[str]:
    """Everything that forbids running this plan, as sentences; empty if it may be run."""
    functions = {function["name"]: function for function in plan["funcs"]["funcs"]}
    used = [builtin["name"] for builtin in plan["static"]["builtin_funcs"]]
    return [
        *_refused_builtins(used, has_builtin),
        *_unknown_statements(plan),
        *_unknown_functions(functions, frozenset(used)),
        *_recursion(functions),
        *_unbound_locals(functions),
        *_unfaithful_literals(plan["static"]["strings"]),
    ]


def _refused_builtins(used: list[str], has_builtin: Callable[[str], bool]) -> Iterator[str]:
    for name in used:
        if name in _WRONG or name.startswith(_WRONG_FAMILIES):
            yield f"the built-in `{name}` does not answer as in OPA"
        elif not has_builtin(name):
            yield f"the built-in `{name}` is not available"


def _unknown_statements(plan: Mapping[str, Any]) -> Iterator[str]:
    for kind, statement in _statements(plan):
        if kind not in _READS_WRITES:
            yield f"the plan holds an unknown statement `{kind}`"
        elif kind == "CallDynamicStmt":
            yield (
                f"`{_looked_up(statement, plan['static']['strings'])}` is in no data file, so a rule may be meant, and"
                " one that is chosen by a computed name cannot be checked"
            )


def _looked_up(statement: Mapping[str, Any], strings: list[Mapping[str, str]]) -> str:
    """`data.gateway.limits.currencies[x]`: the names as they are written, the rest as x."""
    text = ""
    for step in statement["path"]:
        if step["type"] == "string_index":
            text += f".{strings[step['value']]['value']}"
        else:
            text += "[x]"
    return text.removeprefix(".")


def _unknown_functions(functions: Mapping[str, Any], builtins: frozenset[str]) -> Iterator[str]:
    for name, function in functions.items():
        for callee in _callees(function):
            if callee not in functions and callee not in builtins:
                yield f"{_readable(name)} calls `{callee}`, which does not exist"


def _recursion(functions: Mapping[str, Any]) -> Iterator[str]:
    """Depth-first search for a cycle, without recursion of our own."""
    done: set[str] = set()
    for start in functions:
        path: list[tuple[str, Iterator[str]]] = [(start, _callees(functions[start]))]
        on_path = {start}
        while path:
            name, remaining = path[-1]
            callee = next(remaining, None)
            if callee is None:
                path.pop()
                on_path.discard(name)
                done.add(name)
            elif callee in on_path:
                yield f"{_readable(name)} is recursive"
                return
            elif callee in functions and callee not in done:
                path.append((callee, _callees(functions[callee])))
                on_path.add(callee)


def _unbound_locals(functions: Mapping[str, Any]) -> Iterator[str]:
    """A local that is read and that no statement of the function ever writes is a variable nobody bound."""
    for name, function in functions.items():
        read: set[int] = set()
        written = set(function["params"])
        for kind, statement in _statements(function["blocks"]):
            reads, writes = _READS_WRITES.get(kind, ((), ()))
            read.update(*(_locals(statement.get(member)) for member in reads))
            written.update(*(_locals(statement.get(member)) for member in writes))
        if read - written:
            yield f"{_readable(name)} uses a variable that nothing binds"


def _unfaithful_literals(strings: list[Mapping[str, str]]) -> Iterator[str]:
    """rego-cpp compares strings as written: the literals "\\u00e9" and "é" are the same text and not equal there."""
    for entry in strings:
        literal = entry["value"]
        if len(literal) > 1 and literal[0] == literal[-1] == '"':
            literal = literal[1:-1]  # arguments of built-ins are kept with their quotes
        try:
            text = msgspec.json.decode(f'"{literal}"'.encode(), type=str)
        except msgspec.DecodeError:
            yield f"the text {literal[:40]!r} is not a JSON string"
            continue
        if "\0" in text or msgspec.json.encode(text)[1:-1].decode() != literal:
            yield f"the text {literal[:40]!r} must be written without that escape: write the character itself"


def _statements(node: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every statement below a part of the plan, with its kind."""
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if "stmt" in part and "type" in part:
                yield part["type"], part["stmt"]
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)


def _callees(function: Mapping[str, Any]) -> Iterator[str]:
    return iter(
        [statement["func"] for kind, statement in _statements(function["blocks"]) if kind == "CallStmt"]
    )


def _locals(member: Any) -> Iterator[int]:
    """The locals in a member: a bare number, an operand of type local, or a list of operands."""
    match member:
        case bool():
            return
        case int():
            yield member
        case {"type": "local", "value": int(number)}:
            yield number
        case list():
            for item in member:
                yield from _locals(item)


def _readable(function: str) -> str:
    """`g0.data.gateway.decision.answer` -> `data.gateway.decision.answer`."""
    return function.partition(".")[2] or function
