"""Parameters that come filled in, that collect what is none of their business, or that are essays. Pure."""

from __future__ import annotations

import re
from typing import Final

from gateway.inspector.content_codes import CONTENT_CODES
from gateway.inspector.finding import Finding, excerpt, found
from gateway.inspector.texts import Kind, Text

_RECEIVER: Final = re.compile(
    r"/(?:properties/)?(?:[a-z0-9]+[_-])*(?:recipient|payee|beneficiary|receiver|bcc|iban|payout_?to|send_?to|forward_?to"
    r"|destination_?account|to_?account|cc|recipient_?(?:email|id|account)|payee_?(?:email|id|account))s?"
    r"(?:/items)?/(?:default|const|enum/0)$",
    re.IGNORECASE,
)
_PLACE: Final = re.compile(r"@|https?://|\b[A-Z]{2}\d{2}[A-Z0-9]{8,}|\d{6,}")
_SAMPLE: Final = re.compile(r"@(?:[\w-]+\.)*example\.(?:com|org|net)$|your|buyer@", re.IGNORECASE)
_COLLECTS: Final = re.compile(
    r"/properties/(?:side_?notes?|system_?prompts?|conversation(?:_?(?:history|id_?text|log|summary))?|chat_?(?:history|log)"
    r"|full_?(?:conversation|context|chat)|chain_?of_?thoughts?|(?:previous|all|prior)_?messages|model_?instructions?"
    r"|(?:available|other|all)_?tools|tools?_?list|user_?credentials?|llm_?context|assistant_?(?:thoughts?|instructions?)"
    r"|developer_?(?:prompt|message)|scratch_?pad)$",
    re.IGNORECASE,
)
_SECRETS: Final = re.compile(
    r"\beyJ[\w-]{8,2048}\.eyJ[\w-]{8,8192}\.[\w-]{8,}|\bAKIA[0-9A-Z]{16}\b|\bsk_live_\w{12,}|\bghp_\w{30,}|\bxox[abp]-[\w-]{12,}"
    r"|-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----"
)
_LONG_MEMBER: Final = 64
_LONG_VALUE: Final = 160
_LONG_DESCRIPTION: Final = 8_000
_WORDS: Final = 4


def check_value(one: Text) -> list[Finding]:
    """Of one text, by where it stands."""
    codes = []
    if _SECRETS.search(one.text):
        codes.append("EMBEDDED_SECRET")
    if one.kind is Kind.MEMBER and _COLLECTS.search(one.where):
        codes.append("COLLECTS_CONTEXT")
    if one.kind in (Kind.DEFAULT, Kind.ENUM) and _RECEIVER.search(one.where) and _is_place(one.text):
        codes.append("FIXED_DESTINATION")
    if _wordy(one):
        codes.append("WORDY_VALUE")
    if one.kind is Kind.DESCRIPTION and len(one.text) > _LONG_DESCRIPTION:
        codes.append("LONG_DESCRIPTION")
    return [found(CONTENT_CODES, code, where=excerpt(one.where), text=excerpt(one.text)) for code in codes]


def _is_place(text: str) -> bool:
    return _PLACE.search(text) is not None and _SAMPLE.search(text) is None


def _wordy(one: Text) -> bool:
    words = one.text.count(" ") >= _WORDS
    if one.kind is Kind.MEMBER or one.kind is Kind.NAME:
        return len(one.text) > _LONG_MEMBER or words
    return one.kind in (Kind.ENUM, Kind.DEFAULT, Kind.TITLE) and len(one.text) > _LONG_VALUE and words
