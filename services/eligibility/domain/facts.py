"""The facts that rules may name, and how they are read from a request: absent is unknown, a given list is complete."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from services.eligibility.domain.kinship import BOTH_PARENTS, kin_of, parents_of
from services.eligibility.domain.request import PROGRAMMES, Body, DeterminationRequest
from services.shared.policy.open_value import Unknown
from services.shared.policy.pack import Presumption
from services.shared.policy.schema import BOOL, DATE, INT, LEAST_DATE, MONEY, Entity, Fact, Schema, codes

MAX_MEMBERS, MAX_ITEMS = 50, 100

RELATIONS = ("head", "spouse", "child", "parent", "grandparent", "grandchild", "sibling", "other")
EMPLOYMENTS = ("employed", "self_employed", "unemployed", "not_in_labour_force")
INCOME_KINDS = (
    "wage",
    "business",
    "property",
    "pension",
    "base_pension",
    "unemployment_benefit",
    "maintenance",
    "transfer",
    "special_care",
    "scholarship",
    "disability_subsidy",
    "old_age_allowance",
    "social_assistance",
    "childcare_subsidy",
    "other",
)
DISABILITIES = ("visual", "hearing", "speech", "physical", "intellectual", "mental")
CIRCUMSTANCES = ("imprisoned", "compulsory_rehabilitation", "missing", "clergy_apart", "deceased")
GONE = ("imprisoned", "compulsory_rehabilitation", "missing", "deceased")
"""Circumstances in which a parent who is a member cannot care for a child."""
DRAWN = ("dibao", "tekun", "dibao_single")
"""Aid in payment that a rule may ask for of anybody."""
DRAWN_BY_MEMBERS = (
    "orphan_allowance",
    "unsupported_child_allowance",
    "disability_living_subsidy",
    "disability_care_subsidy",
    "old_age_allowance",
    "elderly_care_subsidy",
    "living_supplement",
)
"""Further aid in payment that a rule may ask for of a member."""
PARENT_STATES = (
    "able",
    "dead",
    "missing",
    "imprisoned",
    "severely_disabled",
    "seriously_ill",
    "lost_contact",
    "guardianship_revoked",
    "deported",
    "compulsory_rehabilitation",
)
WITH_CHILD = "with_child"
"""The state of a parent who is a member: what is said of the member tells whether the parent can care."""
EVENT_KINDS = (
    "fire",
    "traffic_accident",
    "sudden_illness",
    "disaster",
    "medical_spending",
    "education_spending",
    "other",
)
VEHICLE_KINDS = ("motorcycle", "car", "disability_mobility", "farm")
SPENDING = ("medical", "education", "rehabilitation", "living")
BILL_KINDS = ("inpatient", "chronic_outpatient", "outpatient")
NO_BILL = "none"
ABILITY_LEVELS = ("intact", "mild", "moderate", "severe", "total")
NO_STATUS = "none"
NO_STUDENT = "none"
IMPLIED = "implied"
"""Work ability where there is no assessment: what age and disability imply."""

_GRADE = (0, 4)


def _person_facts() -> tuple[Fact, ...]:
    return (
        Fact.of("birth_date", DATE),
        Fact.of("disability_grade", INT, *_GRADE),
        *(Fact.of(f"grade_{name}", INT, *_GRADE) for name in DISABILITIES),
        Fact.of("employment", codes(*EMPLOYMENTS)),
        *(Fact.of(f"draws_{name}", BOOL) for name in DRAWN),
        *(Fact.of(name, BOOL) for name in CIRCUMSTANCES),
        Fact.of("work_ability", codes(IMPLIED, "able", "partial", "none")),
    )


SCHEMA = Schema(
    (
        Entity(
            "household",
            "households",
            None,
            (
                Fact.of("area_type", codes("urban", "rural")),
                Fact.of("financial", MONEY),
                Fact.of("homes", INT, 0, 1_000),
                Fact.of("non_residential", INT, 0, 1_000),
                Fact.of("recognised_as", codes(NO_STATUS, "dibao", "tekun", "dibao_margin", "rigid_expenditure")),
                *(Fact.of(f"spending_{name}", MONEY) for name in SPENDING),
                *(Fact.of(f"asked_{name}", BOOL) for name in PROGRAMMES),
            ),
        ),
        Entity(
            "member",
            "members",
            "household",
            (
                *_person_facts(),
                Fact.of("relation", codes(*RELATIONS)),
                Fact.of("sex", codes("male", "female")),
                Fact.of("serious_illness", BOOL),
                Fact.of(
                    "student_level",
                    codes(
                        NO_STUDENT,
                        "kindergarten",
                        "primary",
                        "junior",
                        "senior",
                        "vocational",
                        "junior_college",
                        "undergraduate",
                        "postgraduate",
                    ),
                ),
                Fact.of("student_full_time", BOOL),
                Fact.of("self_care_failures", INT, 0, 6),
                Fact.of("care_arrangement", codes("institution", "home")),
                Fact.of("needs_long_term_care", BOOL),
                Fact.of("work_injury_care_fee", BOOL),
                Fact.of("ability_level", codes(*ABILITY_LEVELS)),
                *(Fact.of(f"income_{kind}", MONEY) for kind in INCOME_KINDS),
                *(Fact.of(f"draws_{name}", BOOL) for name in DRAWN_BY_MEMBERS),
                *(Fact.of(f"drawn_{name}", MONEY) for name in (*DRAWN, *DRAWN_BY_MEMBERS)),
                Fact.of("bill_cost", MONEY),
                Fact.of("bill_kind", codes(NO_BILL, *BILL_KINDS)),
            ),
            MAX_MEMBERS,
            always_complete=True,
        ),
        Entity(
            "supporter",
            "supporters",
            "member",
            (
                *_person_facts(),
                Fact.of("in_household", BOOL),
                Fact.of("owes_support", BOOL),
                Fact.of("per_capita_income", MONEY),
                Fact.of("property_ok", BOOL),
                Fact.of("legal_capacity", BOOL),
                Fact.of("relation", codes(*RELATIONS)),
            ),
            2 * MAX_MEMBERS,
        ),
        Entity(
            "parent",
            "parents",
            "member",
            (
                Fact.of("state", codes(WITH_CHILD, *PARENT_STATES)),
                Fact.of("since", DATE),
                Fact.of("until", DATE),
                Fact.of("disability_grade", INT, *_GRADE),
                Fact.of("grade_intellectual", INT, *_GRADE),
                Fact.of("grade_mental", INT, *_GRADE),
                Fact.of("serious_illness", BOOL),
                *(Fact.of(name, BOOL) for name in GONE),
            ),
            2,
        ),
        Entity(
            "vehicle",
            "vehicles",
            "household",
            (Fact.of("kind", codes(*VEHICLE_KINDS)),),
            MAX_ITEMS,
        ),
        Entity("business", "businesses", "household", (Fact.of("registered_capital", MONEY),), MAX_ITEMS),
        Entity(
            "event",
            "events",
            "household",
            (
                Fact.of("kind", codes(*EVENT_KINDS)),
                Fact.of("on", DATE),
                Fact.of("requested", MONEY),
                Fact.of("persons", INT, 1, 1_000),
                Fact.of("months", INT, 1, 120),
                Fact.of("severity", codes("light", "serious", "grave")),
            ),
            MAX_ITEMS,
        ),
    )
)

Row = tuple[Any, ...]
Presumed = Mapping[tuple[str, str], Any]


def read_facts(request: DeterminationRequest, presumptions: Sequence[Presumption] = ()) -> Row:
    """The household as the rows that rules run over: facts in the order of SCHEMA, then the rows below."""
    presumed = {(item.entity, item.key): item.value for item in presumptions}
    household = request.household
    members = household["members"]
    return (
        *_household(request),
        tuple(_member(member, household, presumed) for member in members),
        True,
        *_list(household.get("assets", {}), "vehicles", "household.assets", _vehicle),
        *_list(household.get("assets", {}), "businesses", "household.assets", _business),
        *_events(request, presumed),
    )


def used_presumptions(
    request: DeterminationRequest, presumptions: Sequence[Presumption]
) -> Iterator[tuple[str, Presumption]]:
    """Each absent fact that a presumption stood in for, by its path."""
    for item in presumptions:
        for path, body in _bodies(request, item.entity):
            if item.key not in body:
                yield f"{path}{item.key}", item


def _bodies(request: DeterminationRequest, entity: str) -> Iterator[tuple[str, Body]]:
    if entity == "household":
        yield "", {} if request.events is None else {"events": request.events}
    for member in request.household["members"]:
        path = f"household.members[{member['id']}]"
        if entity == "member":
            yield f"{path}.", member
        elif entity == "supporter":
            for index, supporter in enumerate(member.get("supporters", ())):
                yield f"{path}.supporters[{index}].", supporter


# --- rows ----------------------------------------------------------------------------------------------------------


def _household(request: DeterminationRequest) -> Iterator[Any]:
    household = request.household
    assets = household.get("assets", {})
    yield _value(household, "area_type", "household")
    for key in ("financial", "homes", "non_residential"):
        yield _value(assets, key, "household.assets")
    # Absent means that no status was confirmed, so every layer is tested.
    yield household.get("recognised_as", NO_STATUS)
    spending = household.get("spending_last_12_months", {})
    for key in SPENDING:
        yield _value(spending, key, "household.spending_last_12_months")
    for programme in PROGRAMMES:
        yield request.programmes is None or programme in request.programmes


def _member(member: Body, household: Body, presumed: Presumed) -> Row:
    path = f"household.members[{member['id']}]"
    student = member.get("student", _ABSENT)
    return (
        *_person(member, path, "member", presumed),
        _relation(member, household, path),
        _value(member, "sex", path),
        _value(member, "serious_illness", path),
        *_student(student, path),
        _value(member, "self_care_failures", path),
        _value(member, "care_arrangement", path),
        _value(member, "needs_long_term_care", path),
        _value(member, "work_injury_care_fee", path),
        _value(member, "ability_level", path),
        *_income(member, path),
        *_drawn(member, path, DRAWN_BY_MEMBERS),
        *_amounts_drawn(member, path),
        *_bill(member, household),
        tuple(_supporters(member, household, path, presumed)),
        True if "supporters" in member else Unknown(f"{path}.supporters"),
        *_parents(member, household, path, presumed),
    )


def _person(person: Body, path: str, entity: str, presumed: Presumed) -> Iterator[Any]:
    yield _value(person, "birth_date", path)
    yield from _disability(person.get("disability", _ABSENT), f"{path}.disability")
    yield _value(person, "employment", path)
    yield from _drawn(person, path, DRAWN)
    yield from _circumstances(person, path, entity, presumed)
    yield person.get("work_ability", IMPLIED)


def _supporters(member: Body, household: Body, path: str, presumed: Presumed) -> Iterator[Row]:
    for index, supporter in enumerate(member.get("supporters", ())):
        at = f"{path}.supporters[{index}]"
        yield (
            *_person(supporter, at, "supporter", presumed),
            False,
            True,
            _value(supporter, "per_capita_income", at),
            _value(supporter, "property_ok", at),
            supporter.get(
                "legal_capacity", presumed.get(("supporter", "legal_capacity"), Unknown(f"{at}.legal_capacity"))
            ),
            _value(supporter, "relation", at),
        )
    for other, owes in kin_of(member, household["members"]):
        at = f"household.members[{other['id']}]"
        # Income and property of someone in the household are the household's, which rules compute; what they are to
        # the member no rule asks.
        yield *_person(other, at, "member", presumed), True, owes, 0, True, True, "other"


def _relation(member: Body, household: Body, path: str) -> Any:
    if "relation" not in member and len(household["members"]) == 1:
        return "head"
    return _value(member, "relation", path)


def _vehicle(vehicle: Body, path: str) -> Row:
    return (_value(vehicle, "kind", path),)


def _business(business: Body, path: str) -> Row:
    return (_value(business, "registered_capital", path),)


def _events(request: DeterminationRequest, presumed: Presumed) -> tuple[Any, Any]:
    if request.events is None:
        complete = True if presumed.get(("household", "events")) == [] else Unknown("events")
        return (), complete
    everyone = len(request.household["members"])
    return tuple(_event(event, f"events[{index}]", everyone) for index, event in enumerate(request.events)), True


def _event(event: Body, path: str, everyone: int) -> Row:
    return (
        _value(event, "kind", path),
        _value(event, "on", path),
        _value(event, "requested", path),
        event.get("persons", everyone),
        _value(event, "months", path),
        _value(event, "severity", path),
    )


# --- values --------------------------------------------------------------------------------------------------------

_ABSENT: Any = object()


def _value(body: Body, key: str, path: str) -> Any:
    value = body.get(key, _ABSENT)
    return Unknown(f"{path}.{key}") if value is _ABSENT else value


def _list(body: Body, key: str, path: str, read: Callable[[Body, str], Row]) -> tuple[Any, Any]:
    if key not in body:
        return (), Unknown(f"{path}.{key}")
    return tuple(read(item, f"{path}.{key}[{index}]") for index, item in enumerate(body[key])), True


def _disability(disability: Any, path: str) -> Sequence[Any]:
    """The worst grade of all, then the grade in each category; 0 where there is none."""
    if disability is None:
        return _NO_DISABILITY
    if disability is _ABSENT:
        return (Unknown(path),) * (1 + len(DISABILITIES))
    grade, category = _value(disability, "grade", path), disability.get("category")
    if category is None:
        return (grade, *(Unknown(f"{path}.category") for _ in DISABILITIES))
    if category == "multiple":
        return grade, *_components(disability, path)
    return (grade, *(grade if category == name else 0 for name in DISABILITIES))


_NO_DISABILITY = (0,) * (1 + len(DISABILITIES))


def _components(disability: Body, path: str) -> Iterator[Any]:
    components = disability.get("components")
    for name in DISABILITIES:
        if components is None or any("category" not in item for item in components):
            yield Unknown(f"{path}.components")
            continue
        grades = [item.get("grade", _ABSENT) for item in components if item["category"] == name]
        yield Unknown(f"{path}.components") if _ABSENT in grades else min(grades, default=0)


def _drawn(person: Body, path: str, programmes: Sequence[str]) -> Iterator[Any]:
    benefits = person.get("benefits")
    if benefits is None:
        yield from (Unknown(f"{path}.benefits") for _ in programmes)
        return
    named = {item.get("programme") for item in benefits}
    for programme in programmes:
        unnamed = programme not in named and None in named
        yield Unknown(f"{path}.benefits") if unnamed else programme in named


def _amounts_drawn(member: Body, path: str) -> Iterator[Any]:
    """What each kind of aid in payment comes to a month; 0 where none is drawn."""
    benefits = member.get("benefits")
    for programme in (*DRAWN, *DRAWN_BY_MEMBERS):
        if benefits is None:
            yield Unknown(f"{path}.benefits")
            continue
        drawn = [item.get("monthly") for item in benefits if item.get("programme", programme) == programme]
        unnamed = any("programme" not in item for item in benefits)
        yield Unknown(f"{path}.benefits") if unnamed or None in drawn else sum(drawn)


def _bill(member: Body, household: Body) -> tuple[Any, Any]:
    """The cost and kind of the household's medical bill, where the member is the patient."""
    bill = household.get("medical_bill")
    if bill is None:
        return Unknown("household.medical_bill"), Unknown("household.medical_bill")
    patient = member["id"] if len(household["members"]) == 1 else bill.get("member")
    if patient is None:
        return Unknown("household.medical_bill.member"), Unknown("household.medical_bill.member")
    if patient != member["id"]:
        return 0, NO_BILL
    return _value(bill, "in_policy_cost", "household.medical_bill"), _value(bill, "kind", "household.medical_bill")


def _parents(member: Body, household: Body, path: str, presumed: Presumed) -> tuple[Any, Any]:
    """The parents that were told; else those who are members, which are all where both are.

    Where one alone was told, the one parent who is a member is the other; of two members it is not told which.
    """
    told = tuple(
        _told_parent(parent, f"{path}.parents[{index}]") for index, parent in enumerate(member.get("parents", ()))
    )
    found = tuple(_parent_in_household(parent, presumed) for parent in parents_of(member, household["members"]))
    if "parents" not in member:
        return found, True if len(found) == BOTH_PARENTS else Unknown(f"{path}.parents")
    if len(told) != 1 or not found:
        return told, True
    return ((*told, *found), True) if len(found) == 1 else (told, Unknown(f"{path}.parents"))


def _told_parent(parent: Body, path: str) -> Row:
    dates = (_value(parent, "since", path), _value(parent, "until", path))
    return (_value(parent, "state", path), *dates, 0, 0, 0, False, *(False for _ in GONE))


def _parent_in_household(parent: Body, presumed: Presumed) -> Row:
    path = f"household.members[{parent['id']}]"
    grade, *grades = _disability(parent.get("disability", _ABSENT), f"{path}.disability")
    by_category = dict(zip(DISABILITIES, grades, strict=True))
    circumstances = dict(zip(CIRCUMSTANCES, _circumstances(parent, path, "member", presumed), strict=True))
    return (
        WITH_CHILD,
        LEAST_DATE,
        LEAST_DATE,
        grade,
        by_category["intellectual"],
        by_category["mental"],
        _value(parent, "serious_illness", path),
        *(circumstances[name] for name in GONE),
    )


def _circumstances(person: Body, path: str, entity: str, presumed: Presumed) -> Iterator[Any]:
    given = person.get("circumstances", presumed.get((entity, "circumstances")))
    for name in CIRCUMSTANCES:
        yield Unknown(f"{path}.circumstances") if given is None else name in given


def _student(student: Any, path: str) -> Sequence[Any]:
    if student is None:
        return NO_STUDENT, False
    if student is _ABSENT:
        return Unknown(f"{path}.student"), Unknown(f"{path}.student")
    return _value(student, "level", f"{path}.student"), _value(student, "full_time", f"{path}.student")


def _income(member: Body, path: str) -> Iterator[Any]:
    items = member.get("income")
    if items is None:
        yield from (Unknown(f"{path}.income") for _ in INCOME_KINDS)
        return
    sums = dict.fromkeys(INCOME_KINDS, 0)
    for item in items:
        sums[item["kind"]] += item["monthly"]
    yield from sums.values()
