"""Answers of the packs that ship, for tests of what is made of an answer."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.cli import main_job
from services.eligibility.api.household_body import parse_request
from services.eligibility.gateways.pack_folder import read_packs
from services.eligibility.use_cases.evaluate_household import pack_set_of, rendered_answer

REQUESTS = Path(main_job.__file__).parent / "requests"
GOLDEN = Path(__file__).parents[2] / "golden"


@pytest.fixture(scope="session")
def real_answer() -> Callable[[str], dict[str, Any]]:
    """Answers the main job's request of that name."""
    packs = pack_set_of(read_packs())

    def answer(name: str) -> dict[str, Any]:
        if name == "guangzhou_margin_family":
            body = json.loads((GOLDEN / "w10-guangzhou-margin-single.json").read_text(encoding="utf-8"))["request"]
        else:
            body = json.loads((REQUESTS / f"{name}.json").read_text(encoding="utf-8"))
        return orjson.loads(rendered_answer(packs, parse_request(body)).body)

    return answer
