"""The settings file: YAML, in which nothing may stand twice. Its words are never repeated in an error."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from gateway.errors import SettingsError


def read_yaml(path: Path) -> dict[str, Any]:
    """The document. An empty file, and an empty section, is one without settings.

    :raises SettingsError: naming the file, and the line where there is one. The line itself is not quoted: it may
        hold the secret whose quotes are missing.
    """
    try:
        document = yaml.load(path.read_bytes(), Loader=_UniqueKeys)  # noqa: S506 - a stricter SafeLoader
    except OSError as problem:
        raise SettingsError(f"{path}: cannot be read: {problem.strerror}.") from None
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark
        line = f" in line {mark.line + 1}" if mark is not None else ""
        raise SettingsError(f"{path}: is not usable YAML{line}: {problem.problem}.") from None
    except (yaml.YAMLError, ValueError):  # no text at all, or 2026-99-99
        raise SettingsError(f"{path}: is not usable YAML: a character or a date that cannot be.") from None
    except RecursionError:
        raise SettingsError(f"{path}: is nested too deeply.") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise SettingsError(f"{path}: the top level must be a mapping of settings.")
    return {key: {} if value is None else value for key, value in document.items()}


class _UniqueKeys(yaml.SafeLoader):
    """The second of two equal keys would win silently, and with it a setting nobody reads."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                problem = "a key is no plain word"
            elif key in seen:
                problem = f"the key {key!r} stands twice"
            else:
                seen.add(key)
                continue
            raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
        return super().construct_mapping(node, deep)
