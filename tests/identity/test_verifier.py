"""Verifiers in order, and the rules that hold for all of them."""

import pytest

from gateway.identity.caller import Caller, Proof
from gateway.identity.credentials import NO_CREDENTIALS, Credentials, Secret
from gateway.identity.errors import Code, CredentialRefused, IssuerUnavailable
from gateway.identity.verifier import Identity

ALICE = Caller(issuer="https://a.example", subject="alice")
BOB = Caller(issuer="https://b.example", subject="bob")
TOKEN = Credentials(bearer=Secret(b"abc"))


class Says:
    """A verifier that gives the same answer to every token, and counts the questions."""

    def __init__(self, what: Caller | Exception | None) -> None:
        self.what = what
        self.asked = 0

    async def verify(self, token: Secret, server: str) -> Caller | None:
        """The answer."""
        self.asked += 1
        if isinstance(self.what, Exception):
            raise self.what
        return self.what


def test_an_identity_without_verifiers_cannot_be_made() -> None:
    """Unset is not open."""
    with pytest.raises(ValueError, match="at least one verifier"):
        Identity([])


async def test_no_token_is_refused_without_asking_anybody() -> None:
    """There is no anonymous caller."""
    verifier = Says(ALICE)
    with pytest.raises(CredentialRefused) as refused:
        await Identity([verifier]).identify(NO_CREDENTIALS)
    assert refused.value.code == "identity.token_missing"
    assert verifier.asked == 0


async def test_the_first_verifier_that_knows_the_token_decides() -> None:
    """Later ones are not asked."""
    late = Says(BOB)
    assert await Identity([Says(None), Says(ALICE), late]).identify(TOKEN) == ALICE
    assert late.asked == 0


@pytest.mark.parametrize("final", [CredentialRefused(Code.TOKEN_EXPIRED), IssuerUnavailable()])
async def test_a_refusal_is_final(final: Exception) -> None:
    """A token that its own verifier refuses, or cannot check, is not offered to a more lenient one."""
    late = Says(BOB)
    with pytest.raises(type(final)):
        await Identity([Says(final), late]).identify(TOKEN)
    assert late.asked == 0


async def test_an_issuer_that_one_verifier_does_not_know_may_be_known_to_the_next() -> None:
    """Two verifiers with a set of issuers each."""
    unknown = CredentialRefused(Code.ISSUER_UNKNOWN)
    assert await Identity([Says(unknown), Says(BOB)]).identify(TOKEN) == BOB
    with pytest.raises(CredentialRefused) as refused:
        await Identity([Says(unknown), Says(None)]).identify(TOKEN)
    assert refused.value.code == "identity.issuer_unknown"


async def test_a_token_that_nobody_knows_is_invalid() -> None:
    """Nobody said no, and still it is no."""
    with pytest.raises(CredentialRefused) as refused:
        await Identity([Says(None), Says(None)]).identify(TOKEN)
    assert refused.value.code == "identity.token_invalid"


@pytest.mark.parametrize("proof", [Proof(), Proof(present=True, valid=False)])
async def test_a_stolen_bound_token_is_worth_nothing_without_its_key(proof: Proof) -> None:
    """RFC 9449 section 7.1: a DPoP-bound token is not taken as a plain bearer token."""
    bound = Caller(issuer="https://a.example", subject="alice", key_thumbprint="x" * 43, proof=proof)
    with pytest.raises(CredentialRefused) as refused:
        await Identity([Says(bound)]).identify(TOKEN)
    assert refused.value.code == "identity.proof_missing"


async def test_a_verifier_cannot_vouch_for_a_proof() -> None:
    """Where no proof can be checked, no bound token is good; acceptance is tested in ``test_proofs.py``."""
    proof = Proof(present=True, valid=True)
    bound = Caller(issuer="https://a.example", subject="alice", key_thumbprint="x" * 43, proof=proof)
    with pytest.raises(CredentialRefused) as refused:
        await Identity([Says(bound)]).identify(TOKEN)
    assert refused.value.code == "identity.proof_missing"
