"""Text that reads as other text is found; ordinary names are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.outcome.lookalike import has_lookalikes


@pytest.mark.parametrize(
    "text",
    [
        "p\u0430ypal",
        "\u0440\u0430ypal@example.com",
        "shop@p\u0430ypal.com",
        "\u0430\u0440\u0440\u04cf\u0435",  # a known company, all of it Cyrillic
        "\u039f\u03a1\u0391",
        "\uff50\uff41\uff59\uff50\uff41\uff4c",
        "\U0001d429\U0001d41a\U0001d432",
        "o\ufb03ce",
        "xn--pypal-4ve.com",
        "shop@XN--PYPAL-4VE.com",
        "A\u0561a",
    ],
)
def test_what_deceives_is_found(text: str) -> None:
    """Mixed alphabets, whole words of look-alikes, other characters for the same letters, encoded domains."""
    assert has_lookalikes(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "paypal",
        "M\u00fcller & S\u00f8n",
        "\u0418\u0432\u0430\u043d \u0438 \u041c\u0430\u0440\u0438\u044f",
        "\u0391\u03b8\u03ae\u03bd\u03b1",
        "\u6771\u4eacTower",
        "\u05d0\u05d1\u05d2 12",
        "caf\u00e9 \u2014 12\u20ac",
        "\u0430",
    ],
)
def test_ordinary_names_are_not(text: str) -> None:
    """So that the mark means something."""
    assert not has_lookalikes(text)


@given(st.text())
def test_any_text_is_looked_at(text: str) -> None:
    """And plain ASCII without an encoded label is never marked."""
    found = has_lookalikes(text)
    assert isinstance(found, bool)
    assert not (found and text.isascii() and "xn--" not in text.lower())
