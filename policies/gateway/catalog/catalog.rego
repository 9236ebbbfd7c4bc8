# METADATA
# title: Catalog
# description: >-
#   Is this the tool that was approved? The checks run in the order of the ETDI design (LLD-A 3.5): token, approval,
#   version, provider, permissions, and then the definition itself; the first that fails decides.
package gateway.catalog

import data.gateway.migration

# METADATA
# title: Objection to the tool
# description: What the migration phase softens does not end the checks. Nothing softens a change of an approved tool.
objection(tool, approval) := code if {
	code := _origin(tool)
	not migration.softens(tool, code)
} else := code if {
	code := _standing(approval)
	not migration.softens(tool, code)
} else := code if {
	is_object(approval)
	code := _change(tool, approval)
} else := code if {
	code := _first_use(tool, approval)
	not migration.softens(tool, code)
} else := "catalog.content_refused" if {
	_refused(tool)
}

# METADATA
# title: Softened
# description: The objections that the migration phase turns into warnings.
softened(tool, approval) := set() if {
	_verified(tool)
	is_object(approval)
} else := {code |
	some code in union({
		{c | c := _origin(tool)},
		{c | c := _standing(approval)},
		{c | c := _first_use(tool, approval)},
	})
	migration.softens(tool, code)
}

# Where it comes from. A wrong token or signature is worse than none: whatever is present must verify.
_origin(tool) := _unproven[tool.etdi.status] if not _verified(tool)

_unproven := {
	"verified": "catalog.unverified",
	"unverified": "catalog.unverified",
	"token_invalid": "catalog.token_invalid",
	"signature_invalid": "catalog.signature_invalid",
}

_verified(tool) if {
	tool.etdi.status == "verified"
	tool.etdi.evidence in data.gateway.catalog.accepted_evidence
}

# Whether somebody looked at it, and still stands by that.
_standing(approval) := "catalog.not_approved" if not is_object(approval)

# Its record was edited, put back, or sealed with a key that is not ours: what was decided, nobody knows.
else := "catalog.approval_void" if is_string(approval.void)

else := "catalog.approval_revoked" if not approval.revoked == false

else := "catalog.approval_expired" if not _unexpired(approval)

# Nobody approved it, and a phase lets that pass: then it is held to what was first seen of it (lesson: trust on first use
# is trust in that first definition, not in whatever follows).
_first_use(tool, approval) := "catalog.first_use_changed" if {
	not is_object(approval)
	tool.changed_since_first_use == true
}

# Whether it is still what was approved: another version (also an older one: rollback), somebody else's tool of the same
# name (squatting), more permissions, another definition under the same version (rug pull).
_change(tool, approval) := "catalog.version_changed" if not tool.version == approval.version

else := "catalog.provider_changed" if not tool.provider == approval.provider

else := "catalog.permissions_changed" if not _nothing_new(tool, approval)

else := "catalog.permission_not_approved" if not _permitted(tool, approval)

else := "catalog.definition_changed" if not tool.definition_hash == approval.definition_hash

# What the inspector found in the definition, where the operator wants that to count. A tool of which nothing is said is
# then one that nobody looked at.
_refused(tool) if not _readable(tool)

_readable(_) if data.gateway.catalog.refuse_content == []

_readable(tool) if {
	refused := data.gateway.catalog.refuse_content
	is_array(refused)
	severity := tool.content.severity
	severity in {"HIGH", "MEDIUM", "LOW", "NONE"}
	not severity in refused
}

_unexpired(approval) if approval.expires == null

_unexpired(approval) if {
	is_number(approval.expires)
	input.env.now < approval.expires
}

# Requested is compared with requested: whoever approved a part has seen the whole.
_nothing_new(tool, approval) if {
	every permission in tool.permissions {
		permission in approval.requested
	}
}

_permitted(tool, approval) if {
	every permission in _needs(tool) {
		permission in approval.approved
	}
}

# Approving a part of the permissions is of use only where it is known which ones a call needs.
_needs(tool) := object.get(
	data.gateway.catalog.needs,
	concat("/", [input.call.server, tool.name]),
	tool.permissions,
)
