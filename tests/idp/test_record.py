"""What the audit says of the identity provider: codes, names, ids."""

from tests.support.idp import Client, Idp


async def test_each_act_is_one_line(idp: Idp, acme: Client) -> None:
    """Granted, refused, given up; with the id of the token and the client, and no policy's decision."""
    token = await idp.token(acme)
    jti = (await idp.verified(token))["jti"]
    await idp.ask(None, auth=("somebody\u202e", "wrong"), grant_type="client_credentials")
    await idp.ask(acme, "/revoke", token=token)
    told = [
        (one["reasons"], one["status"], one["transaction_id"], one["caller"]["subject"], one["error"])
        for one in idp.records()
    ]
    assert told == [
        (["idp.token_issued"], "executed", jti, "acme", None),
        (["idp.invalid_client"], "refused", None, "unknown", "idp.invalid_client"),
        (["idp.token_revoked"], "executed", jti, "acme", None),
    ]
    assert {one["phase"] for one in idp.records()} == {"admin"}
    assert {one["caller"]["issuer"] for one in idp.records()} == {idp.url}


async def test_a_client_id_without_end_does_not_fill_the_disk(idp: Idp) -> None:
    """It is cut where every name of the wire is."""
    await idp.ask(None, auth=("x" * 5000, "wrong"), grant_type="client_credentials")
    (record,) = idp.records()
    assert len(record["caller"]["client_id"]) == 256
