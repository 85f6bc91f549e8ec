"""What runs in the peers' environment: answers every compared household, or times the timed ones, and prints JSON.

PEERS_PYTHON -m benchmarks.comparison.peer_process openfisca|openfisca_yuan|zen answers COUNT
PEERS_PYTHON -m benchmarks.comparison.peer_process openfisca|openfisca_yuan|zen times ROUNDS
"""

import json
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

from benchmarks.comparison.household import Household
from benchmarks.comparison.referee import Outputs
from benchmarks.comparison.sample import compared, timed
from benchmarks.comparison.timing import microseconds

TRUTHS = frozenset({"assets_ok", "margin", "rigid"})
FEN_A_YUAN = 100


def main(engine: str, asked: str, number: int) -> None:
    """Print the package's version, and the answers in order or the microseconds of each way to ask."""
    answer, steps = {"openfisca": _openfisca, "openfisca_yuan": _openfisca_in_yuan, "zen": _zen}[engine]()
    found: Any
    if asked == "answers":
        found = [answer(household) for household in compared(number)]
    else:
        found = {name: microseconds(step, given, number) for name, (step, given) in steps.items()}
    print(json.dumps({asked: found, "version": version(PACKAGES[engine])}))


PACKAGES = {"openfisca": "OpenFisca-Core", "openfisca_yuan": "OpenFisca-Core", "zen": "zen-engine"}

Steps = dict[str, tuple[Callable[[Any], Any], Sequence[Any]]]
Engine = tuple[Callable[[Household], Sequence[int]], Steps]


def _openfisca() -> Engine:
    from benchmarks.comparison.openfisca_policy import Fen

    return _openfisca_with(Fen, 1)


def _openfisca_in_yuan() -> Engine:
    from benchmarks.comparison.openfisca_policy import Yuan

    return _openfisca_with(Yuan, FEN_A_YUAN)


def _openfisca_with(money: Any, scale: int) -> Engine:
    from openfisca_core.periods import period
    from openfisca_core.simulations import SimulationBuilder
    from openfisca_web_api import handlers

    from benchmarks.comparison.openfisca_policy import policy
    from benchmarks.comparison.openfisca_situation import situation

    system = policy(money)()

    def calculated(asked: tuple[dict[str, Any], Any]) -> list[Any]:
        simulation = SimulationBuilder().build_from_entities(system, asked[0])
        return [simulation.calculate(name, asked[1])[0] for name in Outputs._fields]

    def traced(asked: tuple[dict[str, Any], Any]) -> Any:
        simulation = SimulationBuilder().build_from_entities(system, asked[0])
        simulation.trace = True
        for name in Outputs._fields:
            simulation.calculate(name, asked[1])
        return simulation.tracer.get_serialized_flat_trace()

    def answer(household: Household) -> list[int]:
        values = calculated((situation(household, scale), period(household.on[:7])))
        return [
            int(value) if name in TRUTHS else round(float(value) * scale)
            for name, value in zip(Outputs._fields, values, strict=True)
        ]

    sent = [json.dumps(situation(household, scale)) for household in timed()]
    asked = [(situation(household, scale), period(household.on[:7])) for household in timed()]
    return answer, {
        "values": (calculated, asked),
        "trace": (traced, asked),
        "JSON to JSON, /calculate's handler": (
            lambda body: json.dumps(handlers.calculate(system, json.loads(body))),
            sent,
        ),
        "JSON to JSON, /trace's handler": (lambda body: json.dumps(handlers.trace(system, json.loads(body))), sent),
    }


def _zen() -> Engine:
    import zen

    from benchmarks.comparison.zen_policy import context, decision

    loaded = zen.ZenEngine().create_decision(decision())

    def answer(household: Household) -> list[int]:
        result = loaded.evaluate(context(household))["result"]
        return [result[name] for name in Outputs._fields]

    contexts = [context(household) for household in timed()]
    return answer, {
        "values": (loaded.evaluate, contexts),
        "trace": (lambda given: loaded.evaluate(given, {"trace": True}), contexts),
        "JSON to JSON": (lambda body: json.dumps(loaded.evaluate(body)["result"]), list(map(json.dumps, contexts))),
        "JSON to JSON, trace": (
            lambda body: json.dumps(loaded.evaluate(body, {"trace": True})),
            list(map(json.dumps, contexts)),
        ),
    }


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
