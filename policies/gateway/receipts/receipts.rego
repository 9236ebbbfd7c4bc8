# METADATA
# title: Receipts
# description: Of which calls the gateway signs what became of them.
package gateway.receipts

# METADATA
# title: Due
# scope: document
# description: Whether a call of this class that ends in this way has a receipt. A list that cannot be read spares none.
due(class, "allow") if not _spared(class, data.gateway.receipts.executed)

due(class, "deny") if not _spared(class, data.gateway.receipts.refused)

_spared(class, list) if {
	is_array(list)
	not class in list
}
