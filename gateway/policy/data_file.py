"""Data files of a policy, parsed so that every YAML reader agrees on what they say.

YAML 1.1 reads the country `NO` as false, `0x1F` and `1_000` as numbers, `1:30` as 90 and `2026-01-01` as a date;
YAML 1.2 and OPA do not, or not all of them. What readers disagree about is refused with the advice to quote it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable
from typing import Any, NoReturn

import msgspec
import yaml

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")  # RFC 8259 section 6
_NEARLY_NUMBER = re.compile(r"[-+]?(0[ob][0-9]+|(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?)")  # 0o17, 1e3
_PLAIN = {"true": True, "false": False, "null": None, "": None}


class DataFileError(ValueError):
    """A data file that must not be loaded; the message says what to change."""


class _Loader(yaml.SafeLoader):
    """SafeLoader without the scalars and the duplicate keys that readers disagree about."""


def _scalar(_: _Loader, node: yaml.ScalarNode) -> object:
    text: str = node.value
    if text in _PLAIN:
        return _PLAIN[text]
    if _NUMBER.fullmatch(text):
        return msgspec.json.decode(text)
    return _disagreed(node)


def _string(loader: _Loader, node: yaml.ScalarNode) -> object:
    if node.style is None and _NEARLY_NUMBER.fullmatch(node.value):
        return _disagreed(node)
    return loader.construct_scalar(node)


def _disagreed(node: yaml.ScalarNode) -> NoReturn:
    line = node.start_mark.line + 1
    raise DataFileError(f"line {line}: quote `{node.value}`, readers of YAML disagree about it")


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    result: dict[Hashable, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise DataFileError(f"line {key_node.start_mark.line + 1}: a key must be a (quoted) string")
        if key in result:
            raise DataFileError(f"line {key_node.start_mark.line + 1}: the key `{key}` stands twice")
        result[key] = loader.construct_object(value_node, deep=True)
    return result


for _tag in ("bool", "int", "float", "timestamp", "null", "merge", "value"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", _scalar)
_Loader.add_constructor("tag:yaml.org,2002:str", _string)
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def parse_yaml(text: str) -> dict[str, Any]:
    """One YAML document that is an object. Raises DataFileError."""
    try:
        value = yaml.load(text, Loader=_Loader)  # noqa: S506 - _Loader is a SafeLoader
    except yaml.YAMLError as error:
        raise DataFileError(_no_yaml(error)) from error
    return _checked({} if value is None else value)


def _no_yaml(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem and error.problem_mark is not None:
        return f"not YAML: line {error.problem_mark.line + 1}: {error.problem}"
    return f"not YAML: {str(error).splitlines()[0]}"


def parse_json(text: str) -> dict[str, Any]:
    """One JSON text that is an object. Raises DataFileError. YAML's reader is used for its duplicate check."""
    try:
        msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise DataFileError(f"not JSON: {error}") from error
    return parse_yaml(text)


def _checked(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DataFileError("a data file must be an object")
    _walk(value)
    return value


def _walk(value: object) -> None:
    match value:
        case dict():
            for item in value.values():
                _walk(item)
        case list():
            for item in value:
                _walk(item)
        case str() | bool() | None:
            pass
        case int() | float() if math.isfinite(value):
            pass
        case _:
            raise DataFileError(f"a {type(value).__name__} has no JSON form")
