"""The facts that rules may name, and how they are read from a request: absent is unknown, a given list is complete."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
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
STUDENT_LEVELS = (
    "kindergarten",
    "primary",
    "junior",
    "senior",
    "vocational",
    "junior_college",
    "undergraduate",
    "postgraduate",
)
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
                Fact.of("student_level", codes(NO_STUDENT, *STUDENT_LEVELS)),
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
                Fact.of("student_level", codes(NO_STUDENT, *STUDENT_LEVELS)),
                Fact.of("student_full_time", BOOL),
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
    assets = household.get("assets", _NOTHING)
    return (
        *_household(request),
        _members(household, presumed),
        True,
        *_list(assets, "vehicles", "household.assets", _vehicle),
        *_list(assets, "businesses", "household.assets", _business),
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


def _household(request: DeterminationRequest) -> Row:
    household = request.household
    return (
        *_values(household, ("area_type",), "household"),
        *_values(household.get("assets", _NOTHING), _ASSETS, "household.assets"),
        # Absent means that no status was confirmed, so every layer is tested.
        household.get("recognised_as", NO_STATUS),
        *_values(household.get("spending_last_12_months", _NOTHING), SPENDING, "household.spending_last_12_months"),
        *_asked(request.programmes),
    )


def _asked(programmes: Sequence[str] | None) -> Row:
    return _ALL if programmes is None else tuple(programme in programmes for programme in PROGRAMMES)


_NOTHING: Body = {}
_ASSETS = ("financial", "homes", "non_residential")
_ALL = (True,) * len(PROGRAMMES)


def _members(household: Body, presumed: Presumed) -> tuple[Row, ...]:
    members = household["members"]
    # Each is also a supporter of the others, so what is asked of anybody is read once.
    people = {member["id"]: _person(member, _path_of(member), "member", presumed) for member in members}
    return tuple(_member(member, household, people, presumed) for member in members)


def _path_of(member: Body) -> str:
    return f"household.members[{member['id']}]"


def _member(member: Body, household: Body, people: Mapping[str, Row], presumed: Presumed) -> Row:
    path = _path_of(member)
    return (
        *people[member["id"]],
        _relation(member, household, path),
        *_values(member, ("sex", "serious_illness"), path),
        *_student(member.get("student", _ABSENT), path),
        *_values(member, _ABILITIES, path),
        *_income(member, path),
        *_drawn(member, path, DRAWN_BY_MEMBERS),
        *_amounts_drawn(member, path),
        *_bill(member, household),
        _supporters(member, household, people, presumed),
        True if "supporters" in member else Unknown(f"{path}.supporters"),
        *_parents(member, household, people, path),
    )


_ABILITIES = (
    "self_care_failures",
    "care_arrangement",
    "needs_long_term_care",
    "work_injury_care_fee",
    "ability_level",
)


def _person(person: Body, path: str, entity: str, presumed: Presumed) -> Row:
    birth_date, employment = _values(person, ("birth_date", "employment"), path)
    return (
        birth_date,
        *_disability(person.get("disability", _ABSENT), f"{path}.disability"),
        employment,
        *_drawn(person, path, DRAWN),
        *_circumstances(person, path, entity, presumed),
        person.get("work_ability", IMPLIED),
    )


def _supporters(member: Body, household: Body, people: Mapping[str, Row], presumed: Presumed) -> tuple[Row, ...]:
    told = [
        _supporter(supporter, f"{_path_of(member)}.supporters[{index}]", presumed)
        for index, supporter in enumerate(member.get("supporters", ()))
    ]
    # Income and property of someone in the household are the household's, which rules compute; what they are to the
    # member no rule asks.
    kin = kin_of(member, household["members"])
    return (*told, *[(*people[other["id"]], *_in_household(other, owes)) for other, owes in kin])


def _in_household(other: Body, owes: Any) -> Row:
    return True, owes, 0, True, True, "other", *_student(other.get("student", _ABSENT), _path_of(other))


def _supporter(supporter: Body, path: str, presumed: Presumed) -> Row:
    capable = presumed.get(("supporter", "legal_capacity"), _ABSENT)
    return (
        *_person(supporter, path, "supporter", presumed),
        False,
        True,
        *_values(supporter, ("per_capita_income", "property_ok"), path),
        capable
        if capable is not _ABSENT and "legal_capacity" not in supporter
        else _value(supporter, "legal_capacity", path),
        _value(supporter, "relation", path),
        # Whether people outside the household go to school is nothing that a request tells.
        NO_STUDENT,
        False,
    )


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
        *_values(event, ("kind", "on", "requested"), path),
        event.get("persons", everyone),
        *_values(event, ("months", "severity"), path),
    )


# --- values --------------------------------------------------------------------------------------------------------

_ABSENT: Any = object()


def _value(body: Body, key: str, path: str) -> Any:
    value = body.get(key, _ABSENT)
    return Unknown(f"{path}.{key}") if value is _ABSENT else value


def _values(body: Body, keys: Sequence[str], path: str) -> list[Any]:
    return [body[key] if key in body else Unknown(f"{path}.{key}") for key in keys]


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


def _drawn(person: Body, path: str, programmes: Sequence[str]) -> Row:
    benefits = person.get("benefits")
    if not benefits:
        return ((False if benefits == [] else Unknown(f"{path}.benefits")),) * len(programmes)
    named = {item.get("programme") for item in benefits}
    unnamed = Unknown(f"{path}.benefits") if None in named else False
    return tuple(True if programme in named else unnamed for programme in programmes)


def _amounts_drawn(member: Body, path: str) -> Row:
    """What each kind of aid in payment comes to a month; 0 where none is drawn."""
    benefits = member.get("benefits")
    if not benefits or any("programme" not in item for item in benefits):
        return ((0 if benefits == [] else Unknown(f"{path}.benefits")),) * len(_AMOUNTS_DRAWN)
    return tuple(_amount_drawn(benefits, programme, path) for programme in _AMOUNTS_DRAWN)


def _amount_drawn(benefits: Sequence[Body], programme: str, path: str) -> Any:
    drawn = [item.get("monthly") for item in benefits if item["programme"] == programme]
    return Unknown(f"{path}.benefits") if None in drawn else sum(drawn)


_AMOUNTS_DRAWN = (*DRAWN, *DRAWN_BY_MEMBERS)


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


def _parents(member: Body, household: Body, people: Mapping[str, Row], path: str) -> tuple[Any, Any]:
    """The parents that were told; else those who are members, which are all where both are.

    Where one alone was told, the one parent who is a member is the other; of two members it is not told which.
    """
    told = tuple(
        [_told_parent(parent, f"{path}.parents[{index}]") for index, parent in enumerate(member.get("parents", ()))]
    )
    found = tuple(
        [_parent_in_household(parent, people[parent["id"]]) for parent in parents_of(member, household["members"])]
    )
    if "parents" not in member:
        return found, True if len(found) == BOTH_PARENTS else Unknown(f"{path}.parents")
    if len(told) != 1 or not found:
        return told, True
    return ((*told, *found), True) if len(found) == 1 else (told, Unknown(f"{path}.parents"))


def _told_parent(parent: Body, path: str) -> Row:
    dates = (_value(parent, "since", path), _value(parent, "until", path))
    return (_value(parent, "state", path), *dates, 0, 0, 0, False, *(False for _ in GONE))


def _parent_in_household(parent: Body, person: Row) -> Row:
    illness = _value(parent, "serious_illness", _path_of(parent))
    return (WITH_CHILD, LEAST_DATE, LEAST_DATE, *_GRADES_OF_PARENT(person), illness, *_GONE_OF_PARENT(person))


_POSITION = SCHEMA.by_name["member"].position
_GRADES_OF_PARENT = itemgetter(
    *(_POSITION[name] for name in ("disability_grade", "grade_intellectual", "grade_mental"))
)
_GONE_OF_PARENT = itemgetter(*(_POSITION[name] for name in GONE))


def _circumstances(person: Body, path: str, entity: str, presumed: Presumed) -> Row:
    given = person.get("circumstances", presumed.get((entity, "circumstances")))
    if not given:
        return ((False if given == [] else Unknown(f"{path}.circumstances")),) * len(CIRCUMSTANCES)
    return tuple(name in given for name in CIRCUMSTANCES)


def _student(student: Any, path: str) -> Sequence[Any]:
    if student is None:
        return NO_STUDENT, False
    if student is _ABSENT:
        return Unknown(f"{path}.student"), Unknown(f"{path}.student")
    return _value(student, "level", f"{path}.student"), _value(student, "full_time", f"{path}.student")


def _income(member: Body, path: str) -> Row:
    items = member.get("income")
    if not items:
        return ((0 if items == [] else Unknown(f"{path}.income")),) * len(INCOME_KINDS)
    sums = dict.fromkeys(INCOME_KINDS, 0)
    for item in items:
        sums[item["kind"]] += item["monthly"]
    return tuple(sums.values())
