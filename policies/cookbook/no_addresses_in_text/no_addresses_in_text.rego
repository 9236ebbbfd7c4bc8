package gateway.site

# METADATA
# scope: rule
# title: Texts carry no mail addresses
# description: >-
#   An address in the text of an invoice, an order or a refund tells the payer to go on elsewhere ("pay to ...@..."), or
#   takes one customer's address to another.
codes contains "site.address_in_text" if {
	some place in _text_places
	text := object.get(input.arguments, place, null)
	is_string(text)
	contains(text, "@")
}

codes contains "site.address_in_text" if {
	some item in input.arguments.items
	some member in _item_texts
	text := object.get(item, member, null)
	is_string(text)
	contains(text, "@")
}

# What you change: where texts for people outside stand in the arguments, and in each of its items.
_text_places := [["note"], ["subject"], ["note_to_payer"], ["description"], ["detail", "note"], ["detail", "reference"]]

_item_texts := ["name", "description"]
