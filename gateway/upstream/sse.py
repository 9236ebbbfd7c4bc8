"""Server-sent events as they arrive (WHATWG HTML, section 9.2.6), of which each holds one JSON-RPC message. Pure.

Memory is that of one event, however long the stream is.
"""

from __future__ import annotations

import msgspec

MAX_EVENT_BYTES = 16 * 1024 * 1024
"""Bytes of one event, or of one line that has not ended: what a whole answer in JSON may have, too."""
MAX_ID_CHARS = 1024
"""Characters of an event id; it would have to be written into a header."""
MAX_RETRY_MS = 3_600_000
"""Milliseconds; a longer wish is none."""
_BOM = b"\xef\xbb\xbf"


class EventTooLarge(ValueError):
    """More than :data:`MAX_EVENT_BYTES` before an event's end: nobody may wait for the rest."""


class Event(msgspec.Struct, frozen=True, gc=False):
    """One event that was whole. ``data`` is never empty and has no line breaks."""

    data: bytes


class EventReader:
    """Bytes in any pieces -> events. An event without its closing blank line never happened.

    ``last_id`` and ``retry_ms`` are what the stream said about resuming it, if anything; ids that no header could
    carry are ignored. Lines of ``data`` are joined by a blank: JSON does not tell it from a line end, and what is
    passed on has none. The type of an event is not looked at.
    """

    def __init__(self, *, last_id: bytes | None = None, limit: int = MAX_EVENT_BYTES) -> None:
        self.last_id = last_id
        self.retry_ms: int | None = None
        self._limit = limit
        # One buffer each: a list of two-byte lines would be twenty times the bytes that are counted.
        self._open = bytearray()  # the line that has not ended
        self._data: bytes | bytearray | None = None  # of the event that has not ended
        self._held = 0
        self._after_cr = False
        self._begun = False

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that these bytes complete. :raises EventTooLarge:"""
        if self._after_cr and chunk:
            chunk, self._after_cr = chunk.removeprefix(b"\n"), False
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = chunk.split(b"\n")
        events: list[Event] = []
        for line in lines:
            if self._open:
                line = self._joined(line)
            if line:
                self._field(line)
            elif self._data is not None:
                events.append(Event(bytes(self._data)))
                self._data, self._held = None, 0
        if rest:
            self._open += rest
            self._hold(len(rest))
        return events

    def _joined(self, line: bytes) -> bytes:
        self._held -= len(self._open)
        whole = bytes(self._open + line)
        self._open = bytearray()
        return whole

    def _hold(self, size: int) -> None:
        self._held += size
        if self._held > self._limit:
            raise EventTooLarge("an event without an end")

    def _add(self, value: bytes) -> None:
        if self._data is None:
            self._data = value  # nearly every event has one line, which is not copied
            return
        if not isinstance(self._data, bytearray):
            self._data = bytearray(self._data)
        self._data += b" "
        self._data += value

    def _field(self, line: bytes) -> None:
        if not self._begun:
            self._begun, line = True, line.removeprefix(_BOM)
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        match name:
            case b"data":
                if value:
                    self._hold(len(value) + 1)
                    self._add(value)
            case b"id" if len(value) <= MAX_ID_CHARS and all(0x21 <= byte <= 0x7E for byte in value):
                self.last_id = value or None
            case b"retry" if value.isdigit() and len(value) < len(str(MAX_RETRY_MS)) + 1:
                self.retry_ms = min(int(value), MAX_RETRY_MS)
