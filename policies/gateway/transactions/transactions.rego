# METADATA
# title: Transactions
# description: What the gateway has to know of a call that leaves, to carry it out once. The numbers are in data.yaml.
package gateway.transactions

# METADATA
# title: Objection to the lists
# description: Windows that cannot be read recognise nothing, and a call could be carried out twice.
objection := "transactions.unconfigured" if not _usable

# METADATA
# title: Duplicates
# description: How long an equal call is recognised, and what answers it. Undefined where the class has no entry.
duplicates(class) := data.gateway.transactions.windows[format_int(class, 10)]

# METADATA
# title: Replay
# description: >-
#   For how long a recovery may ask again with the same idempotency key. Only within the window in which an equal call of
#   the caller is not sent: otherwise the replay and a new call could both be carried out.
replay(class) := {"within_seconds": seconds} if {
	seconds := data.gateway.transactions.replayable[input.tool.name]
	seconds <= duplicates(class).window_seconds
}

_usable if {
	is_object(data.gateway.transactions.windows)
	is_object(data.gateway.transactions.replayable)
}
