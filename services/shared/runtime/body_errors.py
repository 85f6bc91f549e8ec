"""Pydantic's findings as body errors in Chinese and English, without what was sent."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from services.shared.runtime.logs import LONG_DIGITS, MASK
from services.shared.vocabulary.invalid_body import BodyError

MAX_ERRORS = 100
"""A body with more errors than this is not being corrected by hand."""

MAX_DEPTH = 20
WORD = re.compile(r"[A-Za-z0-9_.$\[\]/~-]{1,60}")

TEXTS: Mapping[str, tuple[str, str, str]] = {
    "missing": ("missing", "缺少此项，请补上", "is missing: add it"),
    "extra_forbidden": (
        "unknown_key",
        "没有这个键，请删去或核对拼写",
        "is not a known key: remove it or check its spelling",
    ),
    "string_type": ("not_a_string", "应为字符串", "must be a string"),
    "string_pattern_mismatch": ("wrong_form", "格式不对", "has the wrong form"),
    "string_too_short": ("too_short", "太短", "is too short"),
    "string_too_long": ("too_long", "太长", "is too long"),
    "bool_type": ("not_a_boolean", "应为 true 或 false", "must be true or false"),
    "int_type": ("not_an_integer", "应为整数", "must be a whole number"),
    "int_parsing": ("not_an_integer", "应为整数", "must be a whole number"),
    "string_unicode": ("not_unicode", "不是有效的 Unicode 文本", "is not valid Unicode text"),
    "int_from_float": ("not_an_integer", "应为整数", "must be a whole number"),
    "int_parsing_size": ("too_large", "超过允许的最大值", "is above the most allowed"),
    "greater_than": ("too_small", "低于允许的最小值", "is below the least allowed"),
    "less_than": ("too_large", "超过允许的最大值", "is above the most allowed"),
    "greater_than_equal": ("too_small", "低于允许的最小值", "is below the least allowed"),
    "less_than_equal": ("too_large", "超过允许的最大值", "is above the most allowed"),
    "literal_error": ("unknown_code", "不是规定的代码", "is not one of the codes"),
    "enum": ("unknown_code", "不是规定的代码", "is not one of the codes"),
    "date_type": ("not_a_date", "应为 ISO 8601 日期，如 2026-03-01", "must be an ISO 8601 date such as 2026-03-01"),
    "date_parsing": ("not_a_date", "应为 ISO 8601 日期，如 2026-03-01", "must be an ISO 8601 date such as 2026-03-01"),
    "date_from_datetime_parsing": ("not_a_date", "应为 ISO 8601 日期", "must be an ISO 8601 date"),
    "datetime_parsing": ("not_an_instant", "应为带时区的时刻", "must be an instant with its zone"),
    "timezone_aware": ("not_an_instant", "应为带时区的时刻", "must be an instant with its zone"),
    "json_invalid": ("not_json", "不是有效的 JSON", "is not valid JSON"),
    "too_short": ("too_few", "项数太少", "has too few items"),
    "too_long": ("too_many", "项数太多", "has too many items"),
    "list_type": ("not_a_list", "应为列表", "must be a list"),
    "model_type": ("not_an_object", "应为对象", "must be an object"),
    "model_attributes_type": ("not_an_object", "应为对象", "must be an object"),
    "dict_type": ("not_an_object", "应为对象", "must be an object"),
    "none_required": ("must_be_null", "此处只能为 null", "can only be null here"),
}
OTHER = ("wrong_value", "此项有误", "is wrong")


def errors_of(error: ValidationError) -> tuple[BodyError, ...]:
    """Each finding of `error` as a body error."""
    return errors_of_list(error.errors(include_url=False, include_input=False))


def errors_of_list(findings: Iterable[Mapping[str, Any]]) -> tuple[BodyError, ...]:
    """The same for the list of findings that FastAPI's RequestValidationError carries."""
    return tuple(_error_of(finding) for finding in list(findings)[:MAX_ERRORS])


def pointer_of(location: Iterable[str | int]) -> str:
    """A pydantic location as a JSON pointer (RFC 6901); FastAPI's leading "body" is left out."""
    parts = [str(part) for part in location]
    if parts[:1] == ["body"]:
        parts = parts[1:]
    return "".join("/" + _harmless(part).replace("~", "~0").replace("/", "~1") for part in parts[:MAX_DEPTH])


def _harmless(key: str) -> str:
    # A key is the sender's text too: it may be a person's name or number. Ours are all of this form.
    return LONG_DIGITS.sub(MASK, key) if WORD.fullmatch(key) else MASK


def _error_of(finding: Mapping[str, Any]) -> BodyError:
    # The place of a syntax error is a character's number, which is no place in the document.
    pointer = "" if finding["type"] == "json_invalid" else pointer_of(finding["loc"])
    if finding["type"] == "body_error":
        # A validator of ours names its own code and texts (PydanticCustomError's context).
        context = finding["ctx"]
        return BodyError(pointer, context["code"], context["zh"], context["en"])
    code, zh, en = TEXTS.get(finding["type"], OTHER)
    return BodyError(pointer, code, zh, en)
