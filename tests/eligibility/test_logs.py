"""A person's number, name and card, sent through every operation, are in no line of the service's or worker's log."""

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace

import httpx
import pytest

from services.shared.vocabulary.identifiers import id_number_with_check_character

NAME, CARD = "司马金丝雀", "9777777777777777"
ID_NUMBER = id_number_with_check_character("99010019770707777")
CANARIES = (NAME, CARD, ID_NUMBER, ID_NUMBER[:-1])


@pytest.fixture
def logged(eligibility, configured, tmp_path):
    """The service in a process of its own whose output is kept, beside its worker; both end before it is read."""
    port = free_port()
    environment = os.environ | configured | {"DOUDI_ELIGIBILITY_PORT": str(port), "DOUDI_LOG_LEVEL": "DEBUG"}
    environment |= {"DOUDI_PAYMENTS_URL": "http://127.0.0.1:9"}
    output = tmp_path / "log"
    with output.open("wb") as file:
        processes = [
            subprocess.Popen(
                [sys.executable, "-m", "services.eligibility", name], env=environment, stdout=file, stderr=file
            )
            for name in ("serve", "worker")
        ]
    service = replace(eligibility, url=f"http://127.0.0.1:{port}")
    service.eventually(lambda: is_up(service))

    def read():
        for process in processes:
            process.terminate()
            process.wait(30)
        return output.read_text(encoding="utf-8")

    yield service, read
    for process in processes:
        process.kill()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def is_up(service):
    try:
        return service.http.get(f"{service.url}/eligibility/v1/ready").status_code == 200
    except httpx.HTTPError:
        return False


def test_no_line_of_the_log_holds_personal_data(logged, new_proposal):
    service, read = logged
    body = service.household()
    found = service.determined(body)
    people = new_proposal()["people"]
    people[0].update(name=NAME, id_number=ID_NUMBER, card_number=CARD)
    proposal = new_proposal(people=people)
    award = service.propose(found["id"], proposal, headers={"Request-Id": ID_NUMBER}).json()["id"]
    service.propose(found["id"], proposal)
    service.decide(award, body={"reason": NAME}, headers={"User-Agent": ID_NUMBER})
    body["household"]["members"][0]["id"] = ID_NUMBER
    body["household"][ID_NUMBER] = NAME
    for path in ("/determinations", "/simulations", f"/determinations/{ID_NUMBER}/awards", f"/awards/{CARD}/confirm"):
        service.post(path, body)
        service.post(path, f'{{"{NAME}": "{ID_NUMBER}'.encode())
    for path in (
        f"/awards/{ID_NUMBER}",
        f"/determinations/{CARD}",
        f"/awards?region={ID_NUMBER}",
        f"/{NAME}/{ID_NUMBER}",
    ):
        service.get(path)
    message = "select tries from eligibility.outbox_messages where entity_id = :id"
    service.eventually(lambda: service.rows(message, id=award)[0].tries >= 1)
    log = read()
    lines = [json.loads(line) for line in log.splitlines()]
    assert {line["process"] for line in lines} == {"serve", "worker"}
    assert sum(line["event"] == "request" for line in lines) > 12
    assert not [line for line in lines if any(canary in str(line) for canary in CANARIES)]


def test_nothing_of_a_persons_is_in_an_error_either(eligibility, new_proposal):
    found = eligibility.determined()
    people = new_proposal()["people"]
    people[0].update(name=NAME, id_number=ID_NUMBER, card_number=CARD)
    for changes in ({"until": "2099-01"}, {"programme": "none"}, {"people": people[:2]}, {"extra": ID_NUMBER}):
        answer = eligibility.propose(found["id"], {**new_proposal(people=people), **changes})
        assert answer.status_code in (400, 422)
        assert not any(canary in answer.text for canary in CANARIES)
