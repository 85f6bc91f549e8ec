"""What counts as a well-formed identity number or bank card, and how each is shown masked."""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date

from stdnum.iso7064 import mod_11_2

ID_NUMBER_LENGTH = 18
# Longest text looked at: an identity number with every kind of spacing; anything longer is not one.
LONGEST_TEXT = 64
DEMO_ID_PREFIX = "99"

_ID_NUMBER = re.compile(r"[0-9]{17}[0-9X]")
_OLD_ID_NUMBER = re.compile(r"[0-9]{15}")
_SPREADSHEET_NUMBER = re.compile(r"[0-9](\.[0-9]+)?E\+?[0-9]{1,2}")
# ISO/IEC 7812-1: up to 19 digits; Chinese debit cards have 16 to 19, passbook accounts as few as 12.
_CARD = re.compile(r"[0-9]{12,19}")
_MASK = "*"


@dataclass(frozen=True, slots=True)
class IdentifierFault:
    """Why a text is not the identifier it claims to be, and what to do; never holds the text."""

    code: str
    zh: str
    en: str
    remedy_zh: str
    remedy_en: str


class InvalidIdentifier(ValueError):
    """The text is not a well-formed identifier; `fault` says why without repeating it."""

    def __init__(self, fault: IdentifierFault) -> None:
        super().__init__(fault.en)
        self.fault = fault


ID_NUMBER_LENGTH_WRONG = IdentifierFault(
    "id_number_length",
    "公民身份号码不是18位",
    "the identity number does not have 18 characters",
    "请按居民身份证填写18位号码",
    "give the 18 characters printed on the resident identity card",
)
ID_NUMBER_FIFTEEN_DIGITS = IdentifierFault(
    "id_number_fifteen_digits",
    "这是15位的旧身份证号码，已于2013年1月1日停止使用",
    "this is an identity number of the old form with 15 digits, out of use since 2013-01-01",
    "请改用18位公民身份号码",
    "give the person's number of 18 characters",
)
ID_NUMBER_DIGITS_LOST = IdentifierFault(
    "id_number_digits_lost",
    "号码被电子表格转成了科学计数法，后几位数字已丢失",
    "a spreadsheet turned the number into scientific notation; its last digits are lost",
    "请把该列设为文本格式，从原始数据重新导出",
    "set the column to text and export it again from the source",
)
ID_NUMBER_CHARACTERS = IdentifierFault(
    "id_number_characters",
    "公民身份号码应为17位数字加1位数字或X",
    "an identity number is 17 digits and a last digit or X",
    "请核对是否混入字母、符号或空格",
    "look for letters, signs or spaces in it",
)
ID_NUMBER_BIRTH_DATE = IdentifierFault(
    "id_number_birth_date",
    "公民身份号码第7至14位不是一个真实存在的日期",
    "characters 7 to 14 of the identity number are not a real date",
    "请按居民身份证核对号码",
    "compare the number with the resident identity card",
)
ID_NUMBER_CHECK_CHARACTER = IdentifierFault(
    "id_number_check_character",
    "公民身份号码的校验码不对，号码中有错",
    "the check character of the identity number is wrong, so the number has an error",
    "请按居民身份证核对号码，常见原因是输错或颠倒了一位",
    "compare the number with the card; one character is usually mistyped or two are swapped",
)
CARD_CHARACTERS = IdentifierFault(
    "card_characters",
    "银行账号应为12至19位数字",
    "a bank card or account number is 12 to 19 digits",
    "请按银行卡或存折核对账号",
    "compare the number with the bank card or passbook",
)


@dataclass(frozen=True, slots=True)
class IdNumber:
    """A citizen identity number that passed every check of GB 11643-1999; its text stays out of `repr`."""

    text: str = field(repr=False)
    born_on: date = field(repr=False)

    @property
    def is_demo(self) -> bool:
        """Whether it is of an impossible person (prefix 99 names no place); production refuses these."""
        return self.text.startswith(DEMO_ID_PREFIX)


def parse_id_number(text: str) -> IdNumber:
    """The identity number in its one spelling (18 ASCII characters, capital X), checked.

    Full-width digits, a small x and surrounding spaces are put right; nothing else is. Checks length, that the
    date of birth is a real date, and the check character (GB 11643-1999, ISO 7064 MOD 11-2). The place prefix is
    not checked: lists of past codes are incomplete, and a person keeps the number of a county that is gone.

    Raises `InvalidIdentifier` with the first fault found.
    """
    plain = _plain(text).upper()
    if not _ID_NUMBER.fullmatch(plain):
        raise InvalidIdentifier(_form_fault(plain))
    try:
        born_on = date(int(plain[6:10]), int(plain[10:12]), int(plain[12:14]))
    except ValueError:
        raise InvalidIdentifier(ID_NUMBER_BIRTH_DATE) from None
    if not mod_11_2.is_valid(plain):
        raise InvalidIdentifier(ID_NUMBER_CHECK_CHARACTER)
    return IdNumber(plain, born_on)


def id_number_with_check_character(first_seventeen: str) -> str:
    """The 17 digits with their check character (ISO 7064 MOD 11-2), as for demo people. Raises `ValueError`."""
    if not re.fullmatch("[0-9]{17}", first_seventeen):
        raise ValueError("17 digits are needed")
    return first_seventeen + mod_11_2.calc_check_digit(first_seventeen)


def parse_card(text: str) -> str:
    """The card or account number in its one spelling: 12 to 19 ASCII digits, spaces and hyphens dropped.

    No check digit is asked for, since passbook accounts have none. Raises `InvalidIdentifier`.
    """
    plain = _plain(text).replace(" ", "").replace("-", "")
    if not _CARD.fullmatch(plain):
        raise InvalidIdentifier(CARD_CHARACTERS)
    return plain


def mask_id_number(text: str) -> str:
    """First three and last four characters, the date of birth never: `990***********1234`; too short, all hidden."""
    return _masked(text, shown_first=3, shown_last=4)


def mask_card(text: str) -> str:
    """Last four digits: `************1234`; of a text under eight characters, none."""
    return _masked(text, shown_first=0, shown_last=4)


def mask_name(name: str) -> str:
    """First character, an asterisk for each other: `张**`; of a name of one character, none."""
    return _MASK * len(name) if len(name) < 2 else name[0] + _MASK * (len(name) - 1)


def _plain(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        return ""
    return unicodedata.normalize("NFKC", text).strip()


def _form_fault(plain: str) -> IdentifierFault:
    if _SPREADSHEET_NUMBER.fullmatch(plain):
        return ID_NUMBER_DIGITS_LOST
    if _OLD_ID_NUMBER.fullmatch(plain):
        return ID_NUMBER_FIFTEEN_DIGITS
    return ID_NUMBER_CHARACTERS if len(plain) == ID_NUMBER_LENGTH else ID_NUMBER_LENGTH_WRONG


def _masked(text: str, *, shown_first: int, shown_last: int) -> str:
    hidden = len(text) - shown_first - shown_last
    # What is shown is never most of the text.
    if hidden < shown_first + shown_last:
        return _MASK * len(text)
    return text[:shown_first] + _MASK * hidden + text[len(text) - shown_last :]
