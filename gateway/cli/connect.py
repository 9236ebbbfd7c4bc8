"""``countersign connect``: the bridge for hosts that start local commands."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import signal
import sys
import time
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import click

from gateway.client.access import Access, FixedToken
from gateway.client.bridge import Bridge
from gateway.client.calls import PATIENCE_S
from gateway.client.errors import LoginFailed
from gateway.client.exchange import http_client
from gateway.client.keys import ProofKey, key_in
from gateway.client.login.dpop import Prover, load_key
from gateway.client.login.login import SignIn, Wishes
from gateway.client.login.oauth import OAuthAccess
from gateway.client.login.tokens import TokenEndpoint
from gateway.client.login.urls import checked
from gateway.client.login.values import Secret, Tokens, to_bytes
from gateway.client.login.vault import open_vault
from gateway.client.login.web import Web
from gateway.client.pipe import Pipe
from gateway.client.signatures import Signatures
from gateway.settings.client import Machine, this_machine, token_from

LOG = logging.getLogger("countersign.connect")
MAX_PATIENCE_S = 3_600
_SERVER = re.compile(r"[A-Za-z0-9._-]{1,64}")
PROBE = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'


@dataclass(frozen=True, slots=True)
class _Person:
    """Whoever sits at the host reads its log; a page is opened only where that was allowed."""

    approvals: bool

    def say(self, text: str) -> None:
        """One line on standard error."""
        LOG.warning("%s", text)

    async def show(self, url: str) -> None:
        """Open the approval page."""
        if self.approvals:
            await open_page(url)


@dataclass(frozen=True, slots=True)
class _Clock:
    def now(self) -> float:
        """Seconds."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


async def open_page(url: str) -> bool:
    """Open a page in the person's browser; False where there is none."""
    try:
        return await asyncio.to_thread(webbrowser.open, url)
    except (webbrowser.Error, OSError):
        return False


@click.command()
@click.argument("url")
@click.option("--server", help="Which server behind the gateway, for example docs: URL/docs.")
@click.option(
    "--token-env", metavar="NAME", help="Variable with a fixed token. Default: COUNTERSIGN_TOKEN, if set."
)
@click.option(
    "--signing-key",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Private key (PEM; P-256 or Ed25519) that the gateway knows as yours: signs every call.",
)
@click.option("--client-id", help="OAuth client id, or the https URL of a client id metadata document.")
@click.option("--device", is_flag=True, help="Sign in with a code on another device.")
@click.option("--no-browser", is_flag=True, help="Never open a page; say its address instead.")
@click.option("--open-approvals", is_flag=True, help="Open the approval page when a call waits for a person.")
@click.option(
    "--patience",
    type=click.FloatRange(0, MAX_PATIENCE_S),
    default=PATIENCE_S,
    show_default=True,
    help="Seconds that a call waits for a person before the host is told to repeat it.",
)
@click.option("--login", is_flag=True, help="Sign in now and stop; nothing is bridged.")
@click.option("--logout", is_flag=True, help="Forget the kept token and stop.")
@click.option("--save-token", is_flag=True, help="Keep the fixed token on standard input and stop.")
@click.option(
    "--log-level",
    type=click.Choice(["error", "warning", "info"]),
    default="warning",
    show_default=True,
    help="How much is said on standard error.",
)
def connect(
    url: str,
    server: str | None,
    token_env: str | None,
    signing_key: Path | None,
    client_id: str | None,
    device: bool,  # noqa: FBT001 - click
    no_browser: bool,  # noqa: FBT001
    open_approvals: bool,  # noqa: FBT001
    patience: float,
    login: bool,  # noqa: FBT001
    logout: bool,  # noqa: FBT001
    save_token: bool,  # noqa: FBT001
    log_level: str,
) -> None:
    """Bridge a host on standard input and output to the gateway at URL, for example
    https://gateway.example/mcp.

    Signs in by itself: a token from the environment, else a kept one, else OAuth in your browser (or with a code on
    another device). Repeats a call that wants two phases, signs the parameters of one that wants a signature, and
    waits while a person confirms. Standard output carries
    MCP and nothing else; what a person should know is on standard error.
    """
    if login + logout + save_token > 1:
        raise click.UsageError("--login, --logout and --save-token exclude each other")
    where = _address(url, server)
    machine = this_machine()
    _log_to_stderr(log_level)
    wishes = Wishes(client_id=client_id, device=device, browser=machine.can_open_pages and not no_browser)
    if logout or save_token:
        asyncio.run(_keep(where, machine, _token_read() if save_token else None))
        return
    if login:
        asyncio.run(_log_in(where, machine, wishes))
        return
    token = token_from(token_env)
    registered = None if signing_key is None else _key_in(signing_key)
    # From here on whatever prints (a library, a browser that is started) prints to standard error: standard output
    # belongs to the protocol, and one stray line ends the conversation.
    protocol_out = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    pipe = Pipe(sys.stdin.fileno(), protocol_out)
    fixed = FixedToken(Secret(str(token))) if token is not None else None
    asyncio.run(_bridge(pipe, where, machine, wishes, _Person(open_approvals), patience, fixed, registered))


async def _bridge(
    pipe: Pipe,
    url: str,
    machine: Machine,
    wishes: Wishes,
    person: _Person,
    patience_s: float,
    fixed: Access | None,
    registered: ProofKey | None,
) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):  # Windows: the default ends the process
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
    LOG.info("bridging to %s", url)
    if fixed is not None:
        signatures = None if registered is None else Signatures(registered, url, time.time, registered=True)
        bridge = Bridge(pipe, url, fixed, person, _Clock(), patience_s=patience_s, signatures=signatures)
        await bridge.run(stop)
        return
    async with _oauth(url, machine, wishes) as (access, own):
        signatures = Signatures(registered or own, url, time.time, registered=registered is not None)
        bridge = Bridge(pipe, url, access, person, _Clock(), patience_s=patience_s, signatures=signatures)
        await bridge.run(stop)


@asynccontextmanager
async def _oauth(url: str, machine: Machine, wishes: Wishes) -> AsyncIterator[tuple[OAuthAccess, ProofKey]]:
    """Access, and the key that its tokens are bound to where the server binds them."""
    vault, in_keyring = open_vault(machine.state)
    if not in_keyring:
        LOG.info("no keyring here: tokens are kept in %s, readable by you alone", machine.state)
    web = Web()
    try:
        prover = Prover(await load_key(vault), time.time)
        endpoint = TokenEndpoint(web, prover, time.time)
        sign_in = SignIn(web, url, prover, endpoint, wishes, say=_Person(False).say, open_page=open_page)
        yield OAuthAccess(url, vault, prover, endpoint, sign_in, time.time), prover.key
    finally:
        await web.aclose()


async def _log_in(url: str, machine: Machine, wishes: Wishes) -> None:
    async with _oauth(url, machine, wishes) as (access, _), http_client() as http:
        response = await http.post(
            url, content=PROBE, headers={"content-type": "application/json", "accept": "application/json"}
        )
        if response.status_code != 401:
            raise LoginFailed(f"The gateway asks for no sign-in (HTTP {response.status_code}).")
        await access.sign_in(response)
    click.echo("signed in", err=True)


async def _keep(url: str, machine: Machine, token: str | None) -> None:
    vault, in_keyring = open_vault(machine.state)
    async with vault.locked(url):
        if token is None:
            await vault.delete(url)
            click.echo("forgotten", err=True)
            return
        await vault.put(url, to_bytes(Tokens(access=Secret(token))))
    click.echo(f"kept in {'the keyring' if in_keyring else machine.state}", err=True)


def _token_read() -> str:
    """:raises click.UsageError: it is no token."""
    token = click.prompt("Token", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.readline()
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise click.UsageError("standard input holds no token")
    return token


def _key_in(path: Path) -> ProofKey:
    """:raises click.UsageError: it holds none."""
    try:
        return key_in(path)
    except ValueError as problem:
        raise click.UsageError(f"--signing-key: {problem}") from None


def _address(url: str, server: str | None) -> str:
    """:raises click.UsageError: a token would travel in clear, or it is no URL."""
    try:
        checked(url, "URL")
    except LoginFailed as problem:
        raise click.UsageError(f"{problem.message} Plain http is for this machine's loopback only.") from None
    if server is None:
        return url.rstrip("/")
    if not _SERVER.fullmatch(server):
        raise click.UsageError("--server is a name of letters, digits, dots and dashes")
    return f"{url.rstrip('/')}/{server}"


def _log_to_stderr(level: str) -> None:
    """Our own lines only: the HTTP library's debug lines would show the Authorization header."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("countersign: %(message)s"))
    LOG.handlers = [handler]
    LOG.propagate = False
    LOG.setLevel(level.upper())
