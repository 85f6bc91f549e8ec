"""In production demo people are refused, since they can belong to nobody; a real number is taken."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from joserfc.jwk import OKPKey

from services.eligibility.app import create_app
from services.eligibility.settings import configuration
from services.shared.runtime.callers import UntrustedKeys, issue_token
from services.shared.runtime.clock import system_now
from services.shared.vocabulary.actor import NATION, Actor
from services.shared.vocabulary.identifiers import id_number_with_check_character

ROLES = ["caseworker", "confirmer", "auditor"]
PLACE_OF_NOBODY = "429900"
"""No county has this code, so these numbers are nobody's; only the prefix 99 makes a demo person."""


@pytest.fixture(scope="module")
def production(configured, owner_url, run_service, tmp_path_factory):
    """The service in production, whose callers' tokens a portal of its own signs."""
    key = OKPKey.generate_key("Ed25519")
    keys = tmp_path_factory.mktemp("keys") / "trusted.json"
    entry = {**key.as_dict(private=False), "kid": "portal-1", "iss": "https://portal", "roles": ROLES}
    keys.write_text(json.dumps({"keys": [entry]}), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOUDI_MODE", "production")
        patch.setenv("DOUDI_TEST_CLOCK", "false")
        patch.setenv("DOUDI_TRUSTED_KEYS_FILE", str(keys))
        app = create_app(configuration())
    with run_service(app, owner_url, Path(configured["DOUDI_DATA_DIR"])) as service:

        def token(role, regions=(NATION,)):
            actor = Actor(role, frozenset({role}), regions)
            return issue_token(key, "portal-1", "https://portal", actor, system_now(), timedelta(hours=1))

        service.token = token
        yield service


def real_people(people):
    numbers = [id_number_with_check_character(f"{PLACE_OF_NOBODY}19800115{number:03d}") for number in range(3)]
    return [{**person, "id_number": number} for person, number in zip(people, numbers, strict=True)]


def test_a_demo_person_is_refused_and_nothing_stored(production, new_proposal):
    found = production.determined()
    before = production.counts()
    answer = production.propose(found["id"], new_proposal())
    assert (answer.status_code, answer.json()["code"]) == (422, "demo_person_refused")
    assert production.counts() == before


def test_one_demo_person_among_real_ones_is_refused_too(production, new_proposal):
    found = production.determined()
    people = new_proposal()["people"]
    mixed = [*real_people(people)[:2], people[2]]
    assert production.propose(found["id"], new_proposal(people=mixed)).json()["code"] == "demo_person_refused"


def test_real_people_are_taken(production, new_proposal):
    found = production.determined()
    people = real_people(new_proposal()["people"])
    assert production.propose(found["id"], new_proposal(people=people)).status_code == 201


def test_production_has_no_test_clock(production):
    assert production.call("POST", "/test-helpers/clock", "auditor", json={}).status_code == 404


def test_production_refuses_the_development_keys(configured):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOUDI_MODE", "production")
        patch.setenv("DOUDI_TEST_CLOCK", "false")
        with pytest.raises(UntrustedKeys):
            create_app(configuration())
