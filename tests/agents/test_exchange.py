"""The one exchange; hostile answers are in ``tests/attacks/test_forged_agent_answer.py``."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.agents.exchange import Exchange
from gateway.agents.said import Failure, NoAnswer
from tests.support.scripted_http import answering, serve

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """For ``localhost``, signed by nobody that anybody knows; with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, private = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path = tmp_path / "agent.pem"
    path.write_bytes(made.public_bytes(pem) + key.private_bytes(pem, private, serialization.NoEncryption()))
    return path


async def test_an_agent_whose_certificate_nobody_vouches_for_is_not_asked(certificate: Path) -> None:
    """Not a byte of the question is shown to it; with its certificate trusted, it is asked."""
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate)
    async with serve(answering(OK, OK), context=served) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        stranger = Exchange(url, timeout_s=10)
        with pytest.raises(NoAnswer) as caught:
            await stranger.post(b"", {})
        assert caught.value.failure is Failure.UNREACHABLE
        await stranger.aclose()
        trusting = ssl.create_default_context(cafile=certificate)
        known = Exchange(url, timeout_s=10, ssl=trusting)
        assert (await known.post(b"", {})).status == 200
        await known.aclose()


async def test_neither_proxy_nor_netrc_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What a shell has set does not send payments through somebody else."""
    async with serve(answering(OK)) as server, serve(answering(OK)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n", encoding="utf-8")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        exchange = Exchange(server.url, timeout_s=10)
        assert (await exchange.post(b"", {})).status == 200
        assert proxy.connections == 0
        await exchange.aclose()
