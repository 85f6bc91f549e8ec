"""Places as GB/T 2260 codes: which are well formed, and which place lies in which."""

import re

NATION = "cn"
"""The jurisdiction above every province; not a GB/T 2260 code."""

# GB/T 2260, the first two digits: provinces, autonomous regions, municipalities, special administrative regions.
PROVINCES = frozenset(
    [
        "11",
        "12",
        "13",
        "14",
        "15",
        "21",
        "22",
        "23",
        "31",
        "32",
        "33",
        "34",
        "35",
        "36",
        "37",
        "41",
        "42",
        "43",
        "44",
        "45",
        "46",
        "50",
        "51",
        "52",
        "53",
        "54",
        "61",
        "62",
        "63",
        "64",
        "65",
        "71",
        "81",
        "82",
    ]
)

_SIX_DIGITS = re.compile("[0-9]{6}")


def is_region_code(text: str) -> bool:
    """Whether the text has the form of a GB/T 2260 code: six ASCII digits."""
    return _SIX_DIGITS.fullmatch(text) is not None


def has_province(code: str) -> bool:
    """Whether the code's first two digits are those of a province (counties are checked against dated lists later)."""
    return code[:2] in PROVINCES


def places_upwards(code: str) -> tuple[str, ...]:
    """The place itself, its prefecture, its province and the nation: ("530113", "530100", "530000", "cn")."""
    places = (code, code[:4] + "00", code[:2] + "0000", NATION)
    return tuple(dict.fromkeys(places))
