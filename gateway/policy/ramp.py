"""Which of a hundred equal parts of all callers somebody is in: who is reached by a ramp first. Pure.

Of the caller alone, not of the tool: a listing asks about all tools at once, and must agree with calls. Callers cannot
choose their number, but whoever may have many names can choose among them; the callers whom a ramp has not reached are
judged as everybody was before it.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

PARTS = 100


@lru_cache(maxsize=4096)
def ramp_of(issuer: str, subject: str) -> int:
    """0 to 99, the same in every process and version: SHA-256 over both names.

    Lengths first, so that neither name runs into the other.
    """
    digest = hashlib.sha256()
    for name in (issuer, subject):
        encoded = name.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big") + encoded)
    # 64 bits for 100 parts: none is larger than another by more than one in 10^17.
    return int.from_bytes(digest.digest()[:8], "big") % PARTS
