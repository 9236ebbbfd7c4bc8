"""rego-cpp through its C API, as far as we use it, and only as it can be trusted.

regopy's own wrapper is not used for evaluating, because
- rego-cpp keeps strings as JSON text. regopy hands it raw text, so an argument `x","outcome":"allow` that a rule
  quotes in a message ADDS A KEY TO THE ANSWER. Here strings go in escaped, and the answer is read node by node,
  never as one JSON text, so no string can leave its place.
- C strings end at NUL (`create_refund\\0x` would be judged as `create_refund`), integers wrap at 64 bits, floats
  keep six decimals. What cannot be handed over exactly is refused.
- each small call would release the GIL and queue for it again; here only the evaluation itself does.

NOT repaired: built-ins that look inside strings (count, substring, regex.match, contains, lower) see the escapes of
quotes, backslashes and control characters. A rule that searches text for those belongs on OPA.
"""

from __future__ import annotations

import ctypes
import math
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from regopy import rego_shared as api

from gateway.policy.engine import Failure, PolicyRefused, unavailable

MAX_DEPTH = 64
"""Levels of nesting in a question. rego-cpp takes time quadratic in depth: 3000 levels need 3 s."""
MAX_NODES = 20_000
"""Values in a question; about 100 ms of conversion. Larger questions would stall the others."""
MAX_ERRORS = 3
"""Errors of a policy that does not compile, of those that are told."""
_ERROR = re.compile(
    r"\(error \d+:(?P<module>[^|()]+)\|(?P<offset>\d+)\|\d+\s+\(errormsg (?P<length>\d+):", re.ASCII
)
_MAX_ROUND_FLOAT = 1e9  # up to here a double has the six exact decimals that rego-cpp keeps

_held = ctypes.PyDLL(api.path)  # keeps the GIL: for calls of a microsecond
_CONVERSIONS = (
    "regoNewInput",
    "regoFreeInput",
    "regoSetInput",
    "regoOutputOk",
    "regoOutputNode",
    "regoFreeOutput",
)
for _name in dir(api.rego):
    if _name in _CONVERSIONS or _name.startswith(("regoInput", "regoNode")):
        getattr(_held, _name).restype = getattr(api.rego, _name).restype
        getattr(_held, _name).argtypes = getattr(api.rego, _name).argtypes

_KIND = api.NodeKind


class Undefined:
    """The rule had no value for this question."""


UNDEFINED = Undefined()


class Bundle:
    """A compiled policy. May be shared between threads; keeps the interpreter that built it alive."""

    def __init__(self, modules: dict[str, str], data: dict[str, Any], entrypoints: Sequence[str]) -> None:
        """Compile. Raises PolicyRefused for what rego-cpp notices, which is little more than syntax."""
        self.handle: Any = None  # an address; regopy types it as c_void_p
        self._builder = Interpreter()
        handle = self._builder.handle
        try:
            for name, source in modules.items():
                api.rego_add_module(handle, name, source)
            api.rego_add_data_json(handle, msgspec.json.encode(data).decode())
            for entrypoint in entrypoints:
                api.rego_add_entrypoint(handle, entrypoint)
            # The library answers NULL for failure, which ctypes gives as None.
            self.handle = api.rego_build(handle)
        except api.RegoError as error:
            raise PolicyRefused(f"the policy does not compile: {_said(error, modules)}") from error
        if not self.handle or not api.rego_bundle_ok(self.handle):
            said = _said(api.rego_get_error(handle), modules)
            raise PolicyRefused(f"the policy does not compile: {said}")

    def plan(self) -> dict[str, Any]:
        """The compiled plan (OPA's intermediate representation), as JSON."""
        with tempfile.TemporaryDirectory(prefix="countersign-") as directory:
            api.rego_bundle_save(self._builder.handle, directory, self.handle)
            plan: dict[str, Any] = msgspec.json.decode(Path(directory, "plan.json").read_bytes())
        return plan

    def is_builtin(self, name: str) -> bool:
        """Whether rego-cpp implements a built-in."""
        return bool(api.rego_is_available_builtin(self._builder.handle, name))

    _free = staticmethod(api.rego_free_bundle)  # still there when the interpreter shuts down

    def __del__(self) -> None:
        if self.handle:
            self._free(self.handle)


class Interpreter:
    """Evaluates. Its input is state: sharing one between threads mixes their questions, so each has its own."""

    def __init__(self) -> None:
        self.handle = api.rego_new()
        api.rego_set_log_level(self.handle, api.LogLevel.NONE)
        # Without this a failing built-in is undefined, and `not f(x)` true: fail open.
        api.rego_set_strict_builtin_errors(self.handle, True)

    _free = staticmethod(api.rego_free)  # still there when the interpreter shuts down

    def __del__(self) -> None:
        self._free(self.handle)

    def evaluate(self, bundle: Bundle, entrypoint: str, question: object) -> object:
        """The rule's value as JSON-like Python, or UNDEFINED. Raises PolicyUnavailable."""
        self._set_input(question)
        output = api.rego.regoBundleQueryEntrypoint(self.handle, bundle.handle, entrypoint.encode())
        if not output:
            raise unavailable(Failure.BUILT_IN_ERROR, "The policy engine could not evaluate the rule.")
        try:
            return _read_output(output)
        finally:
            _held.regoFreeOutput(output)

    def _set_input(self, question: object) -> None:
        handle = _held.regoNewInput()
        try:
            _Writer(handle).write(question, 0)
            if _held.regoSetInput(self.handle, handle) != api.Code.OK:
                raise unavailable(Failure.QUESTION, "The policy engine does not take this question.")
        finally:
            _held.regoFreeInput(handle)


class _Writer:
    """Hands a JSON-like value over, value by value, or refuses it."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._nodes = 0

    def write(self, value: object, depth: int) -> None:
        self._nodes += 1
        if depth > MAX_DEPTH or self._nodes > MAX_NODES:
            raise unavailable(Failure.QUESTION, "The question is too deep or too large for this engine.")
        handle = self._handle
        match value:
            case str():
                _held.regoInputString(handle, _escaped(value))
            case dict():
                for key, item in value.items():
                    _held.regoInputString(handle, _escaped(key))
                    self.write(item, depth + 1)
                    _held.regoInputObjectItem(handle)
                _held.regoInputObject(handle, len(value))
            case list():
                for item in value:
                    self.write(item, depth + 1)
                _held.regoInputArray(handle, len(value))
            case None:
                _held.regoInputNull(handle)
            case bool():
                _held.regoInputBoolean(handle, value)
            case _:
                self._write_number(value)

    def _write_number(self, value: object) -> None:
        match value:
            case int() if -(2**63) <= value < 2**63:
                _held.regoInputInt(self._handle, value)
            case float() if value.is_integer() and abs(value) < 2**53:
                _held.regoInputInt(self._handle, int(value))
            case float() if abs(value) < _MAX_ROUND_FLOAT and round(value, 6) == value:
                _held.regoInputFloat(self._handle, value)
            case _:
                raise unavailable(Failure.QUESTION, "A number of the question is not exact in this engine.")


def _escaped(text: str) -> bytes:
    """The text as rego-cpp keeps strings: as JSON between the quotes."""
    if "\0" in text:
        raise unavailable(Failure.QUESTION, "A text of the question holds a NUL character.")
    return msgspec.json.encode(text)[1:-1]


def _read_output(output: int) -> object:
    if not _held.regoOutputOk(output):
        raise unavailable(Failure.BUILT_IN_ERROR, "The policy failed on this question.")
    results = _held.regoOutputNode(output)
    if _held.regoNodeType(results) == _KIND.Undefined:
        return UNDEFINED
    if _held.regoNodeSize(results) != 1:
        raise _malformed()
    terms = _first(_first(results, _KIND.Results), _KIND.Result)
    if _held.regoNodeSize(terms) != 1:
        raise _malformed()
    return _read(_first(terms, _KIND.Terms))


def _first(node: int, kind: int) -> int:
    if _held.regoNodeType(node) != kind or _held.regoNodeSize(node) < 1:
        raise _malformed()
    child: int = _held.regoNodeGet(node, 0)
    return child


def _read(node: int) -> object:
    kind = _held.regoNodeType(node)
    while kind in (_KIND.Term, _KIND.Scalar):
        node = _held.regoNodeGet(node, 0)
        kind = _held.regoNodeType(node)
    match kind:
        case _KIND.String:
            return _unescaped(_text(node))
        case _KIND.Object:
            return _object(node)
        case _KIND.Array | _KIND.Set:
            return [_read(_held.regoNodeGet(node, index)) for index in range(_held.regoNodeSize(node))]
        case _KIND.True_ | _KIND.False_:
            return bool(kind == _KIND.True_)
        case _KIND.Null:
            return None
        case _KIND.Int:
            return int(_text(node))
        case _KIND.Float if math.isfinite(number := float(_text(node))):
            return number
    raise _malformed()


def _object(node: int) -> dict[str, object]:
    """An object; a key that is no string becomes its JSON text, as in OPA's answers."""
    result: dict[str, object] = {}
    for index in range(_held.regoNodeSize(node)):
        item = _held.regoNodeGet(node, index)
        key = _read(_held.regoNodeGet(item, 0))
        name = key if isinstance(key, str) else msgspec.json.encode(key).decode()
        if name in result:
            raise _malformed()
        result[name] = _read(_held.regoNodeGet(item, 1))
    return result


def _text(node: int) -> bytes:
    size = _held.regoNodeValueSize(node)
    buffer = ctypes.create_string_buffer(size)
    if _held.regoNodeValue(node, buffer, size) != api.Code.OK:
        raise _malformed()
    return bytes(buffer.value)


def _unescaped(text: bytes) -> str:
    if len(text) > 1 and text[:1] == text[-1:] == b'"':
        text = text[1:-1]  # some literals keep their quotes; a quote of the question begins with a backslash
    try:
        return msgspec.json.decode(b'"' + text + b'"', type=str)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # A built-in cut through an escape, or a quote came loose: not a string that any rule meant.
        raise _malformed() from None


def _malformed() -> Exception:
    return unavailable(Failure.MALFORMED, "The policy's answer is not one JSON value.")


def _said(error: object, modules: Mapping[str, str]) -> str:
    """Places and words of rego-cpp's error, without its tree; the first words of what is no such tree."""
    text = str(error)
    places = list(dict.fromkeys(_places(text, modules)))
    return "; ".join(places[:MAX_ERRORS]) or " ".join(text.split())[:300]


def _places(text: str, modules: Mapping[str, str]) -> Iterator[str]:
    for error in _ERROR.finditer(text):
        if (source := modules.get(error["module"])) is not None:
            line = source.encode()[: int(error["offset"])].count(b"\n") + 1
            yield f"{error['module']}:{line}: {text[error.end() : error.end() + int(error['length'])]}"
