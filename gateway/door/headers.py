"""The request's header fields. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.errors import HeaderMismatch


class Headers:
    """Fields by lower-case name, as ASGI gives them. Values are stripped: httptools keeps trailing blanks."""

    __slots__ = ("_fields",)

    def __init__(self, raw: Iterable[tuple[bytes, bytes]]) -> None:
        fields: dict[bytes, list[bytes]] = {}
        for name, value in raw:
            if name in fields:
                fields[name].append(value.strip(b" \t"))
            else:
                fields[name] = [value.strip(b" \t")]
        self._fields = fields

    def all(self, name: bytes) -> list[bytes]:
        """Every value of a field, in order."""
        return self._fields.get(name, [])

    def starting(self, prefix: bytes) -> dict[str, str]:
        """The fields whose names begin so, each as :meth:`one` gives it. :raises HeaderMismatch: one came twice."""
        names = [name for name in self._fields if name.startswith(prefix)]
        return {name.decode("latin-1"): self.one(name) or "" for name in names}

    def one(self, name: bytes) -> str | None:
        """The value of a field that may come once, as latin-1 (RFC 9110 section 5.5).

        :raises HeaderMismatch: it came twice: which one another hop believed is a guess.
        """
        values = self._fields.get(name)
        if values is None:
            return None
        if len(values) > 1:
            raise HeaderMismatch(
                f"The header {name.decode('latin-1')} came {len(values)} times; send it once."
            )
        return values[0].decode("latin-1")
