"""Text that is styled, commented or encoded so that a person does not read it and a model does. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

MAX_DECODED: Final = 32
"""Encoded runs of one text that are decoded."""
_COMMENT: Final = re.compile(
    r"<!--|^\[[^\]\n]{0,40}\]:\s?(?:#|<>)\s?[(\"']|/\*[^*\n]{20,}|\{#[^\n]{10,}|<\s?!\[cdata\[", re.MULTILINE
)
_STYLED: Final = re.compile(
    r"display\s?:\s?none|visibility\s?:\s?hidden|font-size\s?:\s?0|opacity\s?:\s?0(?![.\d]*[1-9])"
    r"|color\s?:\s?(?:white|transparent|#fff(?:fff)?\b)|<[^>]{0,80}\shidden(?:\s|>|=)"
)
_PROMPT: Final = re.compile(
    r"<\s?/?\s?(?:important|system|secret|instructions?|hidden|admin|assistant|prompt|critical|override|user_query"
    r"|policy|context|rules?|sys)(?:[-_][a-z]+)?\s?>"
    r"|<\|[a-z_]{2,30}\|>|\[/?inst\]|<<\s?/?sys\s?>>|</?s>\s?\["
    r"|^\s{0,8}#{1,6}\s?(?:system|instructions? (?:for|to)|assistant|new instructions?)\b"
    r"|^\s{0,8}(?:system|assistant|human|user)\s?:\s?\S"
    r"|\bend of (?:tool |the )?(?:description|definition|schema|documentation)\b"
    r"|\[(?:system|end of|begin of)[^\]\n]{0,30}\]",
    re.MULTILINE,
)
_IMAGE: Final = re.compile(
    r"!\[[^\]\n]{0,200}\]\(\s?(?:https?:)?//|<img\b[^>]{0,200}\bsrc\s?=\s?[\"']?(?:https?:)?//"
)
_BASE64: Final = re.compile(r"(?<![\w+/=-])[A-Za-z0-9+/_-]{32,8192}={0,2}(?![\w+/])")
_HEX: Final = re.compile(r"(?<!\w)(?:[0-9a-fA-F]{2}[ :]?){24,4096}(?!\w)|(?:\\x[0-9a-fA-F]{2}){8,4096}")
_PERCENT: Final = re.compile(r"(?:%[0-9a-fA-F]{2}[\w.-]{0,2}){8,4096}")
_ESCAPES: Final = re.compile(r"(?:\\u[0-9a-fA-F]{4}){6,4096}")
_READABLE: Final = 0.9
_LETTER: Final = re.compile(r"[A-Za-z]{2,}")


def markup_in(folded_text: str) -> dict[str, str]:
    """Code -> what was found first."""
    matched: dict[str, str] = {}
    for code, pattern in (
        ("HIDDEN_MARKUP", _COMMENT),
        ("HIDDEN_MARKUP", _STYLED),
        ("PROMPT_MARKUP", _PROMPT),
        ("REMOTE_IMAGE", _IMAGE),
    ):
        match = pattern.search(folded_text)
        if match is not None:
            end = min(len(folded_text), match.end() + 80)
            matched.setdefault(code, folded_text[match.start() : end])
    return matched


def decoded_runs(text: str) -> Iterator[str]:
    """Readable text inside base64, hexadecimal, percent or ``\\u`` encodings; at most :data:`MAX_DECODED`."""
    count = 0
    for pattern, decode in ((_BASE64, _base64), (_HEX, _hex), (_PERCENT, unquote), (_ESCAPES, _escapes)):
        for match in pattern.finditer(text):
            if count == MAX_DECODED:
                return
            decoded = decode(match[0])
            if decoded and _readable(decoded):
                count += 1
                yield decoded


def _base64(run: str) -> str | None:
    standard = run.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        raw = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
        return raw.decode("utf-8")
    except (binascii.Error, ValueError):
        return None


def _hex(run: str) -> str | None:
    digits = re.sub(r"[^0-9a-fA-F]", "", run.replace("\\x", ""))
    try:
        return bytes.fromhex(digits).decode("utf-8")
    except ValueError:
        return None


def _escapes(run: str) -> str:
    return "".join(chr(int(one, 16)) for one in run.split("\\u")[1:])


def _readable(text: str) -> bool:
    printable = sum(char.isprintable() or char in "\n\t" for char in text)
    return printable >= _READABLE * len(text) and len(_LETTER.findall(text)) > 1 and " " in text
