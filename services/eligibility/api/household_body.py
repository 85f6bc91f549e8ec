"""The body of a determination: its shape, checked whole, every error at once and nothing of it echoed."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal, NotRequired, Required

import orjson
from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    PlainValidator,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
    with_config,
)
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from services.eligibility.domain import facts
from services.eligibility.domain.request import PROGRAMMES, DeterminationRequest
from services.shared.policy.expression import rate_of
from services.shared.runtime.body_errors import errors_of
from services.shared.runtime.logs import LONG_DIGITS
from services.shared.vocabulary.identifiers import InvalidIdentifier, parse_id_number
from services.shared.vocabulary.invalid_body import BodyError, InvalidBody
from services.shared.vocabulary.money import MAX_YUAN_DIGITS, NotMoney, fen_of
from services.shared.vocabulary.period import date_number
from services.shared.vocabulary.region import TABLE_OF, has_province, is_region_code, living_codes, place_of

MAX_BODY_BYTES = 1_000_000
MAX_MEMBERS, MAX_ITEMS = facts.MAX_MEMBERS, facts.MAX_ITEMS
MAX_ID_LENGTH = 64
MAX_OVERLAYS = 3
"""Packs that one simulation tries: the nation's, a province's and a city's."""
ID_NUMBERS = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)")

_SCHEMA = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)


def _error(code: str, zh: str, en: str) -> PydanticCustomError:
    return PydanticCustomError("body_error", "{en}", {"code": code, "zh": zh, "en": en})


# --- words -------------------------------------------------------------------------------------------------------


def _money(value: Any) -> int:
    try:
        return fen_of(value)
    except (NotMoney, TypeError):
        raise _money_error(value) from None


def _money_error(text: Any) -> PydanticCustomError:
    if isinstance(text, int | float):
        return _error(
            "money_is_a_number",
            '金额须写成字符串，如 "738.00"，不能写成数字',
            'money is a string such as "738.00", not a number',
        )
    if not isinstance(text, str):
        return _error("not_money", '金额须写成字符串，如 "738.00"', 'money is a string such as "738.00"')
    if text.startswith("-"):
        return _error("money_is_negative", "金额不能为负", "money may not be negative")
    if text.partition(".")[0].isdigit() and len(text.partition(".")[0]) > MAX_YUAN_DIGITS:
        zh, en = f"小数点前至多 {MAX_YUAN_DIGITS} 位", f"at most {MAX_YUAN_DIGITS} digits before the point"
        return _error("money_too_large", zh, en)
    return _error("not_money", '金额须为两位小数，如 "738.00"', 'money has two places, such as "738.00"')


def _day(value: Any) -> int:
    if isinstance(value, str) and len(value) == len("2026-03-01"):
        try:
            return date_number(date.fromisoformat(value))
        except ValueError:
            pass
    raise _error("not_a_date", "应为 ISO 8601 日期，如 2026-03-01", "must be an ISO 8601 date such as 2026-03-01")


def _region(value: Any) -> str:
    if not isinstance(value, str) or not is_region_code(value):
        raise _error(
            "region_not_six_digits",
            "应为六位数字的行政区划代码（GB/T 2260）",
            "must be six digits, a GB/T 2260 code",
        )
    if not has_province(value):
        raise _error("region_unknown_province", "前两位不是任何省级行政区", "the first two digits name no province")
    if place_of(value) is None:
        raise _error(
            "region_unknown",
            f"{TABLE_OF} 的行政区划代码表及此后变更中没有此代码，请核对，或写上一级的代码",
            f"is no place in the ministry's table of {TABLE_OF} or since: check it, or give the place above",
        )
    return value


def _ratio(value: Any) -> str:
    if isinstance(value, str):
        try:
            rate_of(value)
            return value
        except ValueError:
            pass
    raise _error("not_a_ratio", '应为字符串小数，如 "0.60"', 'must be a decimal string such as "0.60"')


def _yes_or_no(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise _error("not_a_boolean", "应为 true 或 false", "must be true or false")


def _count(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_ITEMS:
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and int(value[:4]) <= MAX_ITEMS:
        return int(value[:4])
    raise _error("not_a_count", f"应为 0 至 {MAX_ITEMS} 的整数", f"must be a whole number from 0 to {MAX_ITEMS}")


def _member_id(text: str) -> str:
    # It travels in answers, events and logs, where no person's number may stand.
    if LONG_DIGITS.search(text):
        raise _error(
            "member_id_is_a_number",
            "成员编号像证件号或电话号码，请用 m1 这样的编号",
            "looks like a person's number: name members by an id such as m1",
        )
    return text


def _free_text(text: str) -> str:
    # It is kept with the facts as it was sent, unsealed; a document's number may stand there, a person's may not.
    if any(map(_is_id_number, ID_NUMBERS.findall(text))):
        raise _error("text_holds_an_id_number", "文本中有公民身份号码，请删去", "holds an identity number: remove it")
    return text


def _is_id_number(text: str) -> bool:
    try:
        parse_id_number(text)
    except InvalidIdentifier:
        return False
    return True


def _word(read: Callable[[Any], Any], **schema: Any) -> Any:
    return (PlainValidator(read), WithJsonSchema(schema))


Money = Annotated[int, *_word(_money, type="string", pattern=r"^[0-9]{1,12}\.[0-9]{2}$", examples=["738.00"])]
Day = Annotated[int, *_word(_day, type="string", format="date")]
Region = Annotated[str, *_word(_region, type="string", pattern="^[0-9]{6}$", examples=["420100"])]
Ratio = Annotated[str, *_word(_ratio, type="string", examples=["0.60"])]
YesNo = Annotated[bool, *_word(_yes_or_no, enum=[True, False, "true", "false"])]
Count = Annotated[int, *_word(_count, type="integer", minimum=0, maximum=MAX_ITEMS)]
MemberId = Annotated[str, Field(min_length=1, max_length=MAX_ID_LENGTH), AfterValidator(_member_id)]
FreeText = Annotated[str, Field(max_length=300), AfterValidator(_free_text)]

# The codes are those of the facts that they become; mypy cannot read a Literal out of a tuple.
Relation = Literal[facts.RELATIONS]  # type: ignore[valid-type]
Employment = Literal[facts.EMPLOYMENTS]  # type: ignore[valid-type]
Category = Literal[(*facts.DISABILITIES, "multiple")]  # type: ignore[valid-type]
Circumstance = Literal[facts.CIRCUMSTANCES]  # type: ignore[valid-type]
IncomeKind = Literal[facts.INCOME_KINDS]  # type: ignore[valid-type]
ParentState = Literal[facts.PARENT_STATES]  # type: ignore[valid-type]
StudentLevel = Literal[facts.STUDENT_LEVELS]  # type: ignore[valid-type]
AbilityLevel = Literal[facts.ABILITY_LEVELS]  # type: ignore[valid-type]
BillKind = Literal[facts.BILL_KINDS]  # type: ignore[valid-type]
EventKind = Literal[facts.EVENT_KINDS]  # type: ignore[valid-type]
Status = Literal["dibao", "tekun", "dibao_margin", "rigid_expenditure"]
ProgrammeCode = Literal[PROGRAMMES]  # type: ignore[valid-type]


# --- shapes ------------------------------------------------------------------------------------------------------


@with_config(_SCHEMA)
class DisabilityComponent(TypedDict, total=False):
    """One of several disabilities of one person."""

    category: Category
    grade: Annotated[int, Field(ge=1, le=4)]


@with_config(_SCHEMA)
class Disability(TypedDict, total=False):
    """A certified disability; grade 1 is the worst. `multiple` may list its components."""

    category: Category
    grade: Annotated[int, Field(ge=1, le=4)]
    components: Annotated[list[DisabilityComponent], Field(max_length=MAX_ITEMS)]


@with_config(_SCHEMA)
class Student(TypedDict, total=False):
    """What a person studies."""

    level: StudentLevel
    full_time: bool


@with_config(_SCHEMA)
class Income(TypedDict, total=False):
    """One income after tax and contributions, yuan a month."""

    kind: Required[IncomeKind]
    monthly: Required[Money]


@with_config(_SCHEMA)
class Benefit(TypedDict, total=False):
    """Aid that is in payment."""

    programme: ProgrammeCode
    monthly: Money


@with_config(_SCHEMA)
class Supporter(TypedDict, total=False):
    """A person outside the household who owes support; income in yuan a head a month."""

    relation: Relation
    birth_date: Day
    disability: Disability | None
    employment: Employment
    per_capita_income: Money
    property_ok: bool
    benefits: Annotated[list[Benefit], Field(max_length=MAX_ITEMS)]
    circumstances: Annotated[list[Circumstance], Field(max_length=MAX_ITEMS)]
    legal_capacity: bool


@with_config(_SCHEMA)
class Parent(TypedDict, total=False):
    """A parent of a minor, since when in this state, and until when, where a term has an end."""

    state: ParentState
    since: Day
    until: Day


@with_config(_SCHEMA)
class Member(TypedDict, total=False):
    """A person of the household; an absent key is unknown."""

    id: Required[MemberId]
    relation: Relation
    birth_date: Day
    sex: Literal["male", "female"]
    disability: Disability | None
    serious_illness: bool
    work_ability: Literal["able", "partial", "none"]
    employment: Employment
    student: Student | None
    self_care_failures: Annotated[int, Field(ge=0, le=6)]
    care_arrangement: Literal["institution", "home"]
    needs_long_term_care: bool
    income: Annotated[list[Income], Field(max_length=MAX_ITEMS)]
    benefits: Annotated[list[Benefit], Field(max_length=MAX_ITEMS)]
    circumstances: Annotated[list[Circumstance], Field(max_length=MAX_ITEMS)]
    supporters: Annotated[list[Supporter], Field(max_length=MAX_MEMBERS)]
    parents: Annotated[list[Parent], Field(max_length=2)]
    work_injury_care_fee: bool
    ability_level: AbilityLevel


@with_config(_SCHEMA)
class Vehicle(TypedDict, total=False):
    """A vehicle of the household."""

    kind: Literal["car", "motorcycle", "disability_mobility", "farm"]


@with_config(_SCHEMA)
class Business(TypedDict, total=False):
    """A registered business of the household; capital in yuan."""

    registered_capital: Money


@with_config(_SCHEMA)
class Assets(TypedDict, total=False):
    """What the household owns."""

    financial: Money
    vehicles: Annotated[list[Vehicle], Field(max_length=MAX_ITEMS)]
    homes: Annotated[int, Field(ge=0, le=1_000)]
    non_residential: Annotated[int, Field(ge=0, le=1_000)]
    businesses: Annotated[list[Business], Field(max_length=MAX_ITEMS)]


@with_config(_SCHEMA)
class Spending(TypedDict, total=False):
    """Necessary spending over twelve months, yuan."""

    medical: Money
    education: Money
    rehabilitation: Money
    living: Money


@with_config(_SCHEMA)
class MedicalBill(TypedDict, total=False):
    """What stays with the patient after basic and critical-illness insurance, yuan."""

    member: MemberId
    in_policy_cost: Money
    kind: BillKind


@with_config(_SCHEMA)
class Household(TypedDict, total=False):
    """People who live together, and what they own and spend."""

    area_type: Literal["urban", "rural"]
    members: Required[Annotated[list[Member], Field(min_length=1, max_length=MAX_MEMBERS)]]
    assets: Assets
    spending_last_12_months: Spending
    medical_bill: MedicalBill
    recognised_as: Status


@with_config(_SCHEMA)
class Event(TypedDict, total=False):
    """Something that happened; `requested` in yuan for all of it."""

    kind: EventKind
    on: Day
    region: Region
    requested: Money
    persons: Annotated[int, Field(ge=1, le=1_000)]
    months: Annotated[int, Field(ge=1, le=120)]
    severity: Literal["light", "serious", "grave"]


@with_config(_SCHEMA)
class Origin(TypedDict, total=False):
    """Where a fact comes from; never needed for an answer."""

    pointer: FreeText
    as_of: Day
    source: FreeText
    assurance: Literal["verified", "declared", "inferred"]


@with_config(_SCHEMA)
class Parameters(TypedDict, total=False):
    """Figures and local rules to use in place of the packs', for a simulation."""

    dibao_standard: Money
    tekun_basic_standard: Money
    tekun_care_full: Money
    tekun_care_half: Money
    tekun_care_self: Money
    orphan_standard_scattered: Money
    orphan_standard_institution: Money
    margin_multiplier: Ratio
    minimum_wage: Money
    per_capita_disposable_income: Money
    rigid_ratio: Ratio
    rigid_comparator: Literal[">", ">="]
    work_cost_deduction: Money
    financial_asset_limit: Money
    small_advance_cap: Money
    temporary_aid_months_max: Count
    township_limit: Money
    disability_living_rate: Money
    disability_care_rate_1: Money
    disability_care_rate_2: Money
    disability_care_rate_3: Money
    disability_care_extension: Literal["none", "mental_3_4", "intellectual_mental_3", "intellectual_mental_3_4"]
    disability_living_extends_to_margin: YesNo
    old_age_allowance_80: Money
    elderly_care_subsidy_rate: Money
    single_person_amount_rule: Literal["full_standard", "standard_minus_income"]
    disregard_sibling_support: YesNo
    base_pension_counted: YesNo
    old_age_allowance_counted: YesNo
    imputed_maintenance_rule: Annotated[str, Field(max_length=MAX_ID_LENGTH)]
    medical_aid_rule: Annotated[str, Field(max_length=MAX_ID_LENGTH)]
    temporary_aid_rule: Annotated[str, Field(max_length=MAX_ID_LENGTH)]
    living_supplement_rule: Annotated[str, Field(max_length=MAX_ID_LENGTH)]


@with_config(_SCHEMA)
class PackOverlay(TypedDict, total=False):
    """A pack to try in place of the one for its place, as it lies in its folder: the text of each file by its name."""

    files: Required[Annotated[dict[str, str], Field(min_length=1)]]


@with_config(_SCHEMA)
class DeterminationBody(TypedDict, total=False):
    """The body of POST /eligibility/v1/determinations and of `doudi determine`."""

    as_of: Required[Day]
    region: Required[Region]
    household: Required[Household]
    events: NotRequired[Annotated[list[Event], Field(max_length=MAX_ITEMS)]]
    origins: NotRequired[Annotated[list[Origin], Field(max_length=10 * MAX_ITEMS)]]
    programmes: NotRequired[Annotated[list[ProgrammeCode], Field(min_length=1, max_length=MAX_ITEMS)]]
    parameters: NotRequired[Parameters]
    packs: NotRequired[Annotated[list[PackOverlay], Field(max_length=MAX_OVERLAYS)]]


_BODY: TypeAdapter[Any] = TypeAdapter(DeterminationBody)


def body_schema() -> dict[str, Any]:
    """The body's JSON schema, for the API's description."""
    return _BODY.json_schema(ref_template="#/components/schemas/{model}")


# --- reading -----------------------------------------------------------------------------------------------------


def parse_request(raw: bytes | Mapping[str, Any], *, may_try_packs: bool = False) -> DeterminationRequest:
    """The request in a body, as bytes of JSON or already parsed; packs to try are for who lays them over the others.

    Raises InvalidBody with every error found, each with its JSON pointer; what was sent is never repeated.
    """
    body = _validated(raw)
    if body.get("packs") and not may_try_packs:
        zh, en = "这里不能试用规则包，请改用 /simulations", "packs are tried by /simulations and doudi determine alone"
        raise InvalidBody((BodyError("/packs", "simulation_only", zh, en),))
    programmes, events = body.get("programmes"), body.get("events")
    return DeterminationRequest(
        as_of=date(body["as_of"] // 10_000, body["as_of"] // 100 % 100, body["as_of"] % 100),
        region=body["region"],
        household=body["household"],
        events=None if events is None else tuple(events),
        programmes=None if programmes is None else tuple(dict.fromkeys(programmes)),
        parameters=body.get("parameters", {}),
        origins=tuple(body.get("origins", ())),
        packs=tuple(overlay["files"] for overlay in body.get("packs", ())),
    )


def _validated(raw: bytes | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(raw, bytes) and len(raw) > MAX_BODY_BYTES:
        raise InvalidBody((_too_large(),))
    try:
        body: dict[str, Any] = _BODY.validate_json(raw) if isinstance(raw, bytes) else _BODY.validate_python(raw)
    except ValidationError as error:
        found = errors_of(error)
        raise InvalidBody((*found, *_other_errors(raw, found))) from None
    except RecursionError:
        raise InvalidBody((BodyError("", "too_deep", "嵌套过深", "is nested too deeply"),)) from None
    contradictions = tuple(_contradictions(body))
    if contradictions:
        raise InvalidBody(contradictions)
    return body


def _too_large() -> BodyError:
    zh = f"请求超过 {MAX_BODY_BYTES} 字节，请只发送一个家庭的情况"
    return BodyError("", "body_too_large", zh, f"is larger than {MAX_BODY_BYTES} bytes: send one household at a time")


def _other_errors(raw: bytes | Mapping[str, Any], found: tuple[BodyError, ...]) -> Iterator[BodyError]:
    """Contradictions in a body that is ill formed elsewhere, so that the sender sees everything at once."""
    try:
        sent = orjson.loads(raw) if isinstance(raw, bytes) else raw
    except orjson.JSONDecodeError:
        return
    pointers = {error.pointer for error in found}
    yield from (error for error in _contradictions(sent) if error.pointer not in pointers)


def _contradictions(body: Any) -> Iterator[BodyError]:
    """What is well formed alone and wrong together; parts of another form are passed over."""
    body = _object(body)
    household = _object(body.get("household"))
    members = [_object(member) for member in _objects(household, "members")]
    yield from _repeated_members(members)
    yield from _late_dates(body, members)
    yield from _divided_places(body)
    patient = _object(household.get("medical_bill")).get("member")
    if patient is not None and patient not in [member.get("id") for member in members]:
        yield BodyError(
            "/household/medical_bill/member", "no_such_member", "家庭中没有此成员", "names no member of the household"
        )


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Mapping[str, Any], key: str) -> list[Any]:
    items = value.get(key)
    return items if isinstance(items, list) else []


def _repeated_members(members: list[Mapping[str, Any]]) -> Iterator[BodyError]:
    seen: set[str] = set()
    heads = 0
    for index, member in enumerate(members):
        name = member.get("id")
        if isinstance(name, str):
            if name in seen:
                zh, en = "成员编号重复，每人一个编号", "repeats another member's id: give each person one of their own"
                yield BodyError(f"/household/members/{index}/id", "duplicate_member", zh, en)
            seen.add(name)
        if member.get("relation") == "head":
            heads += 1
            if heads > 1:
                zh, en = "一户只有一名户主", "is a second head: a household has one"
                yield BodyError(f"/household/members/{index}/relation", "two_heads", zh, en)


def _late_dates(body: Mapping[str, Any], members: list[Mapping[str, Any]]) -> Iterator[BodyError]:
    # Checked dates are numbers; in an ill-formed body they are still ISO texts, which order alike.
    as_of: Any = body.get("as_of")
    kind = type(as_of) if isinstance(as_of, int | str) else None
    for steps, day in _dates(body, members):
        if type(day) is kind and day > as_of:
            pointer = "".join(f"/{step}" for step in steps)
            yield BodyError(pointer, "date_after_as_of", "日期晚于 as_of，请核对日期", "is after as_of: check the date")


def _divided_places(body: Mapping[str, Any]) -> Iterator[BodyError]:
    told = body.get("as_of")
    try:
        # A checked date is a number; in an ill-formed body it is still a text. Both are ISO 8601.
        as_of = date.fromisoformat(str(told) if isinstance(told, int | str) else "")
    except ValueError:
        return
    places = [("/region", body.get("region"))]
    places += [(f"/events/{n}/region", _object(item).get("region")) for n, item in enumerate(_objects(body, "events"))]
    for pointer, region in places:
        living = living_codes(region, as_of) if isinstance(region, str) else ()
        if len(living) > 1:
            parts = [f"{place.code} {place.name}" for place in map(place_of, living) if place]
            zh, en = f"该地已拆分，请写其中一处：{'、'.join(parts)}", f"was divided: give one of {', '.join(parts)}"
            yield BodyError(pointer, "region_divided", zh, en)


def _dates(body: Mapping[str, Any], members: list[Mapping[str, Any]]) -> Iterator[tuple[Sequence[str | int], Any]]:
    """Each date and the steps of its pointer."""
    for index, member in enumerate(members):
        yield ("household", "members", index, "birth_date"), member.get("birth_date")
        for number, supporter in enumerate(_objects(member, "supporters")):
            at = ("household", "members", index, "supporters", number, "birth_date")
            yield at, _object(supporter).get("birth_date")
        for number, parent in enumerate(_objects(member, "parents")):
            yield ("household", "members", index, "parents", number, "since"), _object(parent).get("since")
    for index, event in enumerate(_objects(body, "events")):
        yield ("events", index, "on"), _object(event).get("on")
