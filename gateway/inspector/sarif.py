"""A report as SARIF 2.1.0 (OASIS, 27 March 2020), for code scanning and review tools. Pure.

Tools of a server have no file: they are logical locations. Definitions from a file have that file besides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import quote

from gateway.inspector.content_codes import CONTENT_CODES
from gateway.inspector.etdi_codes import ETDI_CODES
from gateway.inspector.finding import Entry, Finding, Severity
from gateway.inspector.report import Inspected, Report, ToolReport
from gateway.version import VERSION

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Final = {Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "note"}
_SCORES: Final = {Severity.HIGH: "8.0", Severity.MEDIUM: "5.0", Severity.LOW: "2.0"}
"""GitHub's ``security-severity``: 7.0 and more is shown as high, 4.0 as medium."""
_CODES: Final[Mapping[str, Entry]] = {**ETDI_CODES, **CONTENT_CODES}
_INDEX: Final = {code: index for index, code in enumerate(_CODES)}


def sarif_of(report: Report) -> dict[str, Any]:
    """The whole log, with one run."""
    sources = {one.label: one for one in report.sources}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "countersign inspect",
                        "version": VERSION,
                        "semanticVersion": VERSION,
                        "rules": [_rule(code, entry) for code, entry in _CODES.items()],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [
                    _result(tool, finding, sources.get(tool.server))
                    for tool in report.tools
                    for finding in tool.findings
                ],
            }
        ],
    }


def _rule(code: str, entry: Entry) -> dict[str, Any]:
    return {
        "id": code,
        "name": "".join(word.capitalize() for word in code.split("_")),
        "shortDescription": {"text": f"{entry.message}."},
        "help": {"text": entry.remedy},
        "defaultConfiguration": {"level": _LEVELS[entry.severity]},
        "properties": {"security-severity": _SCORES[entry.severity], "tags": ["security", "mcp"]},
    }


def _result(tool: ToolReport, finding: Finding, source: Inspected | None) -> dict[str, Any]:
    where = str(finding.details.get("where", ""))
    named = f"{tool.server}/{tool.name}"
    said = finding.details.get("text")
    message = f"{tool.name}: {finding.message}." + (f" Text: {said}" if said else "") + f" {finding.remedy}"
    location: dict[str, Any] = {
        "logicalLocations": [
            {
                "name": tool.name,
                "fullyQualifiedName": f"{named}#{where}" if where else named,
                "kind": "function",
            }
        ]
    }
    if source is not None and source.uri is not None:
        uri = PurePosixPath(source.uri)
        location["physicalLocation"] = {
            # An absolute path is a file URI; a relative one is resolved by whoever shows the log.
            "artifactLocation": {"uri": ("file://" if uri.is_absolute() else "") + quote(str(uri))},
            "region": {"startLine": 1},
        }
    return {
        "ruleId": finding.code,
        "ruleIndex": _INDEX[finding.code],
        "level": _LEVELS[finding.severity],
        "message": {"text": message},
        "locations": [location],
        "partialFingerprints": {"finding/v1": _fingerprint(named, finding.code, where)},
    }


def _fingerprint(*parts: str) -> str:
    """The same finding has the same one in the next run, whatever its words are then."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
