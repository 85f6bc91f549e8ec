"""What people are told who are at the lines: the reasons of rules, for households on both sides of each and at it."""

import itertools
from collections.abc import Iterator
from datetime import date
from functools import cache

from services.shared.policy.evaluation import Evaluation, PreparedPolicy
from services.shared.policy.explanation import Explanation, Reason, reasons_of
from services.shared.policy.rulebook import Rule
from services.shared.policy.schema import MONEY
from tests.eligibility.proof.bases import bases
from tests.eligibility.proof.frames import rows_reader_of
from tests.eligibility.proof.rows import Row, places
from tests.eligibility.proof.thresholds import around_thresholds
from tests.eligibility.proof.worlds import worlds

ENOUGH = 4
"""Households at the thresholds of one rule: one on each side of two."""


def at_the_lines(on: date, region: str) -> Iterator[tuple[Rule, Reason]]:
    """Every rule of the place's own pack that compares two amounts, and what it says around its thresholds."""
    policy, rows = worlds(on, region).policies[0], _golden(on, region)
    for rule in policy.book.rules.values():
        if rule.written is not None and rule.written.gap and rule.pack == policy.book.chain[0].id:
            read = rows_reader_of(policy.program, [rule.id])
            moved = (
                each
                for row in rows
                for place in places(row)
                if place.fact.kind is MONEY
                for each in around_thresholds(row, place, policy.as_of, lambda row, read=read: read(policy.run(row)))
            )
            for row in itertools.islice(moved, ENOUGH):
                yield from ((rule, reason) for reason in reasons(policy, row, rule))


@cache
def _golden(on: date, region: str) -> list[Row]:
    return list(dict.fromkeys(row for _, row in bases(worlds(on, region))))


def reasons(policy: PreparedPolicy, row: Row, rule: Rule) -> tuple[Reason, ...]:
    """Why the rule has its value, for each row of its entity."""
    evaluation = Evaluation(policy, row)
    lineage = policy.book.schema.lineage(rule.entity)[1:]
    found = [evaluation.root]
    for entity in lineage:
        found = [below for above in found for below in evaluation.rows(entity, above)]
    explained = Explanation(evaluation, lambda entity, indices: f"{entity} {indices}")
    return reasons_of([explained.reason(rule.id, each) for each in found])
