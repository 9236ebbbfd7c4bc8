# METADATA
# title: Tier
# description: The four tiers of the handshake how-to, derived from the five classes in this one place.
package gateway.tier

# METADATA
# title: The tier of a class
# description: Undefined for anything that is not a class.
of(class) := _by_class[class - 1] if is_number(class)

_by_class := ["restricted", "restricted", "confidential", "internal", "public"]
