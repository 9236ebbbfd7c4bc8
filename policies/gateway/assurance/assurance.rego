# METADATA
# title: Assurance
# description: How strong the evidence is that a person stands behind an answer. The scale is in consent/data.yaml.
package gateway.assurance

# METADATA
# title: Rank
# description: The place on the scale, weakest first. Undefined for a kind that is not on it.
rank(kind) := index if {
	some index, name in data.gateway.consent.assurance
	name == kind
}
