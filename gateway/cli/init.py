"""``countersign init``: a few questions, and a settings file that this gateway would start with (R134)."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import click
import yaml

from gateway.cli.common import DEFAULT_CONFIG, check_name
from gateway.errors import SettingsError
from gateway.identity.static import hash_static_token, mint_static_token
from gateway.origins import tool_audience_of, trust_of
from gateway.settings import load_settings
from gateway.settings.etdi_environment import named_issuer
from gateway.settings.model import PolicySettings, Settings, StateSettings
from gateway.state.open import open_store

ENGINES: Final = ("embedded", "opa")
PAYPALS: Final = ("sandbox", "production")
ISSUERS: Final[Mapping[str, str]] = {
    "auth0": "Its domain (tenant.eu.auth0.com)",
    "okta": "Its domain (tenant.okta.com)",
    "azure": "The id of its tenant",
    "custom": "Its issuer, exactly as `iss` has it",
}
"""What is asked about each profile."""
PLACEHOLDERS: Final = {"PAYPAL_CLIENT_ID": "later", "PAYPAL_CLIENT_SECRET": "later"}
"""Credentials come from the environment when the gateway starts; the file is judged without them."""
_ABOUT: Final = {
    "identity": "Who may call. The tokens themselves are not here; `countersign token` makes more.",
    "policy": "embedded judges in the gateway's own process, opa in an OPA beside it.",
    "etdi": "Whose word counts on where tools of other servers come from. You approve each tool all the same.",
}


class Asker:
    """Puts questions, unless the answer is an option already or nothing is to be asked."""

    def __init__(self, *, silent: bool) -> None:
        self._silent = silent

    def text(self, given: str | None, question: str, default: str | None = None) -> str:
        """:raises click.UsageError: it has to be said, and nothing is to be asked."""
        if given is not None:
            return given
        if not self._silent:
            return str(click.prompt(question, default=default))
        if default is None:
            raise click.UsageError(f"say with an option: {question}")
        return default

    def choice(self, given: str | None, question: str, among: Sequence[str]) -> str:
        """One of a few; the first is the default."""
        if given is not None or self._silent:
            return given or among[0]
        return str(click.prompt(question, default=among[0], type=click.Choice(among)))


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=DEFAULT_CONFIG,
    show_default=True,
    help="The file; one that exists stays as it is.",
)
@click.option("--subject", help="Who will call, for example agent-one.")
@click.option("--url", help="The URL at which hosts reach the gateway.")
@click.option("--paypal", type=click.Choice(PAYPALS), help="Which PayPal.")
@click.option("--engine", type=click.Choice(ENGINES), help="The engine inside, or an OPA beside.")
@click.option("--opa-url", help="Where that OPA is; unix:///path for a socket.")
@click.option("--state", help="sqlite:///file, or redis://host/0 for several gateways.")
@click.option(
    "--issuer",
    type=click.Choice(["none", *ISSUERS]),
    help="Who issues tokens for tools of other servers (ETDI).",
)
@click.option("--issuer-at", help="The domain, tenant id or URL of --issuer.")
@click.option("--provider", help="The tool provider --issuer may speak for; several with commas.")
@click.option("--yes", is_flag=True, help="Ask nothing: what is not said has its default.")
def init(
    out: Path,
    subject: str | None,
    url: str | None,
    paypal: str | None,
    engine: str | None,
    opa_url: str | None,
    state: str | None,
    issuer: str | None,
    issuer_at: str | None,
    provider: str | None,
    yes: bool,  # noqa: FBT001 - click
) -> None:
    """Ask what has to be said, and write a settings file. What is given as an option is not asked.

    Exit 2: the file is there already, or the gateway would not start with the answers.
    """
    if out.exists():
        raise click.UsageError(f"{out} is there already; it stays as it is (--out names another)")
    ask = Asker(silent=yes)
    subject = ask.text(subject, "Who will call (a name)", "agent-one")
    check_name(subject)
    url = ask.text(url, "The URL at which hosts reach the gateway", Settings().public_url)
    environment = ask.choice(paypal, "Which PayPal", PAYPALS).upper()
    policy = _policy(ask, engine, opa_url)
    state = ask.text(state, "Where state is kept (sqlite:/// or redis://)", StateSettings().url)
    issuers = _issuers(ask, issuer, issuer_at, provider)
    raw = mint_static_token()
    caller = {"sha256": hash_static_token(raw), "subject": subject, "roles": ["agent"]}
    sections: dict[str, Any] = {
        **_reached(url),
        "identity": {"tokens": [caller]},
        "paypal": {"environment": environment},
        "policy": policy,
        "state": {"url": state},
        **({"etdi": {"issuers": issuers}} if issuers else {}),
    }
    text = "\n".join(_lines(sections))
    _would_start(text)
    # Who may call is nobody else's to read; and never over a file that came meanwhile.
    with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    _say_next(out, subject, raw, url)


def _reached(url: str) -> dict[str, str]:
    """Without TLS the URL is the socket itself, on this machine; with it, something stands in front."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # said better by whoever reads the settings
        return {"public_url": url}
    if parts.scheme != "http" or port is None or url == Settings().public_url:
        return {"public_url": url}
    return {"listen": f"127.0.0.1:{port}", "public_url": url}


def _policy(ask: Asker, engine: str | None, opa_url: str | None) -> dict[str, str]:
    chosen = ask.choice(engine, "Who judges: the engine inside, or an OPA beside", ENGINES)
    if chosen == "embedded":
        return {"engine": chosen}
    return {"engine": chosen, "opa_url": ask.text(opa_url, "Where OPA is", PolicySettings().opa_url)}


def _issuers(ask: Asker, kind: str | None, at: str | None, provider: str | None) -> list[dict[str, Any]]:
    chosen = ask.choice(kind, "Who issues tokens for tools of other servers (ETDI)", ["none", *ISSUERS])
    if chosen == "none":
        return []
    place = ask.text(at, ISSUERS[chosen])
    issuer, names = (place, []) if chosen == "custom" else named_issuer(chosen, place)
    providers = ask.text(provider, "Whose tools it may speak for (ids, with commas)")
    return [
        {
            "issuer": issuer,
            "names": names,
            "profile": chosen,
            "providers": [one.strip() for one in providers.split(",")],
        }
    ]


def _lines(sections: Mapping[str, Any]) -> Iterator[str]:
    yield "# Written by `countersign init`. Every setting, its variable and its default: `countersign settings`."
    for name, value in sections.items():
        if name in _ABOUT:
            yield f"\n# {_ABOUT[name]}"
        yield yaml.safe_dump({name: value}, sort_keys=False, allow_unicode=True).rstrip()
    yield ""


def _would_start(text: str) -> None:
    """:raises SettingsError: in the words in which the gateway would refuse it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / DEFAULT_CONFIG.name
        file.write_text(text)
        try:
            settings = load_settings(file, PLACEHOLDERS)
            open_store(settings.state.url)  # contacts nothing yet
            trust_of(settings.etdi, audience=tool_audience_of(settings))
        except SettingsError as problem:
            raise SettingsError(f"Nothing was written. {problem.message}", code=problem.code) from None


def _say_next(out: Path, subject: str, raw: str, url: str) -> None:
    named = "" if out == DEFAULT_CONFIG else f" --config {out}"
    click.echo(f"wrote {out}\n")
    click.echo(f"Token of {subject} (shown once; give it to the host):\n\n  {raw}\n")
    click.echo("Next:\n\n  export PAYPAL_CLIENT_ID=... PAYPAL_CLIENT_SECRET=...")
    mcp = f"{url.rstrip('/')}/mcp"
    # A fixed token stands in no file of a host: the bridge keeps it.
    bridge = (f"connect {mcp} --save-token    # paste the token", f"hosts --url {mcp} --via connect")
    for command in (f"check{named}", f"serve{named}", *bridge):
        click.echo(f"  countersign {command}")
