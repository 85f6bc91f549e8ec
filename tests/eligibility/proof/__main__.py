"""`python -m tests.eligibility.proof`: how many small mistakes in the nation's rules the built households give away."""

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from tests.eligibility.proof.population import ATTEMPTS, neighbourhoods
from tests.eligibility.proof.score import Score, score
from tests.eligibility.proof.survivors import listed
from tests.eligibility.proof.worlds import DATES, worlds


def main() -> int:
    """Print the score of each date, and the survivors; 1 when one is not listed."""
    arguments = _arguments()
    scores = {on: _score(on, arguments) for on in arguments.date or DATES}
    if arguments.json:
        print(json.dumps([_figures(on, found) for on, found in scores.items()], ensure_ascii=False, indent=2))
    else:
        for line in _lines(scores):
            print(line)
    reasons = listed()
    return int(any(mutant.name not in reasons for found in scores.values() for mutant in found.survivors))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.eligibility.proof", description=__doc__)
    parser.add_argument("--date", type=date.fromisoformat, action="append", help="only this date; may be repeated")
    parser.add_argument("--attempts", type=int, default=ATTEMPTS, help="households that the search makes")
    parser.add_argument("--seed", type=int, default=0, help="another seed builds other households")
    parser.add_argument("--json", action="store_true", help="print figures for machines")
    return parser.parse_args()


def _score(on: date, arguments: argparse.Namespace) -> Score:
    # Those that are listed are tried like all others, so that the list is put to the test.
    return score(worlds(on), neighbourhoods(on, arguments.seed, arguments.attempts))


def _figures(on: date, found: Score) -> Mapping[str, Any]:
    return {
        "date": on.isoformat(),
        "households": found.households,
        "mutants": dict(Counter(mutant.kind for mutant in found.mutants)),
        "survivors": [mutant.name for mutant in found.survivors],
        "score": round(found.share, 4),
        "cpu_seconds": round(found.cpu_seconds, 1),
    }


def _lines(scores: Mapping[date, Score]) -> Iterator[str]:
    reasons = listed()
    for on, found in scores.items():
        kinds = ", ".join(f"{kind} {count}" for kind, count in Counter(item.kind for item in found.mutants).items())
        yield f"{on}: {found.households} households, {len(found.mutants)} mutants ({kinds})"
        yield f"  killed {found.share:.2%}; {len(found.survivors)} survive; {found.cpu_seconds:.0f} s of CPU"
        for mutant in found.survivors:
            yield f"  {'    ' if mutant.name in reasons else 'new '}{mutant.name}"


if __name__ == "__main__":
    raise SystemExit(main())
