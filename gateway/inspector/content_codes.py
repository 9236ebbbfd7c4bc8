"""The codes of the content checks: severity, message and remedy of each. Data.

HIGH: words or characters that have no business in a definition. MEDIUM: often harmless, and often how an attack begins.
LOW: worth a second look by whoever approves the tool.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.inspector.finding import Entry, Severity

_H, _M, _L = Severity.HIGH, Severity.MEDIUM, Severity.LOW
_REJECT: Final = "Do not approve this definition; ask its provider why it says so."
_CLEAN: Final = "Have the provider publish the text without them; approve nothing that cannot be seen."

CONTENT_CODES: Final[Mapping[str, Entry]] = {
    # What cannot be seen
    "TAG_CHARACTERS": Entry(_H, "Text hidden in Unicode TAG characters", _CLEAN),
    "BIDI_CONTROL": Entry(_H, "Text direction is overridden, so that it reads otherwise than it is", _CLEAN),
    "CONTROL_CHARACTERS": Entry(_H, "Control characters, such as those that rewrite a terminal", _CLEAN),
    "INVISIBLE_CHARACTERS": Entry(_H, "Invisible characters inside text", _CLEAN),
    "VARIATION_SELECTORS": Entry(_H, "Data hidden in variation selectors", _CLEAN),
    "PRIVATE_CHARACTERS": Entry(_M, "Characters that every font may draw otherwise, or not at all", _CLEAN),
    "HIDDEN_BY_SPACE": Entry(_M, "Text pushed out of sight by blank space", _CLEAN),
    "MIXED_SCRIPT": Entry(
        _L, "Letters that pass for those of another alphabet", "Compare the words letter by letter."
    ),
    # What the reader does not see and the model does
    "HIDDEN_MARKUP": Entry(_H, "Text in a comment, or styled so that nobody sees it", _REJECT),
    "PROMPT_MARKUP": Entry(
        _H, "Markup that imitates a system message or a turn of the conversation", _REJECT
    ),
    "REMOTE_IMAGE": Entry(
        _M,
        "An image whose address can carry data away",
        "Have the provider remove it; a tool needs no image here.",
    ),
    "ENCODED_TEXT": Entry(
        _M, "Text in an encoding that people do not read", "Decode it, and judge what it says."
    ),
    # What it tells the model
    "HIDES_FROM_USER": Entry(_H, "Tells the model to keep something from the user", _REJECT),
    "OVERRIDES_INSTRUCTIONS": Entry(_H, "Tells the model to put other instructions aside", _REJECT),
    "ORDERS_OTHER_TOOLS": Entry(_H, "Claims a say in how other tools are used", _REJECT),
    "CROSS_TOOL_INSTRUCTION": Entry(_H, "Gives instructions about a tool of another server", _REJECT),
    "ASKS_FOR_SECRETS": Entry(_H, "Asks for secrets, private files or the conversation", _REJECT),
    "EXFILTRATES": Entry(_H, "Tells the model to send data to a fixed place", _REJECT),
    "REDIRECTS_VALUES": Entry(
        _H, "Tells the model to put other values into calls, such as another payee", _REJECT
    ),
    "SKIPS_CONFIRMATION": Entry(_H, "Tells the model that nobody needs to be asked", _REJECT),
    "RUNS_COMMANDS": Entry(_H, "Tells the model to run commands", _REJECT),
    "ADDRESSES_MODEL": Entry(
        _M,
        "Speaks to the model instead of describing the tool",
        "Read the whole text; descriptions describe.",
    ),
    "CLAIMS_AUTHORITY": Entry(
        _M,
        "Claims somebody's authority for what it says",
        "Ask whom it names; a definition is no proof of it.",
    ),
    "COLLECTS_CONTEXT": Entry(
        _M,
        "A parameter that collects the conversation or the model's own instructions",
        "Approve it only if the tool is about conversations, and its provider may read yours.",
    ),
    "FIXED_DESTINATION": Entry(
        _H,
        "A parameter for a receiver comes with the receiver filled in",
        "Have the provider remove the value: whoever calls the tool names the receiver.",
    ),
    "MENTIONS_TOOL": Entry(_L, "Says how another tool of this server is to be used", "Read the sentence."),
    # Names and hints
    "DUPLICATE_NAME": Entry(
        _H, "Two tools of one name", "Nobody can say which one a call reaches; the gateway serves neither."
    ),
    "SAME_NAME_ELSEWHERE": Entry(
        _M,
        "Another server has a tool of this name",
        "Make sure which of them is meant; approve each by itself.",
    ),
    "LOOKALIKE_NAME": Entry(
        _H,
        "Name that is read as another tool's",
        "Compare both letter by letter; approve only the one you know.",
    ),
    "NEARBY_NAME": Entry(
        _M, "Name that is nearly another server's tool", "Make sure which of them is meant."
    ),
    "UNUSUAL_NAME": Entry(
        _L,
        "Name with characters outside A-Z, a-z, 0-9, _, - and .",
        "Have it renamed; hosts differ in what they do with it.",
    ),
    "HINT_CONTRADICTS_NAME": Entry(
        _M,
        "Annotations that contradict the name",
        "Correct the annotations; hosts ask nobody before a tool that calls itself read-only.",
    ),
    "TITLE_CONTRADICTS_NAME": Entry(
        _M,
        "Title that says something else than the name",
        "Have the title say what the tool does; people see only that.",
    ),
    # Form
    "EMBEDDED_SECRET": Entry(
        _H,
        "A credential inside a definition",
        "Revoke it: definitions are shown to everybody. Publish without it.",
    ),
    "WORDY_VALUE": Entry(
        _L, "A name or a value as long as a paragraph", "Read it: models do, and people are rarely shown it."
    ),
    "LONG_DESCRIPTION": Entry(
        _L, "Description of more than 8000 characters", "Read all of it before approving."
    ),
    "NOT_WHOLLY_INSPECTED": Entry(
        _H, "Too large or too deep to be looked at whole", "Do not approve what nobody can read."
    ),
}
"""Code -> what it says."""
