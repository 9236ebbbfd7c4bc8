package gateway.site

# METADATA
# title: Notes carry no links
# description: >-
#   Notes, subjects and reasons are read by people outside, in mail that comes from PayPal: a link in one is a way to phish.
#   Not seen: a bare name without `www.` (evil.example).
codes contains "site.link_in_note" if {
	some place in _note_places
	text := object.get(input.arguments, place, null)
	is_string(text)
	small := lower(text)
	some part in _link_parts
	contains(small, part)
}

# What you change: where notes stand in the arguments, and what makes a link.
_note_places := [["note"], ["subject"], ["reason"], ["note_to_payer"], ["detail", "note"], ["detail", "reference"]]

_link_parts := ["://", "www.", "javascript:", "data:text"]
