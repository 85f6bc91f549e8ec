"""Looks for households in which each single decision of the rules decides an answer, once true and once false."""

import random
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.eligibility.domain.facts import SCHEMA
from services.shared.policy import tree
from services.shared.policy.open_value import OPEN, OpenValueUsed, Unknown
from services.shared.policy.rulebook import Rulebook, sub_parameters, sub_rules
from services.shared.policy.schema import BOOL, DATE, INT, MONEY, Entity
from tests.eligibility.proof.bases import YEAR, bases, likely
from tests.eligibility.proof.decisions import Opened, Openness, facts_below
from tests.eligibility.proof.frames import Reader, rows_reader_of
from tests.eligibility.proof.rows import Path, Place, Row, inner_row, places, with_inner, with_value
from tests.eligibility.proof.worlds import CHOICES, Worlds, is_dear

MOST_ROWS = 3
"""Rows that a list may grow to; longer lists show nothing new and take longer."""
MOST_EDITS = 3
TRIES = 8
"""So often a decision is turned round in one situation of its rule; then only by lot, one time in twenty."""
TRIED_LATER = 0.05
KEPT_PER_GOAL = 2
"""Households kept for each decision and side of it, each in another situation of its rule."""
LARGE = 10**9
"""Ten million yuan, in fen: an amount above what any place pays."""

Goal = tuple[int, bool]
"""A decision by its number, and its value."""
FactName = tuple[str, str]
Values = tuple[Any, ...]
Situation = tuple[FactName, Values]
"""A rule and an entity, and the values of all its decisions at one row."""


@dataclass(frozen=True, slots=True)
class Case:
    """A household under one of the worlds' figures."""

    world: int
    row: Row


@dataclass
class Search:
    """What was found: for each decision and each side of it, households of which it decides an answer."""

    openness: Openness
    seed: int = 0
    found: dict[Goal, list[Case]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._tries: dict[Situation, int] = defaultdict(int)
        self._surely: set[Goal] = set()
        self._situations: dict[Goal, set[Situation]] = defaultdict(set)
        self._groups = list(_groups(self.openness))
        self._conditions = list(_conditions(self.openness))
        self._readers: dict[int, Sequence[Reader]] = {}
        self._combinations: set[Any] = set()
        self._steps: dict[str, list[tuple[int, Case]]] = defaultdict(list)
        self._uses = _uses(self.openness)
        self._shown: dict[Goal, list[Case]] = defaultdict(list)
        self._edit = _Edit(self.openness, self._chance)

    def run(self, attempts: int) -> None:
        """Look at the golden households under the worlds by turns, then at `attempts` made from what was found."""
        for world, row in bases(self.openness.worlds):
            self._edit.learn(row)
            self._look(Case(world, row), None)
        self.go_on(attempts)

    def go_on(self, attempts: int) -> None:
        """Look at households made from what was found, each with a decision in view that still has none."""
        for _ in range(attempts):
            if not _ % 16:
                unsure = self.open_goals() or self.goals()
                unfound = [goal for goal in unsure if not self.found.get(goal)] or unsure
            goal = self._chance.choice(unfound if self._chance.random() < 0.5 else unsure)
            self._look(self._edit.case(self._parent(goal), goal[0]), goal[0])

    def look_at(self, cases: Iterable[Case]) -> None:
        """Keep those of other households that reach something new."""
        for case in cases:
            self._look(case, None)

    def goals(self) -> list[Goal]:
        """Every decision on each side."""
        return [(number, side) for number in range(len(self.openness.decisions)) for side in (False, True)]

    def open_goals(self) -> list[Goal]:
        """Those for which no household was found in which the decision falls this way at every row."""
        return [goal for goal in self.goals() if goal not in self._surely]

    def kept(self) -> list[tuple[Goal, Case]]:
        """Each household found, with what it was found for."""
        return [(goal, case) for goal in self.goals() for case in self.found.get(goal, ())]

    # --- looking at one household ------------------------------------------------------------------------------

    def _look(self, case: Case, aim: int | None) -> None:
        """Keep the household for each goal that it reaches, and for new combinations of a programme's conditions."""
        openness = self.openness
        frame = openness.run(case.world, case.row)
        outputs = openness.outputs(frame)
        for key, numbers, read in self._groups:
            situations = _distinct(read(frame))
            for values in situations:
                self._turn(case, (key, values), situations, numbers, outputs, aim)
        for programme, read in self._conditions:
            for combination in _distinct(read(frame)):
                if (programme, combination) not in self._combinations:
                    self._combinations.add((programme, combination))
                    closed = sum(value is not True for value in combination)
                    self._steps[programme].append((closed, case))

    def signature_of(self, number: int) -> Reader:
        """From a frame, the values of all decisions in the rule of this one, and what programmes make of them."""
        part, decision = self.openness.near(number), self.openness.decisions[number]
        names = [
            each.name
            for each in self.openness.decisions
            if (each.rule, each.entity) == (decision.rule, decision.entity)
        ]
        own = rows_reader_of(part.program, names)
        conditions = self._conditions_of(part)
        return lambda frame: (own(frame), [read(frame) for read in conditions])

    def _conditions_of(self, part: Opened) -> Sequence[Reader]:
        if id(part) not in self._readers:
            self._readers[id(part)] = [read for _, read in _conditions(part)]
        return self._readers[id(part)]

    def facts_near(self, number: int, chance: random.Random) -> tuple[Sequence[FactName], Sequence[FactName]]:
        """The facts that a decision rests on, and those of a rule above it, by lot."""
        return self._edit.facts_near(number, chance)

    def _turn(
        self,
        case: Case,
        situation: Situation,
        beside: Collection[Values],
        numbers: Sequence[int],
        outputs: Any,
        aim: int | None,
    ) -> None:
        """Turn round each decision of one situation that is still wanted, and see whether an answer changes."""
        tries = self._tries[situation]
        self._tries[situation] = tries + 1
        if tries >= TRIES and aim not in numbers and self._chance.random() > TRIED_LATER:
            return
        wanted = [
            (number, value)
            for position, (number, value) in enumerate(zip(numbers, situation[1], strict=True))
            if value is not None and self._is_wanted((number, value), position, situation, beside)
        ]
        if tries == 0:
            for goal in wanted:
                self._shown[goal].append(case)
        for goal in wanted:
            if self._decides(case, goal[0], outputs):
                self.found[goal].append(case)
                self._situations[goal].add(situation)
                if _is_everywhere(numbers.index(goal[0]), goal[1], beside):
                    self._surely.add(goal)

    def _is_wanted(self, goal: Goal, position: int, situation: Situation, beside: Collection[Values]) -> bool:
        # All rows are turned at once: where another falls the other way, it may be that one which decides.
        most = KEPT_PER_GOAL if _is_everywhere(position, goal[1], beside) else 1
        return len(self.found[goal]) < most and situation not in self._situations[goal]

    def _decides(self, case: Case, number: int, outputs: Any) -> bool:
        try:
            part = self.openness.near(number)
            return bool(part.outputs(part.run(case.world, case.row, number)) != outputs)
        except (OpenValueUsed, ZeroDivisionError):
            return True

    # --- whom to change ----------------------------------------------------------------------------------------

    def _parent(self, goal: Goal) -> Case:
        """A household where the decision falls the other way, or its rule decides, or little of a programme lacks."""
        number, side = goal
        used = self._uses[self.openness.decisions[number].rule]
        through = self._chance.choice(used) if used else number
        likely = (
            self.found.get((number, not side)),
            self.found.get((through, False)),
            self.found.get((through, True)),
            self._shown.get(goal),
        )
        cases = self._chance.choice(likely)
        if cases:
            return self._chance.choice(cases)
        programme = self._chance.choice(self._edit.programmes_of(number))
        steps = self._steps[programme]
        # The better of two: few conditions fail.
        return min((self._chance.choice(steps) for _ in range(2)), key=lambda step: step[0])[1]


def _uses(openness: Openness) -> dict[str, list[int]]:
    """For each rule the decisions of other rules that rest on it."""
    found: dict[str, list[int]] = defaultdict(list)
    for number, decision in enumerate(openness.decisions):
        for rule in dict.fromkeys(sub_rules(decision.node)):
            found[rule].append(number)
    return found


def _is_everywhere(position: int, side: bool, situations: Collection[Values]) -> bool:
    return all(values[position] == side for values in situations)


def _distinct(rows: list[tuple[Any, ...]]) -> Collection[tuple[Any, ...]]:
    """The rows that differ, in their order, so that the search is the same in every process; what is open is None."""
    try:
        return dict.fromkeys(rows)
    except OpenValueUsed:
        return dict.fromkeys(tuple([None if value is OPEN else value for value in row]) for row in rows)


def _groups(openness: Openness) -> Iterator[tuple[FactName, list[int], Reader]]:
    """The decisions of each rule at the rows of each entity: a situation is their values at one row."""
    found: dict[FactName, list[int]] = defaultdict(list)
    for number, decision in enumerate(openness.decisions):
        found[decision.rule, decision.entity].append(number)
    for key, numbers in found.items():
        yield key, numbers, rows_reader_of(openness.program, [openness.decisions[number].name for number in numbers])


def _conditions(openness: Opened) -> Iterator[tuple[str, Reader]]:
    """For each programme and each entity of its conditions, their values at each row."""
    book = openness.worlds.book
    for programme in book.programmes.values():
        near: dict[str, list[str]] = defaultdict(list)
        for name in programme.conditions:
            near[book.rules[name].entity].append(name)
        for names in near.values():
            yield programme.id, rows_reader_of(openness.program, names)


class _Edit:
    """Changes a household in a few facts, most often in some that the aimed-at decision rests on."""

    def __init__(self, openness: Openness, chance: random.Random) -> None:
        self._openness, self._chance = openness, chance
        book = openness.worlds.book
        self._reach = [sorted(facts_below(book, decision.node)) for decision in openness.decisions]
        self._rule_reach = {name: sorted(facts_below(book, rule.node)) for name, rule in book.rules.items()}
        self._users = users_of(book)
        below = {item.id: book.rules_below(_rules(item)) for item in book.programmes.values()}
        self._programmes = [
            [name for name, rules in below.items() if decision.rule in rules] or list(below)
            for decision in openness.decisions
        ]
        self._numbers = _numbers_named(openness)
        self._telling: dict[str, list[int]] = {}
        self._learnt: dict[FactName, dict[Any, None]] = defaultdict(dict)
        self._rows: dict[str, list[Row]] = defaultdict(list)

    def programmes_of(self, number: int) -> list[str]:
        """The programmes that a decision may decide."""
        return self._programmes[number]

    def learn(self, row: Row, entity: Entity = SCHEMA.root) -> None:
        """Remember the values of a household's facts, and its rows, to put them elsewhere."""
        for fact, value in zip(entity.facts, row, strict=False):
            self._learnt[entity.name, fact.name][value] = None
        for child in SCHEMA.children(entity.name):
            for inner in row[SCHEMA.rows_slot(child.name)]:
                self._rows[child.name].append(inner)
                self.learn(inner, child)

    def case(self, parent: Case, aim: int) -> Case:
        """The household with one to three changes."""
        world, row = parent.world, parent.row
        for _ in range(self._chance.randint(1, MOST_EDITS)):
            lot = self._chance.random()
            if lot < 0.12:
                world = self._chance.choice(self._worlds_of(self._openness.decisions[aim].rule))
            elif lot < 0.25:
                row = self._other_list(row, {entity for entity, _ in self._facts(aim)})
            else:
                row = self._other_fact(row, self._facts(aim))
        return Case(world, row)

    def _worlds_of(self, rule: str) -> Sequence[int]:
        """Every world; or, by lot, those that tell more of the rule than others."""
        worlds = self._openness.worlds
        if rule not in self._telling:
            self._telling[rule] = list(_telling(worlds, rule))
        if self._telling[rule] and self._chance.random() < 0.4:
            return self._telling[rule]
        return range(CHOICES)

    def facts_near(self, aim: int, chance: random.Random) -> tuple[Sequence[FactName], Sequence[FactName]]:
        """The facts that a decision rests on, and those of a rule one to three levels above it, by lot."""
        rule = self._openness.decisions[aim].rule
        for _ in range(chance.randint(1, 3)):
            rule = chance.choice(self._users[rule] or [rule])
        return self._reach[aim], self._rule_reach[rule]

    def _facts(self, aim: int) -> Sequence[FactName]:
        """The facts of the decision, or of its rule, or of one that uses it, and so on upwards by lot."""
        decision = self._openness.decisions[aim]
        facts, rule = self._reach[aim], decision.rule
        while not facts or self._chance.random() < 0.5:
            facts = self._rule_reach[rule]
            users = self._users[rule]
            if not users:
                break
            rule = self._chance.choice(users)
        return facts

    def _other_fact(self, row: Row, facts: Sequence[FactName]) -> Row:
        wanted = set(facts)
        where = [place for place in places(row) if (place.entity, place.fact.name) in wanted]
        if not where:
            return self._other_list(row, {entity for entity, _ in facts})
        place = self._chance.choice(where)
        return with_value(row, place, self._value(place))

    def _value(self, place: Place) -> Any:
        fact, chance = place.fact, self._chance
        if fact.kind == BOOL:
            return chance.random() < 0.5
        if fact.kind.codes:
            return chance.choice(fact.kind.codes)
        lot = chance.random()
        learnt = list(self._learnt[place.entity, fact.name])
        if lot < 0.4 and learnt:
            return chance.choice(learnt)
        if fact.kind == DATE:
            years = chance.choice(self._numbers[INT])
            return self._openness.worlds.as_of - years * YEAR + chance.choice((-100, -1, 0, 1, 100))
        if lot < 0.8:
            number = chance.choice(self._numbers[fact.kind]) + chance.choice((-1, 0, 1))
            return min(max(number, fact.least), fact.most)
        return likely(fact, self._openness.worlds.as_of, chance)

    def _other_list(self, row: Row, entities: set[str]) -> Row:
        """A row less or one or two more in some list, of these entities where there are such lists."""
        lists = list(_lists(row))
        path, entity = self._chance.choice([each for each in lists if each[1] in entities] or lists)
        slot, above = SCHEMA.rows_slot(entity), inner_row(row, path)
        inner = above[slot]
        if len(inner) > (entity == "member") and self._chance.random() < 0.4:
            gone = self._chance.randrange(len(inner))
            inner = (*inner[:gone], *inner[gone + 1 :])
        else:
            for _ in range(self._chance.randint(1, 2)):
                inner = (
                    *inner,
                    self._chance.choice(inner) if inner and self._chance.random() < 0.5 else self._another(entity),
                )
            inner = inner[-min(MOST_ROWS, SCHEMA.by_name[entity].max_rows) :]
        return with_inner(row, path, (*above[:slot], inner, *above[slot + 1 :]))

    def _another(self, entity: str) -> Row:
        """A row of some golden household, or one by lot where there is none."""
        if self._rows[entity]:
            return self._chance.choice(self._rows[entity])
        facts = [likely(fact, self._openness.worlds.as_of, self._chance) for fact in SCHEMA.by_name[entity].facts]
        for _ in SCHEMA.children(entity):
            facts += [(), True]
        return tuple(facts)


def _telling(worlds: Worlds, rule: str) -> Iterator[int]:
    """The worlds in which a figure that the rule or one below it takes is missing or next to nothing; the dear ones,
    where the rule names an amount above any other."""
    nodes = [worlds.book.rules[name].node for name in (rule, *sub_rules(worlds.book.rules[rule].node))]
    names = {name for node in nodes for name in sub_parameters(node)}
    parts = [part for node in nodes for part in tree.walk(node)]
    has_large = any(isinstance(part, tree.Const) and part.kind == MONEY and part.value >= LARGE for part in parts)
    for number, policy in enumerate(worlds.policies[:CHOICES]):
        values = [value for name in names for value in policy.parameters[name].values()]
        is_extreme = any(isinstance(value, Unknown) or (type(value) is int and value < 2) for value in values)
        if is_dear(number) if has_large else is_extreme:
            yield number


def users_of(book: Rulebook) -> dict[str, list[str]]:
    """For each rule those that use it."""
    found: dict[str, list[str]] = defaultdict(list)
    for rule in book.rules.values():
        for used in dict.fromkeys(sub_rules(rule.node)):
            found[used].append(rule.id)
    return found


def _rules(programme: Any) -> list[str]:
    return [name for name in (*programme.rules, programme.months, programme.level) if name]


def _lists(row: Row, entity: Entity = SCHEMA.root, path: Path = ()) -> Iterator[tuple[Path, str]]:
    for child in SCHEMA.children(entity.name):
        yield path, child.name
        for index, inner in enumerate(row[SCHEMA.rows_slot(child.name)]):
            yield from _lists(inner, child, (*path, (SCHEMA.rows_slot(child.name), index)))


def _numbers_named(openness: Openness) -> dict[Any, list[int]]:
    """Numbers that rules and figures name, by kind: where thresholds may lie."""
    found: dict[Any, set[int]] = defaultdict(lambda: {0, 1})
    for rule in openness.worlds.book.rules.values():
        for node in tree.walk(rule.node):
            if isinstance(node, tree.Const) and isinstance(node.value, int):
                found[INT if node.kind.name == "months" else node.kind].add(node.value)
            elif isinstance(node, tree.ParameterRef) and node.kind in (INT, MONEY):
                table = openness.worlds.policies[0].parameters.get(node.name, {})
                found[node.kind].update(value for value in table.values() if isinstance(value, int))
    return {kind: sorted(values) for kind, values in found.items()}
