"""A proof counts once, whichever gateway sees it; nonces need no memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.identity.caller import Caller
from gateway.identity.credentials import PresentedProof, Secret, credentials_of
from gateway.identity.errors import CredentialRefused
from gateway.identity.jwk import jwk_thumbprint
from gateway.identity.proofs import NONCE_SLOT_S, DpopProofs, Nonces
from gateway.identity.verifier import Identity
from gateway.state.open import open_store
from tests.identity.test_dpop import KEY, NOW, RULES, TOKEN, proof

THUMBPRINT = jwk_thumbprint(KEY.public_jwk())
SECRET = "unsafe-secret-of-nonces-for-tests-01"


class Table:
    """A verifier that knows one token, bound or not."""

    def __init__(self, thumbprint: str | None) -> None:
        self.caller = Caller(issuer="https://a.example", subject="alice", key_thumbprint=thumbprint)

    async def verify(self, token: Secret, server: str) -> Caller | None:
        """The caller."""
        return self.caller


async def test_a_proof_is_good_once_for_all_gateways(tmp_path: Path) -> None:
    """Two gateways over one store: the second refuses what the first took."""
    url = f"sqlite:///{tmp_path / 'state.sqlite3'}"
    one, two = open_store(url), open_store(url)
    jws = proof().encode()
    try:
        first, second = (DpopProofs(store, RULES, clock=lambda: NOW) for store in (one, two))
        presented = PresentedProof(jws, method="POST", below="")
        await first.check(presented, token=TOKEN, thumbprint=THUMBPRINT)
        await first.check(presented, token=TOKEN, thumbprint=THUMBPRINT)  # the same request, looked at again
        for other in (first, second):
            again = PresentedProof(jws, method="POST", below="")
            with pytest.raises(CredentialRefused) as refused:
                await other.check(again, token=TOKEN, thumbprint=THUMBPRINT)
            assert refused.value.code == "identity.proof_replayed"
    finally:
        await one.aclose()
        await two.aclose()


async def test_bound_tokens_need_proof_and_proofs_need_bound_tokens(tmp_path: Path) -> None:
    """Bearer for a bound token, DPoP for one that is not: neither is taken."""
    store = open_store(f"sqlite:///{tmp_path / 'state.sqlite3'}")
    proofs = DpopProofs(store, RULES, clock=lambda: NOW)
    bound, free = (Identity([Table(one)], proofs=proofs) for one in (THUMBPRINT, None))
    token = TOKEN.expose()
    bearer = credentials_of([b"Bearer " + token], [], method="POST", below="")
    dpop = credentials_of([b"DPoP " + token], [proof().encode()], method="POST", below="")
    try:
        with pytest.raises(CredentialRefused) as refused:
            await bound.identify(bearer)
        assert refused.value.code == "identity.proof_missing"
        with pytest.raises(CredentialRefused) as refused:
            await free.identify(dpop)
        assert refused.value.code == "identity.token_unbound"
        assert (await bound.identify(dpop)).proof.valid
        assert not (await free.identify(bearer)).proof.present
        strict = Identity([Table(None)], proofs=proofs, require_bound=True)
        with pytest.raises(CredentialRefused) as refused:
            await strict.identify(bearer)
        assert refused.value.code == "identity.token_unbound"
    finally:
        await store.aclose()


@pytest.mark.parametrize(
    ("dpop", "code"), [([], "missing"), ([b"a", b"b"], "invalid"), ([b"a" * 4097], "invalid")]
)
def test_exactly_one_proof_of_sensible_length(dpop: list[bytes], code: str) -> None:
    """RFC 9449 section 4.3, check 1."""
    with pytest.raises(CredentialRefused) as refused:
        credentials_of([b"DPoP abc"], dpop, method="POST", below="")
    assert refused.value.code == f"identity.proof_{code}"


def test_a_nonce_lives_for_two_slots() -> None:
    """The current one and the one before; the same at each gateway with the secret, and no other's."""
    now = [float(NOW)]
    nonces = Nonces(SECRET, clock=lambda: now[0])
    nonce = nonces.current()
    assert nonces.good(nonce)
    assert Nonces(SECRET, clock=lambda: now[0]).good(nonce)
    assert not Nonces(SECRET + "x", clock=lambda: now[0]).good(nonce)
    now[0] += NONCE_SLOT_S
    assert nonces.good(nonce)
    now[0] += NONCE_SLOT_S
    assert not any(nonces.good(one) for one in (nonce, None, 7, "", "\u00e9"))
    with pytest.raises(ValueError, match="32"):
        Nonces("short")
