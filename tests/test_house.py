"""The house rules, read off the source: which room may know what of another, and what no module does.

A rule that is broken on purpose gets a line in the tables below, with its reason; nothing is switched off in the
modules themselves.
"""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
GATEWAY = REPOSITORY / "gateway"

ROOMS = ("door", "identity", "catalog", "policy", "outcome", "upstream", "audit")

# These see every room: they are the walk itself, what wires it, and what starts it.
WIRING = {"walk", "listing", "passage", "app", "cli", "demo"}

# Every room may use these: they know no room.
EVERYWHERE = {
    "errors": "the tree of what can go wrong, with its public codes",
    "canonical": "RFC 8785 bytes and hashes, one spelling for all",
    "breaker": "when to stop asking a part that does not answer, which knows no parts",
    "http1": "the lean HTTP client, which knows nothing of calls",
}

# What a room may import of another room, and why. Values travel; the rest is a protocol of a few methods.
MAY_IMPORT: dict[str, dict[str, str]] = {
    "door": {
        "identity.credentials": "the Authorization header is taken apart where headers are",
        "identity.challenge": "a refused credential becomes a 401 that says where to get a better one (RFC 9728)",
        "policy.decision": "a refusal names the reasons that forbid, and no others",
        "outcome.answer": "the last step of the call is to write its answer as bytes",
        "outcome.elicitation": "the question to a host's user, and the key under which its answer comes back",
        "outcome.view": "an elicitation shows what will be sent",
        "walk": "the door hands the call over",
        "listing": "and the question what tools there are",
        "passage": "and every other request that is judged",
        "upstream.target": "what a server says of itself and on its own account; the protocol only",
    },
    "identity": {
        "door.strict_json": "tokens and key sets are hostile input too",
        "state.store": "a proof counts once, for all gateways; its names only",
    },
    "catalog": {
        "state.store": "approvals outlive the process",
        "upstream.target": "definitions are asked for where they are; the protocol only",
        "door.call": "the headers that came with a call are compared with its arguments, as the tool's schema says",
    },
    # Beside the catalog: what proves where a definition comes from.
    "etdi": {
        "catalog.definition": "what is verified",
        "catalog.tool": "and what is said of it",
        "catalog.verification": "the seam that this room fills",
        "door.strict_json": "what an issuer answers is hostile input too",
        "identity.credentials": "a tool's token is shown to its issuer alone, as the secret that it is",
        "identity.discovery": "where an issuer's documents are",
        "identity.endpoints": "which URLs are believed",
        "identity.errors": "a token that cannot be opened is refused in the words for tokens that come in",
        "identity.fetch": "issuers of tool tokens are asked with the limits that others are asked with",
        "identity.jose": "the outside of a token",
        "identity.jwk": "and the keys to its inside",
    },
    "policy": {
        "door.host": "a lookup is made as the caller whose call it is for",
        "door.call": "the question holds the call",
        "identity.caller": "and the caller",
        "catalog.tool": "and the tool with its approval",
        "upstream.target": "an amount that the arguments lack is looked up; the protocol only",
    },
    "outcome": {
        "door.call": "which dialect the answer is given in",
        "door.host": "what a target asks goes to the host, now or by the next round; values and a protocol",
        "identity.caller": "the view says who asks",
        "identity.credentials": "a parked call keeps its host's token to be exchanged, as the secret that it is",
        "catalog.drift": "the tool is compared once more before it is called (invariant 9)",
        "policy.decision": "the decision to carry out",
        "policy.money": "the view shows the amount",
        "policy.question": "what was judged is what is sent",
        "state.store": "what waits outlives the process",
        "upstream.target": "allow.py is the one place that sends; the protocol only",
    },
    "upstream": {
        "door.call": "the upstream is spoken to in the client's era",
        "door.protocol": "the names of the protocol's fields",
        "door.host": "what a server says and asks before it answers goes to the host; values and a protocol",
        "identity.credentials": "a host's token is a secret that is exchanged, and goes nowhere else",
        "identity.fetch": "a token endpoint is asked with the limits an issuer is asked with",
        "identity.errors": "a token that was granted is read by the grammar of tokens that come in",
        "catalog.tool": "our own adapter signs its definitions",
        "policy.money": "PayPal's own amounts, as the question wants them",
    },
    "audit": {},
    "state": {},
    # Beside the walk: the journal around a call that leaves, and what looks up what a crash cut short.
    "transactions": {
        "door.call": "a call that lapsed",
        "outcome.allow": "which classes leave only after they were written down; the protocol of lapses",
        "outcome.consent": "the transaction's id, and whether this is a later round of it",
        "outcome.journal": "the seam that this room fills",
        "outcome.parked": "a call whose target asked something is not settled yet",
        "outcome.pending": "how long a host has to come back into a call",
        "outcome.redact": "a kept result is masked as its caller saw it",
        "policy.classes": "what no policy may call harmless is written down, too",
        "policy.decision": "windows and replays are the policy's",
        "policy.money": "what was countersigned is what may be sent again",
        "identity.caller": "whose call is sent again: the operator may have stopped that caller",
        "identity.credentials": "its money is looked up with nobody's token",
        "kill.order": "what the operator stopped is not sent again",
        "kill.orders": "as the store has it",
        "policy.question": "who asked for what",
        "catalog.catalog": "a replayed tool is looked at as it is now; a value",
        "catalog.drift": "and must be the approved one (invariant 9)",
        "state.store": "the journal outlives the process",
        "upstream.target": "lookups and permitted replays; the protocol only",
    },
    # Beside the walk: what the policy counts over many calls.
    "budget": {
        "outcome.answer": "what became of a call",
        "outcome.consent": "its transaction's id, and whether this is a later round of it",
        "outcome.pending": "what waited in vain",
        "policy.decision": "what to count is the policy's",
        "policy.data_file": "its file, for people who look at what is left",
        "policy.engine": "a file that cannot be read",
        "policy.payees": "one spelling",
        "policy.question": "who asked for what, and the numbers as facts",
        "state.ledger": "where it is counted; the protocol only",
        "transactions.transaction": "what became known later",
        "upstream.target": "whether it had its effect; a value",
    },
    # Beside the walk: how often who called what.
    "usage": {
        "policy.question": "who asks for what, and the numbers as facts",
        "state.store": "what other gateways counted; the protocol only",
    },
    "http1": {},
    "settings": {
        "identity.static": "one caller with a fixed token is a setting",
        "identity.parameters": "and so is the key with which a caller signs parameters",
        "agents.signature": "the form of a webhook's secret",
        "authoring.declaration": "who makes the tools is a variable",
        "authoring.errors": "what cannot be used is said in that package's words",
        "authoring.providers.config": "and so is who grants their tokens",
        "identity.endpoints": "which URL an issuer may have",
        "etdi.degradation": "what may go on without an issuer is a setting",
        "etdi.errors": "settings that are refused name the code of the design",
        "etdi.profiles": "kinds of issuers",
        "etdi.retry": "how often issuers are asked again",
        "etdi.trust": "algorithms of signatures",
    },
    # Beside the walk: the ETDI identity provider, which knows nothing of calls.
    "idp": {
        "door.strict_json": "what is registered, and what a token shall say, is hostile input too",
        "door.headers": "a body is read within bounds, whoever sends it",
        "door.http": "the bounds",
        "identity.credentials": "the length of a token",
        "identity.errors": "why a JWS cannot be opened",
        "identity.jose": "the outside of a JWT",
        "identity.jwk": "strength and thumbprint of a key",
        "audit.ledger": "what is issued, registered and revoked is recorded first",
        "audit.record": "phases and states of a record",
        "state.store": "keys, providers and tokens outlive the process",
    },
    # Beside the walk: second parties that are programs, and the notices for people.
    "agents": {
        "door.strict_json": "what an agent answers is hostile input too",
        "outcome.pending": "what waits, and where a word is written into it",
        "outcome.refusal": "and its no as the caller reads it",
        "outcome.view": "an agent sees what people see",
        "state.store": "a notice outlives the process that could not deliver it",
        "policy.money": "and the amount as numbers",
        "policy.question": "its yes is one confirmation of the question",
        "console.decide": "recorded as a person's decision is",
    },
    # Beside the walk: what was put to the policy, kept for whoever writes policies.
    "decisions": {
        "policy.data_file": "what may be kept is the policy's own data",
        "policy.engine": "a question's answer, as it was given",
        "parts": "which folder is the policy",
        "settings": "where the log is",
    },
    # Beside the walk: a candidate policy that is asked what the live one is asked.
    "shadow": {
        "policy.embedded": "a candidate in this process",
        "policy.opa": "or in another OPA",
        "policy.loading": "refused as the gateway would refuse it",
        "policy.engine": "asked as the walk asks it",
        "policy.decision": "and heard as the walk would hear it",
        "policy.policy": "who hears of questions",
        "policy.recorders": "and several who do",
        "decisions.entry": "of a question is kept what the decision log may keep",
        "decisions.opened": "which hears of the same questions",
        "workbench.flips": "which way an answer changed, in the words of `policy replay`",
        "workbench.judging": "and what is compared",
        "workbench.bundle_folder": "a candidate may be a bundle",
        "parts": "which folder is the live policy",
        "settings": "where the candidate is",
    },
    # For whoever writes policies: asks the engines, and is asked by nobody but the command line and the shadow.
    "workbench": {
        "policy.decision": "what the policy answers",
        "policy.engine": "asked as the walk asks it",
        "policy.loading": "refused as the gateway would refuse it",
        "policy.money": "an example's amount",
        "policy.payees": "and who receives it",
        "policy.revision": "read as the engines read it",
        "policy.data_file": "a recipe's texts, read as the policy's own",
        "policy.rego_cpp": "many questions in a row, without the engine's threads",
        "bundle.archive": "a bundle is read in one way, within its bounds",
        "decisions.entry": "what was recorded",
        "decisions.log": "and where",
        "catalog.schema": "an example's arguments are judged as a call's are",
        "upstream.paypal.definitions": "the tools that ship, which tables and examples are about",
        "upstream.paypal.money": "and what they say about money",
    },
    # Beside the policy: bundles as OPA defines them, and which revision may decide.
    "bundle": {
        "policy.engine": "an engine whose answers are let through, or not",
        "policy.loading": "refused as the gateway would refuse it",
        "policy.revision": "read as the engines read it",
        "policy.vectors": "a policy proves itself by saying no",
        "settings.checks": "which address is this machine",
        "settings.bundles": "which bundles are handed out is a setting",
        "settings.model": "and so is which revisions may decide",
        "stopping": "the task that looks at what is accepted ends with the gateway",
        "state.store": "what was accepted outlives the process, and is one for all gateways",
    },
    # Beside the walk: looks at definitions, for whoever approves them; decides nothing.
    "inspector": {
        "catalog.block": "what a definition says of itself, in one reading for all",
        "catalog.definition": "read as the catalog reads it",
        "catalog.permissions": "the places where a block may stand",
        "catalog.tool": "what was verified",
        "catalog.verification": "and by whom; the protocol only",
        "etdi.chain": "who trusts whom",
        "etdi.claims": "the range of a date",
        "etdi.errors": "why a token was refused",
        "etdi.profiles": "how issuers write claims and scopes",
        "etdi.trust": "who is trusted, and how long a token may live",
        "identity.endpoints": "which URLs are asked",
        "identity.errors": "why a token cannot be opened",
        "identity.jose": "the outside of a token",
        "identity.jwk": "which algorithms prove anything",
        "outcome.lookalike": "letters that pass for others, found in one way everywhere",
        "outcome.view": "and characters that cannot be seen, shown in one way",
        "upstream.credential": "a server that is inspected may want a token",
        "upstream.mcp": "a listing's bounds",
        "upstream.mcp_http": "listings are read as they were sent, by the client that calls go through",
        "upstream.mcp_stdio": "or from a command",
        "upstream.stdio_process": "which is given no secret of ours",
        "version": "what a report was made with",
    },
    # Runs in other people's servers: no room that serves calls, so that it is light where it runs.
    "authoring": {
        "catalog.definition": "one hash of a definition, for its author and for whoever approves it",
        "catalog.tool": "the name of the block on the wire",
        "identity.credentials": "secrets that do not show, and the grammar of tokens",
        "identity.discovery": "where an issuer says where its endpoints are",
        "identity.endpoints": "which URLs are believed",
        "identity.errors": "what the readers of tokens raise",
        "identity.fetch": "an issuer's documents, with every limit",
        "identity.jose": "a token of one's own is read as strictly as one that comes in",
        "identity.jwk": "thumbprints and key sizes",
        "identity.keys": "the keys of one's own issuer",
        "rate.bucket": "the reference servers have limits, too",
        "settings.authoring": "the one reader of the environment",
        "serving": "the demo listens on real sockets",
    },
    # Runs on people's machines: no room of the server, so that it starts without any of them.
    "client": {
        "settings.client": "the one reader of the environment; loaded when a token is asked for",
        "places": "where the policy's files are",
        "policy.classes": "the one table of data classes; loaded when a tool is looked up",
    },
}

# Modules over the limit, each because it is a table that reads worse when it is cut.
MAX_LINES = 300
LONG: dict[str, str] = {
    "outcome.pending": "tokens and waiting calls, which share the values and the promises of the store",
}

# Modules and packages without a test file of their own, each with where it is tested instead.
TESTED_ELSEWHERE: dict[str, str] = {
    "workbench.programs": "test_gates.py and test_conventions.py run them",
    "upstream.paypal.tools": "test_tools.py calls every tool against the simulator",
    "upstream.paypal.simulator": "test_tools.py compares what it takes and gives with PayPal's OpenAPI files",
    "upstream.paypal.operation": "values only",
    "upstream.paypal.schema": "values only; test_definitions.py reads them all",
    "upstream.paypal.api": "values and a protocol",
    "upstream.paypal.call": "test_server.py and test_tools.py call through it",
    "upstream.paypal.problem": "test_outcome.py reads both of PayPal's error shapes",
    "upstream.paypal.request": "test_tools.py and test_hostile.py see each request it builds",
    "upstream.paypal.rules": "test_hostile.py, and test_tools.py for each rule beyond the schema",
    "upstream.paypal.token": "test_client.py: single flight, early refresh, a rejected token",
    "upstream.paypal.validation": "test_hostile.py",
    "upstream.paypal.toolkit_view": "test_toolkit.py and test_toolkit_rules.py: calls in the toolkit's words",
    "upstream.paypal.toolkit_before": "test_before.py, in both dialects",
    "upstream.paypal.toolkit_outcome": "test_toolkit.py: errors that arrive as data, lost replies",
    "upstream.target": "values and a protocol",
    "upstream.credential": "a protocol; test_http_line.py and test_mcp_http.py show and refuse credentials",
    "upstream.line": "values and a protocol",
    "upstream.lines": "test_http_line.py and test_mcp_stdio.py: a key each, bounds, expiry, ends",
    "upstream.opening": "test_mcp_http.py and test_mcp_stdio.py: each way to open, and not to",
    "upstream.bridge": "test_mcp.py: log levels and subscriptions across the eras",
    "upstream.listening": "test_http_listener.py and test_mcp.py",
    "upstream.delivery": "test_http_line.py: what passes and what does not",
    "upstream.http_wire": "test_http_line.py",
    "upstream.http_stream": "test_http_line.py",
    "upstream.http_answer": "test_http_line.py: questions, and answers that are fetched on",
    "upstream.stdio_line": "test_mcp_stdio.py",
    "upstream.stdio_inbox": "test_mcp_stdio.py: floods, slow hosts",
    "upstream.stdio_process": "test_mcp_stdio.py: start, death, children, environment, stderr",
    "door.host": "values and a protocol",
    "door.dispatch": "test_endpoint.py, test_session.py and test_passage.py: each method, in each era",
    "door.exchange": "values; test_session.py and test_streams.py cancel in each era",
    "door.refusal": "test_endpoint.py: status, headers and code of each error, in each era",
    "policy.money": "values only",
    "budget.booking": "test_budgets.py: every way in which a call ends",
    "budget.releases": "test_budgets.py: out of time, refused, settled by a person",
    "audit.verification": "values only; test_verify.py fills them",
    "http1.errors": "values only; test_client.py raises each",
    "state.sqlite_file": "test_sqlite.py and test_contract.py open, replace and purge it",
    "state.sqlite_rows": "test_sqlite.py and test_contract.py run every statement",
    "state.sqlite_ledger": "test_ledger.py runs every statement",
    "state.redis_ledger": "test_ledger.py runs every script",
    "outcome.answer": "values only",
    "settings.idp_model": "values only; test_idp.py reads them",
    "idp.errors": "values only; test_client_auth.py, test_issuing.py and test_endpoint.py answer with each",
    "outcome.refusal": "values only",
    "outcome.journal": "values and a protocol; tests/transactions fills it",
    "transactions.transaction": "values and a protocol",
    "transactions.rules": "a protocol; tests/upstream/paypal/test_recovery.py",
    "transactions.stops": "test_recovery.py and test_retry.py: each kind of order",
    "transactions.opened": "tests/faults/test_killed_between_two_steps.py: started, recovered, released",
    "catalog.tool": "values only",
    "catalog.first": "test_catalog.py: over restarts, and until it is forgotten",
    "settings.kinds": "values only; test_model.py",
    "inspector.finding": "values; test_content.py and test_analysis.py: masked, visible, cut",
    "inspector.etdi_codes": "a table; test_analysis.py has a fixture for each line",
    "inspector.content_codes": "a table; test_content.py: each finding has its line",
    "inspector.oauth": "test_analysis.py",
    "inspector.permissions": "test_analysis.py",
    "inspector.texts": "test_content.py: bounds, order, kinds",
    "inspector.folding": "test_names.py",
    "inspector.instructions": "test_content.py over the corpus",
    "inspector.markup": "test_content.py over the corpus",
    "inspector.references": "test_content.py",
    "inspector.hints": "test_content.py over the corpus",
    "inspector.values": "test_content.py over the corpus",
    "inspector.report": "test_sarif.py and cli/test_inspect.py",
    "agents.webhook": "attacks/test_forged_agent_answer.py: each way to forge an answer; agents/test_walk.py",
    "bundle.opened": "test_live.py opens both from settings; settings/test_bundles.py what cannot be opened",
    "workbench.finding": "values only",
    "workbench.paypal": "test_questions.py and test_lint_data.py ask it",
    "client.errors": "values only",
    "client.handshake.errors": "values only; test_client.py raises each",
    "client.access": "test_bridge.py and test_login.py send both kinds of credentials",
    "client.session": "test_bridge.py: kept, opened again once, ended",
    "client.rounds": "test_bridge.py: streams, resumption, questions of the server",
    "client.listening": "test_bridge.py: the server's own stream",
    "client.login.values": "values only; test_login.py keeps and reads them over restarts",
    "client.login.web": "test_login.py",
    "client.login.discovery": "test_login.py: a good server's documents, and each kind that leads astray",
    "client.login.tokens": "test_login.py and test_device.py",
    "client.login.register": "test_login.py reads what was registered",
    "client.login.browser": "test_login.py, with a process that follows the redirects as a browser does",
    "authoring.errors": "values only; the tests of each module raise them",
    "authoring.claims": "values only",
    "authoring.servers.demo_issuer": "test_oauth_demo.py",
    "authoring.providers.dialects": "test_provider.py: what each kind is asked",
    "authoring.providers.issuer": "test_provider.py: forged tokens, metadata of another issuer",
    "authoring.providers.exchange": "test_provider.py: slow, large and redirecting answers",
    "client.login.oauth": "test_login.py: kept, renewed, widened, revoked",
}

MODULES = sorted(GATEWAY.rglob("*.py"))
TESTS = sorted((REPOSITORY / "tests").rglob("*.py"))
ROOM_OF_OURS = sorted(MAY_IMPORT)


def name_of(path: Path) -> str:
    """`gateway/door/call.py` -> `door.call`; of a package, the package."""
    parts = path.relative_to(GATEWAY).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def tree_of(path: Path) -> ast.Module:
    """The module's syntax tree."""
    return ast.parse(path.read_text(), str(path))


def imported(path: Path) -> Iterator[str]:
    """The names below `gateway` that a module imports, `from gateway.door import call` as `door.call`."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (
                alias.name.removeprefix("gateway.")
                for alias in node.names
                if alias.name.startswith("gateway")
            )
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "gateway":
            below = node.module.removeprefix("gateway").removeprefix(".")
            for alias in node.names:
                inner = GATEWAY / f"{below}.{alias.name}".strip(".").replace(".", "/")
                is_module = inner.is_dir() or inner.with_suffix(".py").is_file()
                yield f"{below}.{alias.name}".strip(".") if is_module else below


def within(name: str, prefixes: set[str]) -> bool:
    """Whether a dotted name is one of these, or inside one of them."""
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


@pytest.mark.parametrize("room", ROOM_OF_OURS)
def test_a_room_knows_only_what_it_may(room: str) -> None:
    """What a room imports of another room is in the table, with the reason."""
    allowed = {room} | set(EVERYWHERE) | set(MAY_IMPORT[room])
    broken = [
        f"{path.relative_to(REPOSITORY)} imports gateway.{name}"
        for path in MODULES
        if within(name_of(path), {room})
        for name in imported(path)
        if not within(name, allowed)
    ]
    assert broken == []


def test_rooms_are_wired_in_one_place() -> None:
    """No module of a room imports what wires the rooms, except the door, which hands the call over."""
    broken = [
        f"{path.relative_to(REPOSITORY)} imports gateway.{name}"
        for path in MODULES
        if not within(name_of(path), WIRING | {"door", "__main__"})
        for name in imported(path)
        if within(name, WIRING)
    ]
    assert broken == []


def test_every_line_of_the_table_is_used() -> None:
    """A line that outlived its import would allow what nobody thought about."""
    used: dict[str, set[str]] = {room: set() for room in MAY_IMPORT}
    for path in MODULES:
        used.get(name_of(path).split(".")[0], set()).update(imported(path))
    unused = {
        f"{room}: {line}"
        for room, lines in MAY_IMPORT.items()
        for line in lines
        if not any(within(name, {line}) for name in used[room])
    }
    assert unused == set(), "\n".join(sorted(unused))
    assert set(ROOMS) <= set(MAY_IMPORT)


def test_only_the_settings_read_the_environment() -> None:
    """A variable that is read anywhere else is not in the documentation, and not checked at the start."""
    broken = [
        str(path.relative_to(REPOSITORY))
        for path in MODULES
        if not within(name_of(path), {"settings"})
        for node in ast.walk(tree_of(path))
        if (isinstance(node, ast.Attribute) and node.attr in {"environ", "environb", "getenv", "putenv"})
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "os"
            and node.names[0].name in {"environ", "getenv"}
        )
    ]
    assert broken == []


def test_nothing_prints_but_the_command_line() -> None:
    """What the gateway says goes to the log or the audit, where secrets are filtered."""
    broken = [
        str(path.relative_to(REPOSITORY))
        for path in MODULES
        if not within(name_of(path), {"cli", "demo"})
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert broken == []


def test_nothing_of_ours_is_patched_in_tests() -> None:
    """Tests run the real code: what they replace, they replace through a constructor."""
    broken = []
    for path in TESTS:
        for node in ast.walk(tree_of(path)):
            mocks = (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("unittest")) or (
                isinstance(node, ast.Import)
                and any(alias.name.startswith("unittest") for alias in node.names)
            )
            patches = isinstance(node, ast.Attribute) and node.attr in {"setattr", "setitem", "delattr"}
            if mocks or (patches and ast.unparse(node).startswith("monkeypatch")):
                broken.append(f"{path.relative_to(REPOSITORY)}: {ast.unparse(node)}")
    assert broken == []


def test_modules_have_one_subject() -> None:
    """A module that is too long to be read at once is two modules, or is listed with the reason."""
    long = {name_of(path) for path in MODULES if len(path.read_text().splitlines()) > MAX_LINES}
    assert long == set(LONG)


def test_every_module_of_a_room_has_its_tests() -> None:
    """The tests mirror the house, so that what tests a module is found without a search."""
    untested = set()
    for path in MODULES:
        room, *inner = name_of(path).split(".")
        below = REPOSITORY / "tests" / room
        if (
            room in MAY_IMPORT
            and inner
            and path.stem != "__init__"
            and not any(below.rglob(f"test_{path.stem}.py"))
        ):
            untested.add(name_of(path))
    missing = sorted(name for name in untested if not within(name, set(TESTED_ELSEWHERE)))
    assert missing == [], "\n".join(missing)
    tested = [line for line in TESTED_ELSEWHERE if not any(within(name, {line}) for name in untested)]
    assert tested == [], "these have a test file of their own by now"


def committed_files() -> list[Path]:
    """The files of the checkout that git knows or would add."""
    command = ["git", "-C", str(REPOSITORY), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    paths = [REPOSITORY / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        ("a private key", rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{16}"),
        ("a cloud key", rb"\bAKIA[0-9A-Z]{16}\b"),
        ("a signed token", rb"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}"),
        ("a path of somebody's machine", rb"(?<![\w./-])/(?:root|work|Users)/"),
    ],
)
def test_no_file_holds(what: str, pattern: bytes) -> None:
    """Nothing is committed that opens a door, or that only exists on one machine."""
    found = [
        str(path.relative_to(REPOSITORY))
        for path in committed_files()
        if re.search(pattern, path.read_bytes())
    ]
    assert found == [], what
