"""Personal data at rest: it opens only where it was sealed, and is found again only with the key."""

import pytest

from services.shared.runtime.personal_data import (
    INDEX_BYTES,
    FieldKeys,
    PersonalData,
    PersonalDataUnreadable,
    new_field_keys,
    read_field_keys,
    write_field_keys,
)

ID_NUMBER = "99010219900307663X"
COLUMN = "award_people.id_number_sealed"
KEYS = new_field_keys()
DATA = PersonalData(KEYS)


@pytest.mark.parametrize("value", ["", ID_NUMBER, "王小明", "a" * 10_000])
def test_what_was_sealed_opens_in_its_place(value):
    assert DATA.decrypt(COLUMN, "award_1/m1", DATA.encrypt(COLUMN, "award_1/m1", value)) == value


def test_a_sealed_value_shows_nothing_and_differs_each_time():
    first, second = (DATA.encrypt(COLUMN, "award_1/m1", ID_NUMBER) for _ in range(2))
    assert first != second
    assert ID_NUMBER.encode() not in first


@pytest.mark.parametrize("place", [(COLUMN, "award_2/m1"), ("award_people.name_sealed", "award_1/m1")])
def test_a_ciphertext_moved_elsewhere_does_not_open(place):
    sealed = DATA.encrypt(COLUMN, "award_1/m1", ID_NUMBER)
    with pytest.raises(PersonalDataUnreadable):
        DATA.decrypt(*place, sealed)


def test_another_key_does_not_open_it():
    sealed = DATA.encrypt(COLUMN, "award_1/m1", ID_NUMBER)
    with pytest.raises(PersonalDataUnreadable):
        PersonalData(new_field_keys()).decrypt(COLUMN, "award_1/m1", sealed)


@pytest.mark.parametrize("position", [0, 1, 2, 13, 14, -1])
def test_one_altered_byte_does_not_open(position):
    sealed = bytearray(DATA.encrypt(COLUMN, "award_1/m1", ID_NUMBER))
    sealed[position] ^= 1
    with pytest.raises(PersonalDataUnreadable):
        DATA.decrypt(COLUMN, "award_1/m1", bytes(sealed))


@pytest.mark.parametrize("length", [0, 1, 2, 13, 14, 15, 29])
def test_a_cut_ciphertext_does_not_open(length):
    with pytest.raises(PersonalDataUnreadable):
        DATA.decrypt(COLUMN, "award_1/m1", DATA.encrypt(COLUMN, "award_1/m1", "")[:length])


def test_the_refusal_says_the_column_and_nothing_of_the_value():
    with pytest.raises(PersonalDataUnreadable) as refusal:
        DATA.decrypt(COLUMN, "award_2/m1", DATA.encrypt(COLUMN, "award_1/m1", ID_NUMBER))
    assert str(refusal.value) == COLUMN


def test_an_older_key_still_opens_what_it_sealed():
    sealed = DATA.encrypt(COLUMN, "award_1/m1", ID_NUMBER)
    changed = PersonalData(FieldKeys({**KEYS.data, 2: new_field_keys().data[1]}, 2, KEYS.index))
    assert changed.decrypt(COLUMN, "award_1/m1", sealed) == ID_NUMBER
    assert changed.encrypt(COLUMN, "award_1/m1", ID_NUMBER)[1] == 2


def test_equal_values_have_an_equal_index_and_others_do_not():
    index = DATA.index_of("id_number", ID_NUMBER)
    assert len(index) == INDEX_BYTES
    assert index == PersonalData(KEYS).index_of("id_number", ID_NUMBER)
    assert index != DATA.index_of("id_number", ID_NUMBER[:-1] + "1")
    assert index != DATA.index_of("card_number", ID_NUMBER)
    assert index != PersonalData(new_field_keys()).index_of("id_number", ID_NUMBER)


def test_keys_are_kept_in_a_file_of_the_owner_alone(tmp_path):
    path = tmp_path / "keys.json"
    write_field_keys(path, KEYS)
    assert read_field_keys(path) == KEYS
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_keys_do_not_show_in_a_message():
    assert repr(KEYS).count("b'") == 0 and repr(KEYS).count('b"') == 0
