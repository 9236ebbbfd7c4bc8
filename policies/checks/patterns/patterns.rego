# METADATA
# title: Patterns
# description: >-
#   Which patterns `arguments/data.yaml` may hold: those that RE2 and rego-cpp read alike, and that also a matcher which
#   backtracks, as rego-cpp does, matches in linear time. The embedded engine's loader (gateway/policy/patterns.py) says
#   the same; tests/policy/patterns.yaml holds the two against each other.
package checks.patterns

# METADATA
# title: Problems of a rule
# description: What is wrong with one rule of one tool; nothing if both engines can be trusted with it.
problems(rule) := {problem |
	some problem in array.concat(_of_pattern(object.get(rule, "pattern", `^$`)), _of_length(rule))
}

# METADATA
# title: Constructs
# description: >-
#   Whether a pattern has nothing in it that the engines read differently: no lookaround, back references, flags, lazy or
#   possessive repetitions, classes with a name, negated classes, escapes with a meaning, nothing beyond ASCII.
constructs(pattern) if {
	regex.match(_language, pattern)
	regex.is_valid(pattern)
	not regex.match(`\{0(?:,0)?\}`, pattern)
	every class in regex.find_n(_class, pattern, -1) {
		not regex.match(`&&|~~|\|\|`, class)
		not regex.match(sprintf(`^%s$`, [class]), `"`)
		not regex.match(sprintf(`^%s$`, [class]), `\`)
	}
}

# METADATA
# title: Fit for a rule
# description: The same for a pattern that stands in a rule, with alternatives and without anchors. Nothing without a limit.
fit_for_a_rule(pattern) if {
	bare := trim_suffix(trim_prefix(replace(replace(pattern, `\|`, `\.`), "|", ""), "^"), "$")
	plain := sprintf("^%s$", [bare])
	constructs(plain)
	not _unbounded(plain)
}

_char := `[ !#%&',\-/0-9:;<=>@A-Z_\x60a-z~]`

_escape := `\\[\^$.|?*+()\[\]{}\-/]`

_member := sprintf(`(?:%s|[ !#-,./-Z_\x60a-~])`, [_escape])

_class := sprintf(`(?:\[-?(?:%s(?:-%s)?)+-?\]|\[-\])`, [_member, _member])

_atom := sprintf(`(?:%s|%s|%s)`, [_escape, _class, _char])

_number := `(?:0|[1-9][0-9]{0,3})`

_item := sprintf(`%s(?:[?*+]|\{%s(?:,%s?)?\})?`, [_atom, _number, _number])

_language := sprintf(`^\^(?:%s|\((?:%s)+\)\??)*\$$`, [_item, _item])

_printable := split(" !#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~", "")

_most_unbounded := 2048

_of_pattern(pattern) := ["the engines do not read it alike"] if not constructs(pattern)

_of_pattern(pattern) := ["one text can be matched in two ways"] if {
	constructs(pattern)
	_ambiguous(_items(pattern))
}

_of_pattern(pattern) := [] if {
	constructs(pattern)
	not _ambiguous(_items(pattern))
}

default _of_length(_) := []

_of_length(rule) := ["max_length without a pattern"] if {
	rule.max_length
	not rule.pattern
}

_of_length(rule) := ["a repetition without a limit needs a max_length"] if {
	constructs(rule.pattern)
	_unbounded(rule.pattern)
	object.get(rule, "max_length", _most_unbounded + 1) > _most_unbounded
}

_unbounded(pattern) if {
	some item in _items(pattern)
	item.unbounded
}

# The atoms of a pattern in order: what each matches, how often, and in which group (0: none).
_items(pattern) := [_item_of(token, tokens, at) |
	tokens := regex.find_n(sprintf(`\)\??|\(|%s`, [_item]), substring(pattern, 1, count(pattern) - 2), -1)
	some at, token in tokens
	not token in {"(", ")", ")?"}
]

_item_of(token, tokens, at) := {
	"chars": _chars(atom),
	"skips": regex.match(`^(?:\?|\*|\{0)`, repetition),
	"repeats": regex.match(`^(?:[*+]|\{[0-9]+,\}|\{(?:[0-9]+,)?(?:[2-9]|[1-9][0-9]+)\})$`, repetition),
	"unbounded": regex.match(`^(?:\*|\+|\{[0-9]+,\})$`, repetition),
	"group": _group(tokens, at),
	"optional": _optional(tokens, at),
} if {
	atom := regex.find_n(sprintf(`^%s`, [_atom]), token, 1)[0]
	repetition := trim_prefix(token, atom)
}

_chars(atom) := {char |
	some char in _printable
	regex.match(sprintf(`^%s$`, [atom]), char)
}

_group(tokens, at) := opened if {
	opened := count([1 | some token in array.slice(tokens, 0, at); token == "("])
	opened > count([1 | some token in array.slice(tokens, 0, at); token in {")", ")?"}])
} else := 0

_optional(tokens, at) if {
	_group(tokens, at) > 0
	closing := [token | some token in array.slice(tokens, at, count(tokens)); token in {")", ")?"}]
	closing[0] == ")?"
} else := false

# After some place two different atoms could take the same character.
_ambiguous(items) if {
	some one, first in items
	some two, second in items
	one < two
	count(first.chars & second.chars) > 0
	some at in numbers.range(-1, one)
	_follows(items, at, one)
	_follows(items, at, two)
}

_follows(items, at, later) if {
	later == at
	items[at].repeats
}

_follows(items, at, later) if {
	later > at
	begun := {item.group | some index, item in items; index in {at, later}}
	every between in array.slice(items, at + 1, later) {
		_may_skip(between, begun)
	}
}

_may_skip(item, _) if item.skips

# A group that was not begun is skipped as a whole.
_may_skip(item, begun) if {
	item.optional
	not item.group in begun
}
