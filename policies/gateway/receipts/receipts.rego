# METADATA
# title: Receipts
# description: Of which calls the gateway signs what became of them.
package gateway.receipts

# METADATA
# title: Due
# scope: document
# description: Whether a call of this class that ends in this way has a receipt. A list that cannot be read spares none.
due(class, "allow") if class in data.gateway.receipts.executed

due(_, "allow") if not _executed_readable

due(class, "deny") if class in data.gateway.receipts.refused

due(_, "deny") if not _refused_readable

_executed_readable if is_array(data.gateway.receipts.executed)

_refused_readable if is_array(data.gateway.receipts.refused)
