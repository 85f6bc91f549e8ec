"""The facts that rules may name, and how they are read from a request: absent is unknown, a given list is complete."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

from services.eligibility.domain.kinship import BOTH_PARENTS, kin_of, parents_of
from services.eligibility.domain.request import PROGRAMMES, Body, DeterminationRequest
from services.shared.policy.open_value import Unknown
from services.shared.policy.pack import Presumption
from services.shared.policy.schema import BOOL, DATE, INT, LEAST_DATE, MONEY, Entity, Fact, Schema, codes

MAX_MEMBERS, MAX_ITEMS = 50, 100
MAX_REMEMBERED = 1_000
"""People, by their paths, for whom what is not told of one is kept; most requests name theirs alike."""

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
        *_household(household, assets),
        *_asked(request.programmes),
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


def _untold(path: str, keys: Sequence[str]) -> Body:
    """What stands for each key that a body at the path does not tell: put below the body, every key has its value."""
    return {key: Unknown(f"{path}.{key}") for key in keys}


_NOTHING: Body = {}
_ASSETS = ("financial", "homes", "non_residential")
_UNTOLD_HOUSEHOLD: Body = {
    **_untold("household", ("area_type",)),
    # Absent means that no status was confirmed, so every layer is tested.
    "recognised_as": NO_STATUS,
}
_UNTOLD_ASSETS = _untold("household.assets", _ASSETS)
_UNTOLD_SPENDING = _untold("household.spending_last_12_months", SPENDING)
_ASSETS_OF, _SPENDING_OF = itemgetter(*_ASSETS), itemgetter(*SPENDING)
_ALL = (True,) * len(PROGRAMMES)


def _household(household: Body, assets: Body) -> Row:
    told = {**_UNTOLD_HOUSEHOLD, **household}
    return (
        told["area_type"],
        *_ASSETS_OF({**_UNTOLD_ASSETS, **assets}),
        told["recognised_as"],
        *_SPENDING_OF({**_UNTOLD_SPENDING, **household.get("spending_last_12_months", _NOTHING)}),
    )


def _asked(programmes: Sequence[str] | None) -> Row:
    return _ALL if programmes is None else tuple(programme in programmes for programme in PROGRAMMES)


def _members(household: Body, presumed: Presumed) -> tuple[Row, ...]:
    members = household["members"]
    # Each is also a supporter of the others, so each is read once.
    people = {member["id"]: _read_member(member, household, presumed) for member in members}
    supporters = {name: _in_household(facts, True) for name, facts in people.items()} if len(members) > 1 else {}
    return tuple([_member(member, members, people, supporters, presumed) for member in members])


def _member(
    member: Body,
    members: Sequence[Body],
    people: Mapping[str, list[Any]],
    supporters: Mapping[str, Row],
    presumed: Presumed,
) -> Row:
    kin = [
        supporters[other["id"]] if owes is True else _in_household(people[other["id"]], owes)
        for other, owes in kin_of(member, members)
    ]
    return (
        *people[member["id"]],
        (*_supporters_told(member, presumed), *kin),
        True if "supporters" in member else Unknown(f"{_path_of(member)}.supporters"),
        *_parents(member, members, people),
    )


def _path_of(member: Body) -> str:
    return f"household.members[{member['id']}]"


def _read_member(member: Body, household: Body, presumed: Presumed) -> list[Any]:
    path = _path_of(member)
    facts = list(_untold_person("member", path))
    _put(facts, member, path, _MEMBER)
    if "circumstances" not in member and ("member", "circumstances") in presumed:
        _put_circumstances(facts, presumed["member", "circumstances"], path)
    if "relation" not in member and len(household["members"]) == 1:
        facts[_AT["relation"]] = "head"
    if "medical_bill" in household:
        facts[_BILL] = _bill(member, household)
    return facts


def _supporters_told(member: Body, presumed: Presumed) -> Sequence[Row]:
    told = member.get("supporters")
    if not told:
        return ()
    path = f"{_path_of(member)}.supporters"
    return [_supporter(supporter, f"{path}[{index}]", presumed) for index, supporter in enumerate(told)]


def _in_household(other: list[Any], owes: Any) -> Row:
    # Income and property of someone in the household are the household's, which rules compute; what they are to the
    # member no rule asks.
    return (*other[:_PERSON_FACTS], True, owes, 0, True, True, "other", *other[_STUDENT])


def _supporter(supporter: Body, path: str, presumed: Presumed) -> Row:
    facts = list(_untold_person("supporter", path))
    _put(facts, supporter, path, _SUPPORTER)
    if "circumstances" not in supporter and ("supporter", "circumstances") in presumed:
        _put_circumstances(facts, presumed["supporter", "circumstances"], path)
    if "legal_capacity" not in supporter and ("supporter", "legal_capacity") in presumed:
        facts[_LEGAL_CAPACITY] = presumed["supporter", "legal_capacity"]
    return tuple(facts)


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


_EVENT = ("kind", "on", "requested", "months", "severity")
_EVENT_OF = itemgetter("kind", "on", "requested", "persons", "months", "severity")


def _event(event: Body, path: str, everyone: int) -> Row:
    return _EVENT_OF({**_untold(path, _EVENT), "persons": everyone, **event})


# --- values --------------------------------------------------------------------------------------------------------


def _value(body: Body, key: str, path: str) -> Any:
    return body[key] if key in body else Unknown(f"{path}.{key}")


def _list(body: Body, key: str, path: str, read: Callable[[Body, str], Row]) -> tuple[Any, Any]:
    if key not in body:
        return (), Unknown(f"{path}.{key}")
    return tuple([read(item, f"{path}.{key}[{index}]") for index, item in enumerate(body[key])]), True


_BILL_UNKNOWN = (Unknown("household.medical_bill"),) * 2
_PATIENT_UNKNOWN = (Unknown("household.medical_bill.member"),) * 2
_NOT_THE_PATIENT = (0, NO_BILL)


def _bill(member: Body, household: Body) -> tuple[Any, Any]:
    """The cost and kind of the household's medical bill, where the member is the patient."""
    bill = household["medical_bill"]
    patient = member["id"] if len(household["members"]) == 1 else bill.get("member")
    if patient is None:
        return _PATIENT_UNKNOWN
    if patient != member["id"]:
        return _NOT_THE_PATIENT
    return _value(bill, "in_policy_cost", "household.medical_bill"), _value(bill, "kind", "household.medical_bill")


def _parents(member: Body, members: Sequence[Body], people: Mapping[str, list[Any]]) -> tuple[Any, Any]:
    """The parents that were told; else those who are members, which are all where both are.

    Where one alone was told, the one parent who is a member is the other; of two members it is not told which.
    """
    parents = parents_of(member, members)
    path = f"{_path_of(member)}.parents"
    if "parents" not in member:
        found = tuple([_parent_in_household(people[parent["id"]]) for parent in parents])
        return found, True if len(found) == BOTH_PARENTS else Unknown(path)
    told = tuple([_told_parent(parent, f"{path}[{index}]") for index, parent in enumerate(member["parents"])])
    if len(told) != 1 or not parents:
        return told, True
    if len(parents) > 1:
        return told, Unknown(path)
    return (*told, _parent_in_household(people[parents[0]["id"]])), True


def _told_parent(parent: Body, path: str) -> Row:
    dates = (_value(parent, "since", path), _value(parent, "until", path))
    return (_value(parent, "state", path), *dates, 0, 0, 0, False, *(False for _ in GONE))


def _parent_in_household(parent: Sequence[Any]) -> Row:
    return (WITH_CHILD, LEAST_DATE, LEAST_DATE, *_OF_PARENT(parent))


# --- people --------------------------------------------------------------------------------------------------------
#
# The row of a person begins as that of one of whom nothing is told; then each key of the body is put in its place.

_AT = SCHEMA.by_name["member"].position
_PERSON_FACTS = len(_person_facts())
"""So many facts are asked of members and supporters alike, in the same places."""


def _places(first: str, count: int) -> slice:
    return slice(_AT[first], _AT[first] + count)


_LEGAL_CAPACITY = SCHEMA.by_name["supporter"].position["legal_capacity"]
_GRADES = _places("disability_grade", 1 + len(DISABILITIES))
_DRAWN = _places(f"draws_{DRAWN[0]}", len(DRAWN))
_DRAWN_BY_MEMBERS = _places(f"draws_{DRAWN_BY_MEMBERS[0]}", len(DRAWN_BY_MEMBERS))
_AMOUNTS = _places(f"drawn_{DRAWN[0]}", len(DRAWN) + len(DRAWN_BY_MEMBERS))
_CIRCUMSTANCES = _places(CIRCUMSTANCES[0], len(CIRCUMSTANCES))
_STUDENT = _places("student_level", 2)
_INCOME = _places(f"income_{INCOME_KINDS[0]}", len(INCOME_KINDS))
_BILL = _places("bill_cost", 2)

_KEYS = {
    **dict.fromkeys(("disability_grade", *(f"grade_{name}" for name in DISABILITIES)), "disability"),
    **{f"draws_{name}": "benefits" for name in (*DRAWN, *DRAWN_BY_MEMBERS)},
    **{f"drawn_{name}": "benefits" for name in (*DRAWN, *DRAWN_BY_MEMBERS)},
    **dict.fromkeys(CIRCUMSTANCES, "circumstances"),
    **dict.fromkeys(("student_level", "student_full_time"), "student"),
    **{f"income_{kind}": "income" for kind in INCOME_KINDS},
}
"""The key of a person's body that tells a fact, where that is not of the fact's name."""


@lru_cache(maxsize=MAX_REMEMBERED)
def _untold_person(entity: str, path: str) -> Row:
    facts: list[Any] = [Unknown(f"{path}.{_KEYS.get(fact.name, fact.name)}") for fact in SCHEMA.by_name[entity].facts]
    facts[_AT["work_ability"]] = IMPLIED
    if entity == "member":
        facts[_BILL] = _BILL_UNKNOWN
    else:
        facts[_PERSON_FACTS : _PERSON_FACTS + 2] = False, True
        # Whether people outside the household go to school is nothing that a request tells.
        facts[-2:] = _NOT_A_STUDENT
    return tuple(facts)


Put = Callable[[list[Any], Any, str], None]
"""Puts the value of a key of a person's body in its places of the row; the path is the person's."""


def _put(facts: list[Any], body: Body, path: str, places: Mapping[str, int | Put]) -> None:
    for key, value in body.items():
        place: Any = places.get(key)
        if type(place) is int:
            facts[place] = value
        elif place is not None:
            place(facts, value, path)


_NO_DISABILITY = (0,) * (1 + len(DISABILITIES))


def _put_disability(facts: list[Any], disability: Body | None, path: str) -> None:
    """The worst grade of all, then the grade in each category; 0 where there is none."""
    facts[_GRADES] = _NO_DISABILITY if disability is None else _grades(disability, f"{path}.disability")


def _grades(disability: Body, path: str) -> Row:
    grade, category = _value(disability, "grade", path), disability.get("category")
    if category is None:
        return (grade, *(Unknown(f"{path}.category"),) * len(DISABILITIES))
    if category == "multiple":
        return grade, *_components(disability, f"{path}.components")
    return (grade, *[grade if category == name else 0 for name in DISABILITIES])


def _components(disability: Body, path: str) -> Iterator[Any]:
    components = disability.get("components")
    for name in DISABILITIES:
        if components is None or any("category" not in item for item in components):
            yield Unknown(path)
            continue
        grades = [item.get("grade") for item in components if item["category"] == name]
        yield Unknown(path) if None in grades else min(grades, default=0)


_DRAWS_NOTHING = (False,) * len(DRAWN)
_MEMBER_DRAWS_NOTHING = (False,) * len(DRAWN_BY_MEMBERS)
_NO_AMOUNTS = (0,) * (len(DRAWN) + len(DRAWN_BY_MEMBERS))


def _put_benefits(facts: list[Any], benefits: Sequence[Body], path: str) -> None:
    facts[_DRAWN] = _drawn(benefits, path, DRAWN) if benefits else _DRAWS_NOTHING


def _put_benefits_of_member(facts: list[Any], benefits: Sequence[Body], path: str) -> None:
    """What is drawn, and what each kind of aid in payment comes to a month; 0 where none is drawn."""
    if benefits:
        facts[_DRAWN] = _drawn(benefits, path, DRAWN)
        facts[_DRAWN_BY_MEMBERS] = _drawn(benefits, path, DRAWN_BY_MEMBERS)
        facts[_AMOUNTS] = [_amount_drawn(benefits, programme, path) for programme in (*DRAWN, *DRAWN_BY_MEMBERS)]
    else:
        facts[_DRAWN], facts[_DRAWN_BY_MEMBERS], facts[_AMOUNTS] = _DRAWS_NOTHING, _MEMBER_DRAWS_NOTHING, _NO_AMOUNTS


def _drawn(benefits: Sequence[Body], path: str, programmes: Sequence[str]) -> Sequence[Any]:
    named = {item.get("programme") for item in benefits}
    unnamed = Unknown(f"{path}.benefits") if None in named else False
    return [True if programme in named else unnamed for programme in programmes]


def _amount_drawn(benefits: Sequence[Body], programme: str, path: str) -> Any:
    if any("programme" not in item for item in benefits):
        return Unknown(f"{path}.benefits")
    drawn = [item.get("monthly") for item in benefits if item["programme"] == programme]
    return Unknown(f"{path}.benefits") if None in drawn else sum(drawn)


_NO_CIRCUMSTANCES = (False,) * len(CIRCUMSTANCES)


def _put_circumstances(facts: list[Any], given: Sequence[str], _: str) -> None:
    facts[_CIRCUMSTANCES] = [name in given for name in CIRCUMSTANCES] if given else _NO_CIRCUMSTANCES


_NOT_A_STUDENT = (NO_STUDENT, False)


def _put_student(facts: list[Any], student: Body | None, path: str) -> None:
    facts[_STUDENT] = (
        _NOT_A_STUDENT
        if student is None
        else (_value(student, "level", f"{path}.student"), _value(student, "full_time", f"{path}.student"))
    )


_NO_INCOME = (0,) * len(INCOME_KINDS)
_INCOME_AT = {kind: _AT[f"income_{kind}"] for kind in INCOME_KINDS}


def _put_income(facts: list[Any], items: Sequence[Body], _: str) -> None:
    facts[_INCOME] = _NO_INCOME
    for item in items:
        facts[_INCOME_AT[item["kind"]]] += item["monthly"]


def _own_places(entity: str) -> Mapping[str, int]:
    position = SCHEMA.by_name[entity].position
    return {fact.name: position[fact.name] for fact in SCHEMA.by_name[entity].facts if fact.name not in _KEYS}


_PERSON: Mapping[str, Put] = {"disability": _put_disability, "circumstances": _put_circumstances}
_SUPPORTER: Mapping[str, int | Put] = {**_own_places("supporter"), **_PERSON, "benefits": _put_benefits}
_MEMBER: Mapping[str, int | Put] = {
    **_own_places("member"),
    **_PERSON,
    "benefits": _put_benefits_of_member,
    "student": _put_student,
    "income": _put_income,
}


_OF_PARENT = itemgetter(
    *(_AT[name] for name in ("disability_grade", "grade_intellectual", "grade_mental", "serious_illness", *GONE))
)
