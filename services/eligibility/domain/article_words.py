"""Spells in English which article or section of a Chinese instrument is cited."""

import re

DIGITS = "零一二三四五六七八九"
ROMAN = ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")
_NUMBER = "[零一二三四五六七八九十百]+"
_ARTICLE = re.compile(rf"第({_NUMBER})条(?:第({_NUMBER})款)?(?:第?（({_NUMBER})）项?)?")
_SECTION = re.compile(rf"({_NUMBER})(?:（({_NUMBER})）)?([0-9]+)?")


def article_in_english(article: str) -> str:
    """第二十二条 as Art. 22, 二（三）13 as II (3) 13; other ways of counting stay as they are."""
    if found := _ARTICLE.fullmatch(article):
        number, *parts = found.groups()
        return f"Art. {_number(number)}" + "".join(f"({_number(part)})" for part in parts if part)
    if found := _SECTION.fullmatch(article):
        section, part, item = found.groups()
        return " ".join(filter(None, (_roman(_number(section)), part and f"({_number(part)})", item)))
    return article


def _number(text: str) -> int:
    """一百二十 as 120, 十二 as 12."""
    hundreds, has_hundred, rest = text.rpartition("百")
    tens, has_ten, ones = rest.lstrip("零").rpartition("十")
    digits = [DIGITS.index(digit or default) for digit, default in ((hundreds, "一"), (tens, "一"), (ones, "零"))]
    return 100 * digits[0] * bool(has_hundred) + 10 * digits[1] * bool(has_ten) + digits[2]


def _roman(number: int) -> str:
    return "X" * (number // 10) + ROMAN[number % 10]
