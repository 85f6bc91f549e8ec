"""The households of the comparison in a form that belongs to no engine: random ones, and ones at every threshold."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random

from benchmarks.comparison.figures import AREAS, REGIONS, Figures, days, figures_at

DISABILITIES = ("none", "visual", "hearing", "speech", "physical", "intellectual", "mental")
WORK_ABILITIES = ("able", "partial", "none")
EMERGENCIES = ("none", "fire", "disaster", "traffic_accident", "sudden_illness", "other")
MAX_MEMBERS = 6


@dataclass(frozen=True, slots=True)
class Member:
    """A person; incomes in fen a month. `grade` is 0 without a disability, otherwise 1 (the worst) to 4."""

    age: int
    disability: str
    grade: int
    work_ability: str
    student: bool
    self_care_failures: int
    wage: int
    business: int
    property: int
    transfer: int
    exempt: int


@dataclass(frozen=True, slots=True)
class Household:
    """People who live together; assets in fen, spending in fen over twelve months, `on` the day as ISO."""

    on: str
    region: str
    area: str
    financial: int
    cars: int
    homes: int
    company_capital: int
    no_supporter: bool
    medical: int
    education: int
    emergency: str
    members: tuple[Member, ...]

    @property
    def figures(self) -> Figures:
        """The figures in force for it."""
        return figures_at(self.region, self.area, self.on)


def random_households(seed: int, count: int, on: str | None = None) -> Iterator[Household]:
    """Ordinary households: some poor, some not, few with everything at once."""
    random, every_day = Random(seed), tuple(days())
    for _ in range(count):
        yield _household(random, on or random.choice(every_day))


def threshold_households(seed: int, count: int) -> Iterator[Household]:
    """Households of which one value lies one fen (or one of whatever is counted) below, at or above a threshold."""
    random, every_day = Random(seed), tuple(days())
    for number in range(count):
        household = _household(random, random.choice(every_day))
        place = THRESHOLDS[number % len(THRESHOLDS)]
        yield place(random, household, number // len(THRESHOLDS) % 3 - 1)


def _household(random: Random, on: str) -> Household:
    return Household(
        on=on,
        region=random.choice(REGIONS),
        area=random.choice(AREAS),
        financial=_often_nothing(random, 0.3, 8_000_000),
        cars=random.choice((0, 0, 0, 0, 0, 1, 1, 2)),
        homes=random.choice((0, 1, 1, 1, 1, 1, 2, 3)),
        company_capital=_often_nothing(random, 0.9, 20_000_000),
        no_supporter=random.random() < 0.3,
        medical=_often_nothing(random, 0.4, 4_000_000),
        education=_often_nothing(random, 0.6, 2_000_000),
        emergency=random.choice((*EMERGENCIES, "none", "none", "none")),
        members=tuple(_member(random) for _ in range(random.choice((1, 1, 2, 2, 3, 3, 3, 4, 4, 5, 6)))),
    )


def _member(random: Random) -> Member:
    age = random.choice(
        (random.randrange(0, 18), random.randrange(18, 60), random.randrange(18, 60), random.randrange(60, 95))
    )
    disability = random.choice((*DISABILITIES, *["none"] * 12))
    is_student = 6 <= age < 25 and random.random() < 0.7
    works = 16 <= age < 75 and not is_student and random.random() < 0.45
    return Member(
        age=age,
        disability=disability,
        grade=0 if disability == "none" else random.randrange(1, 5),
        work_ability=random.choice(("able", "able", "able", "partial", "none")),
        student=is_student,
        self_care_failures=random.choice((0, 0, 0, 0, 1, 2, 3, 4, 5, 6)),
        wage=random.randrange(20_000, 420_000) if works else 0,
        business=random.randrange(5_000, 300_000) if random.random() < 0.1 else 0,
        property=random.randrange(1_000, 60_000) if random.random() < 0.15 else 0,
        transfer=random.randrange(1_000, 90_000) if random.random() < 0.3 else 0,
        exempt=random.randrange(1_000, 60_000) if random.random() < 0.2 else 0,
    )


def _often_nothing(random: Random, share: float, most: int) -> int:
    return 0 if random.random() < share else random.randrange(1, most)


# --- thresholds ----------------------------------------------------------------------------------------------------

Placed = Callable[[Random, Household, int], Household]


def _with_income(household: Household, total: int) -> Household:
    """Only the first member has an income, of property, which counts whole; nobody is deemed to earn."""
    members = tuple(
        replace(member, wage=0, business=0, property=0, transfer=0, work_ability="partial")
        for member in household.members
    )
    return replace(household, members=(replace(members[0], property=max(total, 0)), *members[1:]))


def _poor(household: Household) -> Household:
    """With neither assets nor income, so that nothing else decides."""
    return replace(_with_income(household, 0), financial=0, cars=0, homes=1, company_capital=0)


def _income_a_head(line: Callable[[Figures], int]) -> Placed:
    def placed(random: Random, household: Household, step: int) -> Household:
        bare = replace(_poor(household), no_supporter=False)
        return _with_income(bare, line(household.figures) * len(household.members) + step)

    return placed


def _own_income(random: Random, household: Household, step: int) -> Household:
    alone = replace(_poor(household), no_supporter=True)
    return _with_income(alone, household.figures.standard + step)


def _financial(multiplier: Callable[[Figures], int]) -> Placed:
    def placed(random: Random, household: Household, step: int) -> Household:
        figures, people = household.figures, len(household.members)
        months = figures.asset_months_small if people <= 2 else figures.asset_months
        limit = figures.standard * people * months * multiplier(figures) // 10_000
        return replace(_poor(household), financial=limit + step)

    return placed


def _capital(random: Random, household: Household, step: int) -> Household:
    return replace(_poor(household), company_capital=household.figures.company_capital_max + step)


def _spending(random: Random, household: Household, step: int) -> Household:
    figures, people = household.figures, len(household.members)
    line = figures.standard * figures.margin_multiplier // 10_000
    total = line * people + random.randrange(0, 20_000)
    needed = -(-total * 12 * figures.rigid_ratio // 10_000)
    medical = random.randrange(0, needed)
    able = replace(_with_income(_poor(household), total), no_supporter=False)
    return replace(able, medical=medical, education=needed - medical + step)


def _counted(random: Random, household: Household, step: int) -> Household:
    homes, cars = random.choice((0, 1, 2, 3)), random.choice((0, 1, 2, 3))
    return replace(_poor(household), homes=max(homes + step, 0), cars=cars)


def _age(edge: int) -> Placed:
    def placed(random: Random, household: Household, step: int) -> Household:
        first = replace(household.members[0], age=edge + step, student=random.random() < 0.3)
        aged = replace(household, members=(first, *household.members[1:]), no_supporter=random.random() < 0.7)
        return replace(aged, financial=0, cars=0, homes=1, company_capital=0)

    return placed


def _disability(random: Random, household: Household, step: int) -> Household:
    kind, grade = random.choice(DISABILITIES[1:]), 2 + step
    first = replace(household.members[0], disability=kind, grade=grade + random.choice((0, 1)))
    return replace(_poor(household), members=(first, *household.members[1:]), no_supporter=random.random() < 0.5)


def _care(random: Random, household: Household, step: int) -> Household:
    failures = random.choice((1, 3, 4, 5)) + step
    first = replace(
        household.members[0], age=70, self_care_failures=failures, wage=0, business=0, property=0, transfer=0
    )
    return replace(_poor(household), members=(first, *household.members[1:]), no_supporter=True)


def _floor_amount(random: Random, household: Household, step: int) -> Household:
    figures = household.figures
    gap = figures.dibao_floor + random.choice((0, 10, -10)) + step
    bare = replace(_poor(household), no_supporter=False)
    return _with_income(bare, figures.standard * len(household.members) - gap)


def _work_cost(random: Random, household: Household, step: int) -> Household:
    figures = household.figures
    wage = figures.standard * 10_000 // figures.work_cost_rate + step * 4
    first = replace(household.members[0], wage=wage, age=random.choice((35, 60)))
    return replace(household, members=(first, *household.members[1:]), financial=0, cars=0, homes=1, company_capital=0)


def _emergency(random: Random, household: Household, step: int) -> Household:
    line = household.figures.median_income * len(household.members)
    kind = random.choice(EMERGENCIES)
    return replace(_with_income(replace(household, no_supporter=False), line + step), emergency=kind)


THRESHOLDS: tuple[Placed, ...] = (
    _income_a_head(lambda figures: figures.standard),
    _income_a_head(lambda figures: figures.standard * figures.margin_multiplier // 10_000),
    _income_a_head(lambda figures: figures.median_income),
    _own_income,
    _financial(lambda figures: 10_000),
    _financial(lambda figures: figures.margin_asset_multiplier),
    _capital,
    _spending,
    _counted,
    _age(16),
    _age(18),
    _age(60),
    _age(70),
    _disability,
    _care,
    _floor_amount,
    _work_cost,
    _emergency,
)
"""Each puts one value of a household below (-1), at (0) or above (1) a threshold of the policy."""
