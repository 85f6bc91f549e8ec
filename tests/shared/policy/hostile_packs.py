"""Packs written to harm whoever reads them; run as a program, it tries each in a process of its own and reports.

A child process has a bound of memory and of processor time: one that a pack has run away with ends there.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Mapping
from datetime import date

from services.shared.policy.checks import check
from services.shared.policy.evaluation import Evaluation, PackSet
from services.shared.policy.explanation import Explanation
from services.shared.policy.fault import PackFault
from services.shared.policy.open_value import Unknown
from services.shared.policy.pack import load_pack
from tests.shared.policy.conftest import HEADER, SCHEMA

MEMORY_BYTES = 700_000_000
CPU_SECONDS = 60

Files = Mapping[str, bytes]

HEAD = """id = "cn"
version = "1"
jurisdiction = "cn"
review = "test"
title = {zh = "例", en = "example"}
from = 2020-01-01
[[instrument]]
id = "act"
title = "法"
title_en = "Act"
in_force_from = 2020-01-01
confidence = "verified"
"""
RULE = '[[rule]]\nid = "{}"\nentity = "{}"\ntype = "{}"\nexpr = """{}"""\n'
CITED = 'citations = [{ instrument = "act" }]\n'
SAID = CITED + 'holds = { zh = "是", en = "yes" }\nfails = { zh = "否", en = "no" }\n'
PROGRAMME = """[[programme]]
id = "aid"
tier = "basic"
entity = "shop"
conditions = ["x.y"]
decision_level = "county"
zh = "助"
en = "aid"
"""
PARAMETER = '[parameter.line]\ntype = "{}"\nzh = "x"\nen = "x"\n'
ROW = "line,,{},{},2021-01-01,replaced,,act,,s,verified,\n"


def pack(rules: str = "", rows: str = "", head: str = "", **more: str) -> Files:
    """The files of a pack."""
    files = {"pack.toml": HEAD + head, "rules.toml": rules, "parameters.csv": HEADER + rows, **more}
    return {name: text.encode() for name, text in files.items()}


def expression(text: str, kind: str = "bool", more: str = SAID, rows: str = "") -> Files:
    """A pack of one rule, used by one programme."""
    text = text.replace("\\", "\\\\").replace("\0", "\\u0000")
    return pack(RULE.format("x.y", "shop", kind, text) + more + PROGRAMME, rows)


def sentence(text: str) -> Files:
    """A pack whose rule says this."""
    said = json.dumps(text, ensure_ascii=False)
    more = f'{CITED}holds = {{ zh = {said}, en = {said} }}\nfails = {{ zh = "x", en = "x" }}\n'
    return expression("shop.open", more=more + 'values = { x = "shop.money" }\n')


def figure(value: str, kind: str = "int", unit: str = "count") -> Files:
    """A pack with this cell, which a rule uses."""
    rules = PARAMETER.format(kind) + RULE.format("x.y", "shop", "bool", "held(line)") + SAID + PROGRAMME
    return pack(rules, ROW.format(value, unit))


def chain(
    length: int, step: str = "max({0}, {0})", entity: str = "shop", first: str = "shop.money", more: str = ""
) -> Files:
    """Rules of which each uses the one before it twice."""
    rules = [RULE.format("x.r0", entity, "money", first)]
    rules += [RULE.format(f"x.r{n}", entity, "money", step.format(f"x.r{n - 1}")) + more for n in range(1, length)]
    last = f"x.r{length - 1}"
    whole = last if entity == "shop" else f"sum({last} for person in people)"
    rules += [RULE.format("x.y", "shop", "bool", f"{whole} > 0"), SAID, PROGRAMME]
    return pack("".join(rules))


USE = RULE.format("x.y", "shop", "bool", "held(line)") + SAID + PROGRAMME


def day(number: int) -> str:
    """One day after another."""
    return date.fromordinal(date(2020, 1, 1).toordinal() + number).isoformat()


def version(number: int) -> str:
    """A rule that is in force for a day."""
    period = f"from = {day(number)}\nuntil = {day(number + 1)}\n"
    return RULE.format("x.y", "shop", "bool", "shop.open") + period


def days_of_figures(count: int) -> str:
    """Rows of which each is in force for a day."""
    row = "line,,{},count,{},{},,act,,s,verified,\n"
    return "".join(row.format(n % 7, day(n), day(n + 1)) for n in range(count))


def many(count: int, block: Callable[[int], str], file: str = "rules/r{}.toml", in_each: int = 5_000) -> Files:
    """A pack of so many blocks, in files of an allowed size."""
    files = {}
    for start in range(0, count, in_each):
        text = "".join(block(number) for number in range(start, min(start + in_each, count)))
        files[file.format(start)] = text
    return pack(**files)


HOSTILE: Mapping[str, Callable[[], Files]] = {
    # Ways out of the language.
    "import": lambda: expression("__import__('os').system('id')"),
    "dunder of a fact": lambda: expression("shop.open.__class__.__mro__[1].__subclasses__()"),
    "dunder of a constant": lambda: expression("().__class__.__bases__[0]"),
    "attribute chain": lambda: expression("shop" + ".open" * 200),
    "long attribute chain": lambda: expression("shop" + ".a\n" * 600),
    "lambda": lambda: expression("(lambda: True)()"),
    "comprehension": lambda: expression("[x for x in [1]] == [1]"),
    "nested comprehension": lambda: expression("any(any(person.n > 1 for person in people) for person in people)"),
    "generator of a call": lambda: expression("any(person.n > 1 for person in range(10 ** 9))"),
    "walrus": lambda: expression("(x := True)"),
    "format string": lambda: expression("f'{shop.open.__class__}' == 'x'"),
    "bytes": lambda: expression("b'x' == 'x'"),
    "star": lambda: expression("max(*[1, 2]) > 1"),
    "eval": lambda: expression("eval('1') == 1"),
    "getattr": lambda: expression("getattr(shop, 'open')"),
    "subscript": lambda: expression("shop['open']"),
    "await": lambda: expression("await shop.open"),
    "statement": lambda: expression("shop.open); import os; (True"),
    "comment that closes": lambda: expression("shop.open #"),
    "NUL in an expression": lambda: expression("shop.open\0"),
    "strange letters": lambda: expression("ｓｈｏｐ.ｏｐｅｎ and ｅｖａｌ('1')"),
    # Numbers.
    "huge power": lambda: expression("9 ** 9 ** 9 > 1"),
    "huge product": lambda: expression(" * ".join(["shop.money"] + ["1000000000"] * 20) + " > 0"),
    "huge integer": lambda: expression("9" * 1_500 + " > 1"),
    "huge hexadecimal": lambda: expression("0x" + "f" * 1_500 + " > 1"),
    "huge float": lambda: expression("1e1000000 > 1"),
    "huge amount": lambda: expression('yuan("' + "9" * 1_500 + '.00") > shop.money'),
    "huge rate": lambda: expression('shop.money * rate("1e999999") > 0'),
    "tiny rate": lambda: expression('shop.money * rate("1e-999999") > 0'),
    "a million digits in TOML": lambda: pack("x = " + "9" * 900_000),
    "digits in TOML, line by line": lambda: pack("\n".join(f"x{n} = " + "9" * 1_900 for n in range(450))),
    "exponent in TOML": lambda: pack("x = 1e1000000"),
    "a million digits in a cell": lambda: figure("9" * 900_000),
    "a thousand digits in a cell": lambda: figure("9" * 1_900),
    "exponent in a cell": lambda: figure("1e1000000", "rate", "rate"),
    "greater exponent in a cell": lambda: figure("1e99999999999", "rate", "rate"),
    "not a number in a cell": lambda: figure("NaN", "rate", "rate"),
    "endless amount in a cell": lambda: figure("Infinity", "money", "yuan"),
    "year ten thousand": lambda: pack("", "line,,1,count,9999-12-31,,,act,,s,verified,\n"),
    "year nought": lambda: pack("", "line,,1,count,0000,,,act,,s,verified,\n"),
    # Depth.
    "brackets": lambda: expression("(" * 900 + "True" + ")" * 900),
    "nots": lambda: expression("not\n" * 450 + "True"),
    "choices": lambda: expression("True if shop.open else\n" * 80 + "False"),
    "arrays in TOML": lambda: pack("x = " + "[" * 1_000),
    "arrays in TOML over lines": lambda: pack("x = " + "[\n" * 400_000),
    "tables in TOML": lambda: pack("x = " + "{a = " * 350 + "1" + "}" * 350),
    "headers in TOML": lambda: pack("[" + ".".join(["a"] * 900) + "]\n"),
    "dotted keys in TOML": lambda: pack("\n".join(f"a{n}." + ".".join(["b"] * 900) + " = 1" for n in range(500))),
    "deep case": lambda: pack(**{"cases/a.toml": "base.x" + ".y" * 900 + " = 1"}),
    "tower of rules": lambda: chain(1_000),
    "tower of sums": lambda: chain(60, "{0} + {0}"),
    # Size.
    "10 MB expression": lambda: expression("shop.open and\n" * 700_000 + "True"),
    "long expression": lambda: expression("shop.open and\n" * 1_000 + "True"),
    "10 MB cell": lambda: figure("9" * 10_000_000),
    "a cell of half a megabyte": lambda: figure('"' + "x" * 500_000 + '"'),
    "a million rows": lambda: pack("", ROW.format("1", "count") * 1_000_000),
    "as many rows as fit": lambda: pack("", ROW.format("1", "count") * 19_000),
    "a row of commas": lambda: pack("", "," * 900_000),
    "a million rules": lambda: many(1_000_000, lambda n: RULE.format(f"x.r{n}", "shop", "bool", "shop.open")),
    "a million empty rules": lambda: many(500_000, lambda n: "[[rule]]\n", in_each=100_000),
    "thousands of rules": lambda: many(5_000, lambda n: RULE.format(f"x.r{n}", "shop", "bool", "shop.open")),
    "thousands of files": lambda: pack(**{f"rules/r{n}.toml": "" for n in range(5_000)}),
    "a rule for each of thousands of days": lambda: many(1_400, version, in_each=1_000),
    "figures for thousands of days": lambda: pack(PARAMETER.format("int") + USE, days_of_figures(4_900)),
    "long expressions without end": lambda: many(
        1_400, lambda n: RULE.format(f"x.r{n}", "shop", "bool", "shop.open and\n" * 90 + "True"), in_each=500
    ),
    # Text.
    "NUL in TOML": lambda: pack("x = 1 # \0"),
    "NUL in CSV": lambda: pack("", "line,\0,1\n"),
    "not UTF-8": lambda: {**pack(), "rules.toml": b"\xff\xfe"},
    "a bare quote in CSV": lambda: pack("", 'line,"' + "x" * 200_000),
    "attribute in a sentence": lambda: sentence("{x.__class__.__mro__}"),
    "conversion in a sentence": lambda: sentence("{x!r}"),
    "index in a sentence": lambda: sentence("{x[0]}"),
    "position in a sentence": lambda: sentence("{0} {}"),
    "width in a sentence": lambda: sentence("{x:>1000000000}"),
    "nested width in a sentence": lambda: sentence("{x:{x}}"),
    "open brace in a sentence": lambda: sentence("{x"),
    "endless sentence": lambda: sentence("\n".join(["长" * 100] * 150)),
}
"""Each must be refused with a fault that names the pack."""

HARMLESS: Mapping[str, Callable[[], Files]] = {
    "figures for as many days as may be": lambda: pack(PARAMETER.format("int") + USE, days_of_figures(498)),
    "as many figures as may be": lambda: pack(PARAMETER.format("int") + USE, days_of_figures(498) * 10),
    "empty rows": lambda: pack("", "\n" * 900_000),
    "a plain rule": lambda: expression("shop.open"),
    "rules that double each other": lambda: chain(100),
    "people's rules that double each other": lambda: chain(100, entity="person", first="person.wage"),
    "sentences that double each other": lambda: chain(60, more=SAID),
    "conditions that double each other": lambda: chain(60, "{0} if {0} > 0 else {0}"),
    "a thousand rules side by side": lambda: many(
        1_000,
        lambda n: (
            RULE.format(f"x.r{n}", "shop", "money", "min(shop.money, 0) + shop.money") + (SAID if n == 999 else "")
        ),
        in_each=5_000,
    ),
}
"""Each is read and checked within its bounds; whether it is sound is another matter."""


def attempt(build: Callable[[], Files]) -> dict[str, object]:
    """How reading and checking the pack went: what refused it, or which error was no refusal, and the CPU seconds."""
    files = build()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    start, outcome = time.process_time(), "accepted"
    try:
        packs = PackSet(SCHEMA, [load_pack(files)])
        check(packs)
        _use(packs)
    except PackFault as fault:
        outcome = f"refused: {fault}"
    except BaseException as error:
        outcome = f"{type(error).__name__}: {str(error)[:200]}"
    return {"outcome": outcome, "seconds": time.process_time() - start}


def _use(packs: PackSet) -> None:
    """Compute and explain, with everything known and with an open fact that all rests on."""
    policy = packs.prepare("110000", date(2025, 8, 1))
    for money in (500, Unknown("shop.money")):
        evaluation = Evaluation(policy, ("town", money, True, (), True))
        if "x.y" in policy.book.rules:
            evaluation.seen("x.y", evaluation.root)
            Explanation(evaluation, lambda row: "shop").reason("x.y", evaluation.root)


def tried(build: Callable[[], Files]) -> dict[str, object]:
    """The same in a process of its own."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with os.fdopen(writing, "w") as report:
            json.dump(attempt(build), report)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as report:
        said = report.read()
    os.waitpid(child, 0)
    return json.loads(said) if said else {"outcome": "killed", "seconds": CPU_SECONDS}


if __name__ == "__main__":
    json.dump({name: tried(build) for name, build in {**HOSTILE, **HARMLESS}.items()}, sys.stdout)
