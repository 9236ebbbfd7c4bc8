"""The settings as frozen values. No reading, no judging."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from gateway.identity.parameters import CallerKey
from gateway.identity.static import StaticToken
from gateway.settings.bundles import BundleSettings
from gateway.settings.etdi import EtdiSettings
from gateway.settings.idp_model import IdpSettings
from gateway.settings.kinds import MAX_WAIT_S, Count, Hidden, Seconds, Text
from gateway.settings.shadow import ShadowSettings

__all__ = ["MAX_WAIT_S", "Count", "Hidden", "Seconds", "Section", "Settings", "Text"]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group of settings; an unknown key is an error."""


class PayPalSettings(Section, frozen=True, kw_only=True):
    """The target. ``base_url`` is for the simulator or a proxy; it must be https or loopback."""

    enabled: bool = True
    environment: Literal["SANDBOX", "PRODUCTION"] = "SANDBOX"
    client_id: Text | None = None
    client_secret: Hidden | None = None
    access_token: Hidden | None = None
    base_url: Text | None = None
    timeout_s: Seconds = 30.0


class OAuthSettings(Section, frozen=True, kw_only=True):
    """How the gateway gets a token for a server over HTTP: client credentials at ``token_url``, or with ``exchange``
    one for each caller's own token (RFC 8693). With neither ``resource`` nor ``audience`` the token is for the
    server's ``url`` (RFC 8707, as MCP asks)."""

    token_url: Text
    client_id: Text
    client_secret: Hidden
    scopes: tuple[Text, ...] = ()
    resource: Text | None = None
    audience: Text | None = None
    auth_method: Literal["client_secret_basic", "client_secret_post"] = "client_secret_basic"
    exchange: bool = False


class UpstreamSettings(Section, frozen=True, kw_only=True):
    """Another MCP server behind the gateway, reached at ``/mcp/<name>``: over HTTP (``url``), or a child process that
    speaks on its pipes (``command``, a list: no shell). ``env`` is what the child gets besides the few variables that
    every server may have (``PATH``, ``HOME``, ``LANG`` ...). ``max_concurrency`` calls run there at a time, and
    ``max_queue`` more wait; of others nothing is sent.

    ``preset``: one of PayPal's own servers, its address or command filled in, its calls judged by our closed schemas.
    """

    preset: Literal["paypal-remote", "paypal-npm"] | None = None
    url: Text | None = None
    command: tuple[Text, ...] = ()
    env: dict[Text, Hidden] = {}
    cwd: Text | None = None
    bearer: Hidden | None = None
    oauth: OAuthSettings | None = None
    timeout_s: Seconds = 30.0
    max_connections: Count = 64
    max_concurrency: Count = 64
    max_queue: Annotated[int, Meta(ge=0, le=10_000)] = 256


class PolicySettings(Section, frozen=True, kw_only=True):
    """Which engine judges. ``embedded`` reads ``path``; ``opa`` asks the sidecar at ``opa_url``.

    ``rollback``: what becomes of the sidecar's answers by an older revision than the last accepted one: ``refuse``;
    ``strict``: none without a sequence is ever accepted; ``allow``. ``rollout_seconds``: for how long the revision
    before the accepted one may go on deciding, since several sidecars do not change at once.
    """

    engine: Literal["embedded", "opa"] = "embedded"
    path: Text | None = None
    opa_url: Text = "http://127.0.0.1:8181"
    opa_token: Hidden | None = None
    timeout_s: Seconds = 1.0
    reload: bool = True
    rollback: Literal["refuse", "strict", "allow"] = "refuse"
    rollout_seconds: Annotated[float, Meta(ge=0, le=3600)] = 120.0


class StateSettings(Section, frozen=True, kw_only=True):
    """Where tokens, pending calls and approvals live: ``sqlite:///file`` or ``redis://host``."""

    url: Text = "sqlite:///.countersign/state.sqlite3"

    def __repr__(self) -> str:
        """Without the address: that of a Redis may hold its password."""
        return f"{type(self).__name__}(url='***')"


class AuditSettings(Section, frozen=True, kw_only=True):
    """The hash-chained audit file, and the Ed25519 key that signs its checkpoints."""

    path: Text = ".countersign/audit.jsonl"
    signing_key: Text | None = None
    checkpoint_every: Count = 1000


class DecisionSettings(Section, frozen=True, kw_only=True):
    """The decision log, for ``countersign policy replay``: what was put to the policy about each call, and its answer.
    Off without a ``path``. What it keeps of arguments: policies/gateway/decisions/data.yaml."""

    path: Text | None = None
    max_mib: Annotated[int, Meta(ge=1, le=4096)] = 64
    keep_files: Annotated[int, Meta(ge=1, le=100)] = 8


class ApprovalSettings(Section, frozen=True, kw_only=True):
    """How approvals of tools are kept. ``key`` seals their records in the state (32 random bytes, base64 or hex);
    without one a key is made beside the audit file. Several hosts on one state need one key. ``previous_keys`` still
    open what they sealed. ``anchor``: the file outside the state that knows the number of the last decision about each
    tool. ``seal`` off: whoever can write the state approves tools.
    """

    seal: bool = True
    key: Hidden | None = None
    previous_keys: tuple[Hidden, ...] = ()
    anchor: Text | None = None


class ReceiptSettings(Section, frozen=True, kw_only=True):
    """Signed receipts of calls. ``signing_key``: an Ed25519 key (PEM); without one a key is made beside the audit file.
    ``previous_keys``: public halves (PEM) of earlier keys, published on. ``keep_days``: how long a receipt can be asked
    for again."""

    enabled: bool = True
    signing_key: Text | None = None
    previous_keys: tuple[Text, ...] = ()
    keep_days: Annotated[int, Meta(ge=1, le=3650)] = 30


class IssuerSettings(Section, frozen=True, kw_only=True):
    """One trusted issuer of access tokens; what each member means: ``identity/issuer.py``.

    JWTs (RFC 9068) are verified with the keys of ``jwks_file``, else ``jwks_uri``, else the issuer's own discovery
    document. With ``introspection_url`` the issuer is asked about its opaque tokens (RFC 7662), and about its JWTs too
    unless keys are configured. ``introspection_remember_s``: how long a token that was revoked may still be good.
    """

    issuer: Text
    jwks_uri: Text | None = None
    jwks_file: Text | None = None
    audience: Text | None = None
    algorithms: tuple[Text, ...] = ("RS256", "ES256", "EdDSA")
    role_claim: tuple[Text, ...] = ()
    require_at_jwt: bool = True
    max_lifetime_s: int = 3600
    leeway_s: int = 30
    scope_claim: tuple[Text, ...] = ()
    scope_map: dict[str, str] | None = None
    role_map: dict[str, str] | None = None
    introspection_url: Text | None = None
    introspection_client_id: Text | None = None
    introspection_client_secret: Hidden | None = None
    introspection_remember_s: Annotated[float, Meta(ge=0, le=300)] = 30.0


class DpopSettings(Section, frozen=True, kw_only=True):
    """Proof of possession (RFC 9449). A bound token always needs it; ``required`` refuses tokens that are not bound.

    ``nonce_secret``: proofs must carry the gateway's nonce; the same at all gateways of one URL.
    """

    algorithms: tuple[Text, ...] = ("ES256", "EdDSA")
    required: bool = False
    nonce_secret: Hidden | None = None


class IdentitySettings(Section, frozen=True, kw_only=True):
    """Who may ask. With neither tokens nor issuers the gateway does not start: unset is not open.

    ``scopes_supported``: what a client should ask of its issuer at first (RFC 9728), as the issuer names it.
    ``keys``: with which callers may sign parameters, besides the keys that their tokens are bound to.
    """

    tokens: tuple[StaticToken, ...] = ()
    issuers: tuple[IssuerSettings, ...] = ()
    scopes_supported: tuple[Text, ...] = ()
    dpop: DpopSettings = DpopSettings()
    keys: tuple[CallerKey, ...] = ()


class HandshakeSettings(Section, frozen=True, kw_only=True):
    """``ttl_seconds`` caps what the policy asks for; it can shorten a token's life, never lengthen it past 60."""

    ttl_seconds: Annotated[int, Meta(ge=1, le=60)] = 60


class AgentSettings(Section, frozen=True, kw_only=True):
    """A second agent that confirms or refuses: ``webhook`` (``secret`` signs both ways, ``whsec_…``), or ``chat``
    (an OpenAI-compatible endpoint; ``url`` ends in ``/chat/completions``). What is no answer after ``timeout_s`` is no
    confirmation."""

    kind: Literal["webhook", "chat"]
    url: Text
    secret: Hidden | None = None
    api_key: Hidden | None = None
    model: Text | None = None
    timeout_s: Annotated[float, Meta(gt=0, le=60)] = 10.0


class NotifySettings(Section, frozen=True, kw_only=True):
    """A webhook that turns notices into mail or messages for the people who confirm."""

    url: Text
    secret: Hidden
    timeout_s: Annotated[float, Meta(gt=0, le=60)] = 10.0


class ConfirmSettings(Section, frozen=True, kw_only=True):
    """How long a repeated call is held open while a person thinks; for a host of the older era that can ask its user
    inside the call, how long that may take (hosts give a call up after a minute); which second agents are asked (each
    by a name that is the operator's); where people are told. Whether an agent's word counts is the policy's affair."""

    hold_seconds: Annotated[float, Meta(ge=0, le=20)] = 4.0
    ask_seconds: Annotated[float, Meta(ge=1, le=55)] = 50.0
    agents: dict[str, AgentSettings] = {}
    notify: NotifySettings | None = None


class TransactionSettings(Section, frozen=True, kw_only=True):
    """``lease_seconds``: how long after its last sign of life a gateway counts as dead, so that others look up what it
    left open. ``keep_hours``: how long a transaction stays whose outcome is known. ``arguments_hours``: how long, at
    most, the arguments of a call stay whose outcome is unknown; 0: they are not kept, and no call can be sent again."""

    lease_seconds: Annotated[float, Meta(ge=3, le=600)] = 30.0
    keep_hours: Annotated[float, Meta(ge=1, le=8784)] = 24.0
    arguments_hours: Annotated[float, Meta(ge=0, le=1080)] = 72.0


class RateSettings(Section, frozen=True, kw_only=True):
    """How often one may ask; 0 is no limit. ``requests_per_minute`` and ``burst``: of one caller, at each gateway, and
    their sum within a minute at all gateways on one store. ``sensitive_per_minute``: of one caller to one tool of the
    classes 1 to 3, every phase counted, at all gateways on one store. ``logins_per_minute``: sign-ins at the console
    of one address. ``strangers_per_minute``: requests of one address without a good credential."""

    requests_per_minute: Annotated[int, Meta(ge=0, le=10_000_000)] = 6000
    burst: Annotated[int, Meta(ge=1, le=1_000_000)] = 500
    sensitive_per_minute: Annotated[int, Meta(ge=0, le=1_000_000)] = 120
    logins_per_minute: Annotated[int, Meta(ge=0, le=1_000_000)] = 30
    strangers_per_minute: Annotated[int, Meta(ge=0, le=1_000_000)] = 300


class DoorSettings(Section, frozen=True, kw_only=True):
    """Bounds and names of the front door. ``address_header`` (``x-forwarded-for``) says where a request comes from, if
    it came through one of the ``trusted_proxies`` (addresses or networks); from anybody else it is not looked at."""

    max_body_bytes: Annotated[int, Meta(ge=1024, le=8 * 1024 * 1024)] = 1024 * 1024
    allowed_hosts: tuple[Text, ...] = ()
    allowed_origins: tuple[Text, ...] = ()
    address_header: Text | None = None
    trusted_proxies: tuple[Text, ...] = ()


class Settings(Section, frozen=True, kw_only=True):
    """Everything ``create_app`` needs to know."""

    listen: Text = "127.0.0.1:3000"
    public_url: Text = "http://127.0.0.1:3000"
    paypal: PayPalSettings = PayPalSettings()
    upstreams: dict[str, UpstreamSettings] = {}
    policy: PolicySettings = PolicySettings()
    bundles: BundleSettings = BundleSettings()
    state: StateSettings = StateSettings()
    audit: AuditSettings = AuditSettings()
    receipts: ReceiptSettings = ReceiptSettings()
    decisions: DecisionSettings = DecisionSettings()
    shadow: ShadowSettings = ShadowSettings()
    approvals: ApprovalSettings = ApprovalSettings()
    identity: IdentitySettings = IdentitySettings()
    etdi: EtdiSettings = EtdiSettings()
    handshake: HandshakeSettings = HandshakeSettings()
    confirm: ConfirmSettings = ConfirmSettings()
    transactions: TransactionSettings = TransactionSettings()
    door: DoorSettings = DoorSettings()
    rates: RateSettings = RateSettings()
    idp: IdpSettings = IdpSettings()

    @property
    def host(self) -> str:
        """The address to bind."""
        return self.listen.rsplit(":", 1)[0].strip("[]")

    @property
    def port(self) -> int:
        """The port to bind; 0 picks a free one."""
        return int(self.listen.rsplit(":", 1)[1])
