# METADATA
# title: Site
# description: >-
#   The rules of the place where this runs. Ships empty, and stays as it is when the rest of the policy is replaced by a
#   newer one: a site's rules are files of their own beside this one, their reasons stand in site/data.yaml. They can
#   refuse, ask for the handshake, or ask for more people; nothing here can say allow, nor take back what another room says.
package gateway.site

# METADATA
# title: The site's file cannot be used
# description: Its reasons are no table, or a rule asks for a number of people that is no number.
codes contains "site.unusable" if not _usable

# METADATA
# title: How many people each rule asks for
# description: >-
#   `quorums contains 2 if ...` asks for two different people, whatever the class; who counts is said by consent/data.yaml,
#   for the classes 3 to 5 by its entry for class 2 unless they have their own. Nobody is asked for less than without.
quorums contains 0

# METADATA
# title: How many people
# description: The largest of what the site's rules ask for; 0 when they ask for nobody.
quorum := max([number | some number in quorums; is_number(number)])

# METADATA
# title: The handshake was made
# description: >-
#   For rules whose reason says `handshake`: such a rule holds only while this does not, or the call would never be sent.
handshaken if {
	handshake := input.consent.handshake
	handshake.satisfied == true
	is_number(handshake.age_s)
	handshake.age_s >= 0
	handshake.age_s <= data.gateway.consent.handshake.max_age_seconds
}

_usable if {
	is_object(data.gateway.site.reasons)
	every number in quorums {
		is_number(number)
	}
}
