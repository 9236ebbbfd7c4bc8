"""A small policy that passes every check, for tests of the engines; and how to write a variation of it."""

from pathlib import Path

SMALL = {
    ".manifest": '{"revision": "small-1", "roots": ["gateway"], "rego_version": 1}',
    "gateway/decision/decision.rego": """package gateway.decision

answer := {
	"outcome": outcome,
	"reasons": [{"code": "small.reason", "outcome": outcome, "message": message, "remedy": ""}],
}

default outcome := "deny"

outcome := data.gateway.tools.outcomes[input.tool.name]

default message := "no name"

message := concat(" ", ["tool", input.tool.name])

echo := input
""",
    "gateway/listing/listing.rego": """package gateway.listing

import data.gateway.decision

answer := {"tools": {entry.tool.name: verdict |
	some entry in input.tools
	name := entry.tool.name
	verdict := {"visible": name in object.keys(data.gateway.tools.outcomes), "outcome": outcome(name)}
}}

outcome(name) := object.get(data.gateway.tools.outcomes, name, "deny")
""",
    "gateway/admin/admin.rego": """package gateway.admin

answer := {"outcome": "deny", "reasons": []}
""",
    "gateway/passage/passage.rego": """package gateway.passage

answer := {"outcome": "deny", "reasons": []}
""",
    "gateway/tools/data.yaml": """outcomes:
  list_invoices: allow
  create_refund: handshake
""",
}


def write_policy(folder: Path, changes: dict[str, str | None] | None = None) -> Path:
    """Write the small policy below `folder`, with these files replaced, added or (None) left out.

    Returns the `gateway` folder, which the embedded engine loads; `folder` itself is a bundle for OPA.
    """
    for name, content in {**SMALL, **(changes or {})}.items():
        if content is not None:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
    return folder / "gateway"
