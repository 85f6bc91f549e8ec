"""The store of awards: pages are bounded, and whom an award names opens in its own row alone."""

import pytest

from services.eligibility.domain.award import Person
from services.eligibility.store.awards import PAGE_LIMIT, find_award, find_people, list_awards
from services.shared.runtime.personal_data import PersonalDataUnreadable


@pytest.fixture(scope="module")
def three(eligibility):
    return [eligibility.proposed() for _ in range(3)]


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_a_page_holds_no_more_than_is_asked_for(eligibility, three, limit):
    found = eligibility.runtime.database.read(list_awards, ("42",), "", limit)
    assert [award.id for award in found] == three[:limit]


def test_no_page_is_larger_than_the_bound(eligibility, three):
    """More awards than a page holds, put there by direct SQL."""
    copies = (
        "insert into eligibility.awards select 'award_x' || n, determination, 'p' || n, subject, '429000', kind,"
        " amount_fen, first_month, until_month, basis, proposed_by, proposed_at"
        " from eligibility.awards, generate_series(1, :count) n where id = :id"
    )
    with eligibility.owner.begin() as owner:
        owner.exec_driver_sql(copies.replace(":count", str(PAGE_LIMIT + 1)).replace(":id", f"'{three[0]}'"))
    read = eligibility.runtime.database.read
    assert len(read(list_awards, ("4290",), "", PAGE_LIMIT + 1)) == PAGE_LIMIT
    answer = eligibility.get("/awards", params={"region": "429000", "limit": 500}).json()
    assert len(answer["data"]) == 500 and answer["next"] == answer["data"][-1]["id"]
    rest = eligibility.get("/awards", params={"region": "429000", "cursor": answer["next"]}).json()
    assert (len(rest["data"]), rest["next"]) == (2, None)


def test_a_list_of_a_place_holds_what_was_merged_into_it(eligibility, three):
    """An award of Laiwu, which became a district of Jinan; the office of Jinan lists and reads it."""
    moved = (
        "insert into eligibility.awards select 'award_of_laiwu', determination, 'p', subject, '371202', kind,"
        " amount_fen, first_month, until_month, basis, proposed_by, proposed_at"
        " from eligibility.awards where id = ':id'"
    )
    with eligibility.owner.begin() as owner:
        owner.exec_driver_sql(moved.replace(":id", three[0]))
    listed = eligibility.get("/awards", params={"region": "370100"}, regions=("370100",)).json()["data"]
    assert [award["id"] for award in listed] == ["award_of_laiwu"]
    assert eligibility.get("/awards/award_of_laiwu", regions=("370100",)).status_code == 200
    assert eligibility.get("/awards/award_of_laiwu", regions=("370200",)).status_code == 404


def test_a_prefix_is_text_and_no_pattern(eligibility, three):
    assert eligibility.runtime.database.read(list_awards, ("4_",), "", 10) == []
    assert eligibility.runtime.database.read(list_awards, ("%",), "", 10) == []


def test_what_is_sealed_opens_for_the_message_to_payments(eligibility, new_proposal):
    proposal = new_proposal()
    award = eligibility.propose(eligibility.determined()["id"], proposal).json()["id"]
    found = eligibility.runtime.database.read(find_people, award, eligibility.runtime.personal_data)
    told = [Person(p["member"], p["name"], p["id_number"], p.get("card_number")) for p in proposal["people"]]
    assert found == sorted(told, key=lambda person: person.member)


@pytest.mark.parametrize("column", ["name_sealed", "id_number_sealed"])
def test_a_ciphertext_moved_to_another_person_does_not_open(eligibility, three, column):
    other = f"(select {column} from eligibility.award_people where award = :id and member = 'm2')"  # noqa: S608
    where = "award = :id and member = 'm1'"
    with (
        eligibility.altered("award_people", f"{column} = {other}", where, id=three[0]),
        pytest.raises(PersonalDataUnreadable),
    ):
        eligibility.runtime.database.read(find_people, three[0], eligibility.runtime.personal_data)


def test_nothing_is_found_under_another_id(eligibility):
    assert eligibility.runtime.database.read(find_award, "none") is None
    assert eligibility.runtime.database.read(find_people, "none", eligibility.runtime.personal_data) == []
