"""Words that several services' bodies have: identity and card numbers, checked, never echoed when wrong."""

from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from services.shared.vocabulary.identifiers import InvalidIdentifier, parse_card, parse_id_number


def _well_formed(parse: Callable[[], str]) -> str:
    try:
        return parse()
    except InvalidIdentifier as error:
        fault = error.fault
        texts = {"code": fault.code, "zh": f"{fault.zh}，{fault.remedy_zh}", "en": f"{fault.en}: {fault.remedy_en}"}
        raise PydanticCustomError("body_error", "wrong identifier", texts) from None


IdNumber = Annotated[str, AfterValidator(lambda text: _well_formed(lambda: parse_id_number(text).text))]
"""An identity number (GB 11643) in its one spelling."""

CardNumber = Annotated[str, AfterValidator(lambda text: _well_formed(lambda: parse_card(text)))]
"""A bank card or account number in its one spelling."""
