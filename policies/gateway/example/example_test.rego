# METADATA
# title: Examples for the tests
# description: >-
#   Questions in order, and `patched`, which changes one place of a document. Not part of the policy: `*_test.rego` is
#   left out of every bundle.
package gateway.example_test

# METADATA
# title: Now
# description: When the examples are asked.
now := 1795224000

# METADATA
# title: A read
# description: A call of a class 4 tool with everything in order.
read := {
	"call": {
		"id": "3f0c1a52-7d0e-4a3b-9a55-0c6f6a1f2b11",
		"time": now,
		"server": "paypal",
		"method": "tools/call",
		"protocol": "2026-07-28",
		"era": "modern",
		"client": {"name": "desk", "version": "1.2", "can_elicit": ["form"], "can_input_required": true},
	},
	"caller": {
		"issuer": "https://login.example.com",
		"subject": "agent-7",
		"client_id": "desk",
		"scopes": [],
		"roles": ["agent"],
		"key_thumbprint": null,
		"proof": {"present": false, "valid": false},
	},
	"tool": {
		"name": "list_products",
		"version": "1.0.0",
		"definition_hash": _hash,
		"provider": "paypal",
		"permissions": ["catalog:read"],
		"annotations": {},
		"etdi": {"status": "verified", "evidence": "release", "error": null},
		"first_seen": now - 1000,
	},
	"approval": {
		"version": "1.0.0",
		"definition_hash": _hash,
		"provider": "paypal",
		"requested": ["catalog:read"],
		"approved": ["catalog:read"],
		"by": "operator-1",
		"at": now - 900,
		"expires": null,
		"revoked": false,
	},
	"arguments": {},
	"arguments_hash": _hash,
	"schema": {"valid": true, "errors": []},
	"money": null,
	"usage": {"calls": rarely, "failures": never, "payees": [], "budgets": null},
	"consent": {"handshake": {"satisfied": false, "age_s": null}, "confirmations": []},
	"env": {"paypal": "sandbox", "now": now, "state": "ok"},
}

# METADATA
# title: Rarely
# description: How often the tool was called before.
rarely := {"ten_minutes": 1, "hour": 2, "day": 3}

# METADATA
# title: Never
# description: No call of it failed.
never := {"ten_minutes": 0, "hour": 0, "day": 0}

# METADATA
# title: A refund
# description: A call of a class 2 tool, 25.00 USD, before the handshake.
refund := object.union(read, {
	"tool": {"name": "create_refund"},
	"arguments": {"capture_id": "2GG279541U471931P", "amount": {"value": "25.00", "currency_code": "USD"}},
	"money": {"amount": "25.00", "currency": "USD", "payee": null, "source": "arguments"},
})

# METADATA
# title: A refund, handshaken
# description: The same after the handshake.
handshaken := object.union(refund, {"consent": {"handshake": {"satisfied": true, "age_s": 5}}})

# METADATA
# title: A confirmation that counts
# description: By somebody other than the caller, ten seconds ago.
confirmation := {"by": "human", "who": "ann", "assurance": "link", "at": now - 10, "view_hash": _hash}

# METADATA
# title: A refund, confirmed
# description: Handshaken and confirmed.
confirmed := object.union(handshaken, {"consent": {"confirmations": [confirmation]}})

# METADATA
# title: Patched
# description: The document with another value at a JSON pointer. The place is made if need be.
patched(document, path, value) := json.patch(document, [{"op": "add", "path": path, "value": value}])

# METADATA
# title: Without
# description: The document without the place at a JSON pointer.
without(document, path) := json.patch(document, [{"op": "remove", "path": path}])

_hash := "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
