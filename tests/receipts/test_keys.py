"""Keys: made once, named by what they are, published with their predecessors."""

import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audit.keys import new_key, read_private_key, read_public_key
from gateway.receipts.jws import check, read
from gateway.receipts.keys import ReceiptKeys, generated_key, read_published
from tests.support.receipts import KEYS, a_receipt


def test_a_key_is_made_once(tmp_path: Path) -> None:
    """Readable to its owner alone; the next start finds it."""
    path = generated_key(tmp_path / "state")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert generated_key(tmp_path / "state") == path
    assert [one.name for one in path.parent.iterdir()] == ["receipts.pem"]
    keys = ReceiptKeys(read_private_key(path.read_bytes()))
    assert check(read(keys.signer.sign(a_receipt())), keys.public) == a_receipt()


def test_processes_that_start_at_once_have_one_key(tmp_path: Path) -> None:
    """Whoever comes second takes the first one's."""
    code = (
        "import sys; from pathlib import Path; from gateway.receipts.keys import generated_key; "
        "print(generated_key(Path(sys.argv[1])).read_text())"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    assert len({one.communicate(timeout=60)[0] for one in running}) == 1


def test_a_rotated_key_still_vouches_for_what_it_signed() -> None:
    """Its public half is published beside the new one."""
    (old, old_public), (new, _) = new_key(), new_key()
    before = ReceiptKeys(read_private_key(old)).signer.sign(a_receipt())
    rotated = ReceiptKeys(read_private_key(new), [read_public_key(old_public)])
    published = read_published(msgspec.json.encode(rotated.published("https://gateway.example")))
    assert published.issuer == "https://gateway.example"
    for text in (before, rotated.signer.sign(a_receipt())):
        assert check(read(text), published.keys) == a_receipt()


def test_a_private_half_is_never_published() -> None:
    """RFC 8037: ``d`` is the secret."""
    for jwk in KEYS.published("https://gateway.example")["keys"]:
        assert set(jwk) == {"kty", "crv", "x", "kid", "alg", "use"}


def test_a_key_under_a_false_name_is_refused() -> None:
    """Its signatures would be another's."""
    document: dict[str, Any] = KEYS.published("https://gateway.example")
    document["keys"][0]["kid"] = "other"
    with pytest.raises(ValueError, match="name"):
        read_published(msgspec.json.encode(document))


@given(
    st.binary() | st.sampled_from([b"{}", b"[]", b'{"keys":7}', b'{"keys":[{"kty":"OKP","crv":"Ed25519"}]}'])
)
def test_any_other_document_is_refused(document: bytes) -> None:
    """With one kind of error."""
    with pytest.raises(ValueError):
        read_published(document)
