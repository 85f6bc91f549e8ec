"""The policy as an OpenFisca country package, run in the peers' environment; of ours it imports the figures alone.

Money is whole fen, since OpenFisca's float is 32 bits wide; `YUAN` makes the same system in yuan as floats, the way its
documentation writes money, to show what that costs in differences. Dates are months: figures change on first days.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from openfisca_core.entities import build_entity
from openfisca_core.indexed_enums import Enum
from openfisca_core.parameters import ParameterNode
from openfisca_core.periods import MONTH
from openfisca_core.taxbenefitsystems import TaxBenefitSystem
from openfisca_core.variables import Variable

from benchmarks.comparison.figures import INT, MONEY, NATIONAL, RATE, REGIONS, STEPS, regional

HOUSEHOLD = build_entity(
    key="household",
    plural="households",
    label="People who live together",
    roles=[{"key": "member", "plural": "members", "label": "Member"}],
)
PERSON = build_entity(key="person", plural="persons", label="A person", is_person=True)

OUTPUTS = (
    "household_income",
    "income_per_head",
    "assets_ok",
    "tekun",
    "dibao",
    "supplement",
    "margin",
    "single",
    "rigid",
    "emergency",
    "monthly_total",
)


class Fen:
    """Exact money: whole fen, rates in ten-thousandths, 64 bits on the way."""

    value_type = int
    fen, jiao, yuan = 1, 10, 100

    @staticmethod
    def figure(kind: str, value: int) -> float:
        return value

    @staticmethod
    def down(amount: Any, rate: int, unit: int) -> Any:
        return amount.astype(np.int64) * rate // (10_000 * unit) * unit

    @staticmethod
    def up(amount: Any, rate: int, unit: int) -> Any:
        return -(-amount.astype(np.int64) * rate // (10_000 * unit)) * unit

    @staticmethod
    def half_up(amount: Any, rate: int, unit: int) -> Any:
        return (2 * amount.astype(np.int64) * rate + 10_000 * unit) // (20_000 * unit) * unit

    whole = 10_000

    @staticmethod
    def per_head(amount: Any, people: Any) -> Any:
        return amount // np.maximum(people, 1)

    @staticmethod
    def reaches(spending: Any, income: Any, ratio: int) -> Any:
        return spending.astype(np.int64) * 10_000 >= income.astype(np.int64) * 12 * ratio


class Yuan:
    """Money as OpenFisca's documentation has it: yuan as 32-bit floats, rates as fractions."""

    value_type = float
    fen, jiao, yuan = 0.01, 0.1, 1
    whole = 1.0

    @staticmethod
    def figure(kind: str, value: int) -> float:
        return {MONEY: value / 100, RATE: value / 10_000, INT: value}[kind]

    @staticmethod
    def down(amount: Any, rate: float, unit: float) -> Any:
        return np.floor(amount * rate / unit) * unit

    @staticmethod
    def up(amount: Any, rate: float, unit: float) -> Any:
        return np.ceil(amount * rate / unit) * unit

    @staticmethod
    def half_up(amount: Any, rate: float, unit: float) -> Any:
        return np.floor(amount * rate / unit + 0.5) * unit

    @staticmethod
    def per_head(amount: Any, people: Any) -> Any:
        return np.floor(amount / np.maximum(people, 1) * 100) / 100

    @staticmethod
    def reaches(spending: Any, income: Any, ratio: float) -> Any:
        return spending >= income * 12 * ratio


class Disability(Enum):
    none = "none"
    visual = "visual"
    hearing = "hearing"
    speech = "speech"
    physical = "physical"
    intellectual = "intellectual"
    mental = "mental"


class WorkAbility(Enum):
    able = "able"
    partial = "partial"
    none = "none"


class Area(Enum):
    urban = "urban"
    rural = "rural"


class Emergency(Enum):
    none = "none"
    fire = "fire"
    disaster = "disaster"
    traffic_accident = "traffic accident"
    sudden_illness = "sudden illness"
    other = "other"


def policy(money: Any) -> type[TaxBenefitSystem]:
    """The country package with its money as `Fen` or as `Yuan`."""

    class CountryTaxBenefitSystem(TaxBenefitSystem):
        def __init__(self) -> None:
            super().__init__([PERSON, HOUSEHOLD])
            self.parameters = _parameters(money)
            for variable in (*_inputs(money), *_formulas(money)):
                self.add_variable(variable)

        def get_package_metadata(self) -> dict[str, str]:
            return {"name": "comparison", "version": "1", "repository_url": "", "location": ""}

    return CountryTaxBenefitSystem


# --- figures ---------------------------------------------------------------------------------------------------------


def _parameters(money: Any) -> ParameterNode:
    def node(values: dict[str, Any]) -> dict[str, Any]:
        return {"description": "", **values}

    def dated(kind: str, steps: Any) -> dict[str, Any]:
        return {"values": {start: {"value": money.figure(kind, value)} for start, value in steps}}

    national = {name: dated(kind, steps) for name, (kind, steps) in NATIONAL.items()}
    places = {
        region: node({name: dated(MONEY, zip(STEPS, values, strict=True)) for name, values in regional(region).items()})
        for region in REGIONS
    }
    return ParameterNode("", data=node({"national": node(national), "places": node(places)}))


# --- inputs ----------------------------------------------------------------------------------------------------------


def _variable(name: str, entity: Any, value_type: Any, formula: Callable[..., Any] | None = None, **more: Any) -> Any:
    body = {"value_type": value_type, "entity": entity, "definition_period": MONTH, "label": name, **more}
    if formula is not None:
        body["formula"] = formula
    return type(name, (Variable,), body)


def _enum(name: str, entity: Any, of: type[Enum], default: Enum) -> Any:
    return _variable(name, entity, Enum, possible_values=of, default_value=default)


def _inputs(money: Any) -> list[Any]:
    amount = money.value_type
    return [
        _variable("age", PERSON, int),
        _enum("disability", PERSON, Disability, Disability.none),
        _variable("grade", PERSON, int),
        _enum("work_ability", PERSON, WorkAbility, WorkAbility.able),
        _variable("student", PERSON, bool),
        _variable("self_care_failures", PERSON, int),
        *(_variable(name, PERSON, amount) for name in ("wage", "business", "property", "transfer", "exempt")),
        _variable("region", HOUSEHOLD, str),
        _enum("area", HOUSEHOLD, Area, Area.urban),
        *(_variable(name, HOUSEHOLD, amount) for name in ("financial", "company_capital", "medical", "education")),
        _variable("cars", HOUSEHOLD, int),
        _variable("homes", HOUSEHOLD, int),
        _variable("no_supporter", HOUSEHOLD, bool),
        _enum("emergency_kind", HOUSEHOLD, Emergency, Emergency.none),
    ]


# --- rules -----------------------------------------------------------------------------------------------------------


def _formulas(money: Any) -> list[Any]:
    amount = money.value_type

    def standard(households: Any, period: Any, parameters: Any) -> Any:
        place = parameters(period).places[households("region", period)]
        is_urban = households("area", period) == Area.urban
        return np.where(is_urban, place.standard_urban, place.standard_rural)

    def minimum_wage(households: Any, period: Any, parameters: Any) -> Any:
        return parameters(period).places[households("region", period)].minimum_wage

    def median_income(households: Any, period: Any, parameters: Any) -> Any:
        return parameters(period).places[households("region", period)].median_income

    def severe(persons: Any, period: Any) -> Any:
        grade, kind = persons("grade", period), persons("disability", period)
        is_of_mind = (kind == Disability.intellectual) + (kind == Disability.mental)
        return (grade >= 1) * (grade <= np.where(is_of_mind, 3, 2))

    # 1
    def work_cost(persons: Any, period: Any, parameters: Any) -> Any:
        national = parameters(period).national
        share = money.down(persons("wage", period), national.work_cost_rate, money.fen)
        return np.minimum(share, persons.household("standard", period))

    # 2
    def counted_wage(persons: Any, period: Any, parameters: Any) -> Any:
        national = parameters(period).national
        wage, floor = persons("wage", period), persons.household("minimum_wage", period)
        is_protected = (persons("age", period) >= 60) + persons("severe", period)
        protected = money.down(floor, national.protected_wage_share, money.fen) * is_protected
        return np.maximum(wage - persons("work_cost", period) - protected, 0)

    # 3
    def counted_business(persons: Any, period: Any, parameters: Any) -> Any:
        return money.half_up(persons("business", period), parameters(period).national.business_share, money.fen)

    # 4
    def counted_transfer(persons: Any, period: Any) -> Any:
        return np.maximum(persons("transfer", period) - persons("exempt", period), 0)

    # 5
    def imputed_income(persons: Any, period: Any, parameters: Any) -> Any:
        age = persons("age", period)
        is_idle = (
            (persons("work_ability", period) == WorkAbility.able)
            * (age >= 18)
            * (age < 60)
            * np.logical_not(persons("student", period))
            * np.logical_not(persons("severe", period))
            * (persons("wage", period) == 0)
            * (persons("business", period) == 0)
        )
        share = parameters(period).national.imputed_share
        return money.down(persons.household("minimum_wage", period), share, money.yuan) * is_idle

    # 6
    def counted_income(persons: Any, period: Any) -> Any:
        return (
            persons("counted_wage", period)
            + persons("counted_business", period)
            + persons("property", period)
            + persons("counted_transfer", period)
            + persons("imputed_income", period)
        )

    def remaining(households: Any, period: Any) -> Any:
        return households.sum(np.logical_not(households.members("has_tekun", period)))

    def household_income(households: Any, period: Any) -> Any:
        members = households.members
        return households.sum(members("counted_income", period) * np.logical_not(members("has_tekun", period)))

    def income_per_head(households: Any, period: Any) -> Any:
        return money.per_head(households("household_income", period), households("remaining", period))

    # 7
    def anyone_severe(households: Any, period: Any) -> Any:
        return households.any(households.members("severe", period))

    def asset_base(households: Any, period: Any, parameters: Any) -> Any:
        national, people = parameters(period).national, households.nb_persons()
        return people * np.where(people <= 2, national.asset_months_small, national.asset_months)

    def assets_ok(households: Any, period: Any, parameters: Any) -> Any:
        limit = households("standard", period) * households("asset_base", period)
        return (
            (households("financial", period) <= limit)
            * (households("cars", period) <= households("anyone_severe", period))
            * (households("homes", period) <= 1 + (households.nb_persons() >= 5))
            * (households("company_capital", period) <= parameters(period).national.company_capital_max)
        )

    def wider_assets_ok(households: Any, period: Any, parameters: Any) -> Any:
        national = parameters(period).national
        each = money.down(households("standard", period), national.margin_asset_multiplier, money.fen)
        return (
            (households("financial", period) <= each * households("asset_base", period))
            * (households("cars", period) <= 1 + households("anyone_severe", period))
            * (households("homes", period) <= 2 + (households.nb_persons() >= 5))
            * (households("company_capital", period) <= national.company_capital_max)
        )

    # 8
    def has_tekun(persons: Any, period: Any) -> Any:
        age = persons("age", period)
        is_unable = (
            (age >= 60) + (age < 16) + persons("severe", period) + (persons("work_ability", period) == WorkAbility.none)
        )
        return (
            persons.household("no_supporter", period)
            * persons.household("assets_ok", period)
            * is_unable
            * (persons("counted_income", period) < persons.household("standard", period))
        )

    def tekun(households: Any, period: Any, parameters: Any) -> Any:
        national, members = parameters(period).national, households.members
        failures = members("self_care_failures", period)
        floor = households("minimum_wage", period)
        full, half, none = (
            households.project(money.up(floor, share, money.yuan))
            for share in (national.care_share_full, national.care_share_half, national.care_share_self)
        )
        care = np.where(failures >= 4, full, np.where(failures >= 1, half, none))
        basic = households.project(money.up(households("standard", period), national.tekun_multiplier, money.yuan))
        return households.sum((basic + care) * members("has_tekun", period))

    # 9
    def has_dibao(households: Any, period: Any) -> Any:
        remaining = households("remaining", period)
        is_below = households("household_income", period) < households("standard", period) * remaining
        return (remaining > 0) * households("assets_ok", period) * is_below

    def dibao(households: Any, period: Any, parameters: Any) -> Any:
        whole = households("standard", period) * households("remaining", period)
        gap = np.maximum(whole - households("household_income", period), 0)
        least = parameters(period).national.dibao_floor
        return np.maximum(money.up(gap, money.whole, money.jiao), least) * households("has_dibao", period)

    # 10
    def supplement(households: Any, period: Any, parameters: Any) -> Any:
        members = households.members
        age = members("age", period)
        is_entitled = ((age >= 70) + (age < 18) + members("severe", period)) * np.logical_not(
            members("has_tekun", period)
        )
        each = money.half_up(households("standard", period), parameters(period).national.supplement_share, money.fen)
        return each * households.sum(is_entitled) * households("has_dibao", period)

    # 11
    def margin(households: Any, period: Any, parameters: Any) -> Any:
        line = money.down(households("standard", period), parameters(period).national.margin_multiplier, money.fen)
        return (
            (households("remaining", period) > 0)
            * np.logical_not(households("has_dibao", period))
            * (households("income_per_head", period) < line)
            * households("wider_assets_ok", period)
        )

    # 12
    def single(households: Any, period: Any) -> Any:
        members = households.members
        own, whole = members("counted_income", period), households.project(households("standard", period))
        each = money.up(np.maximum(whole - own, 0), money.whole, money.jiao)
        is_included = members("severe", period) * np.logical_not(members("has_tekun", period))
        return households.sum(each * is_included) * households("margin", period)

    # 13
    def rigid(households: Any, period: Any, parameters: Any) -> Any:
        spending = households("medical", period) + households("education", period)
        ratio = parameters(period).national.rigid_ratio
        return (
            (households("remaining", period) > 0)
            * np.logical_not(households("has_dibao", period))
            * np.logical_not(households("margin", period))
            * (households("income_per_head", period) < households("median_income", period))
            * households("wider_assets_ok", period)
            * (spending > 0)
            * money.reaches(spending, households("household_income", period), ratio)
        )

    # 14
    def emergency(households: Any, period: Any, parameters: Any) -> Any:
        national, kind = parameters(period).national, households("emergency_kind", period)
        is_grave = (kind == Emergency.fire) + (kind == Emergency.disaster)
        is_lighter = (kind == Emergency.traffic_accident) + (kind == Emergency.sudden_illness)
        months = np.where(is_grave, national.emergency_months, is_lighter * 1)
        asked = households("standard", period) * households.nb_persons() * months
        aid = money.half_up(np.minimum(asked, national.emergency_cap), money.whole, money.yuan)
        return aid * (households("income_per_head", period) < households("median_income", period))

    def monthly_total(households: Any, period: Any) -> Any:
        return (
            households("tekun", period)
            + households("dibao", period)
            + households("supplement", period)
            + households("single", period)
        )

    of_persons = [work_cost, counted_wage, counted_business, counted_transfer, imputed_income, counted_income]
    money_of_households = [
        standard,
        minimum_wage,
        median_income,
        household_income,
        income_per_head,
        tekun,
        dibao,
        supplement,
        single,
        emergency,
        monthly_total,
    ]
    true_of_households = [anyone_severe, assets_ok, wider_assets_ok, has_dibao, margin, rigid]
    return [
        *(_variable(formula.__name__, PERSON, amount, formula) for formula in of_persons),
        *(_variable(formula.__name__, PERSON, bool, formula) for formula in (severe, has_tekun)),
        *(_variable(formula.__name__, HOUSEHOLD, amount, formula) for formula in money_of_households),
        *(_variable(formula.__name__, HOUSEHOLD, int, formula) for formula in (remaining, asset_base)),
        *(_variable(formula.__name__, HOUSEHOLD, bool, formula) for formula in true_of_households),
    ]


CountryTaxBenefitSystem = policy(Fen)
"""What `openfisca serve --country-package` looks for."""
