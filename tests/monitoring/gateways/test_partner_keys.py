"""The registered keys are read strictly: a file that is half right is not used."""

import json

import pytest

from services.monitoring.gateways.partner_keys import read_partner_keys
from services.shared.runtime.callers import UntrustedKeys

GOOD = {
    "kty": "OKP",
    "crv": "Ed25519",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",  # RFC 8037, appendix A
    "kid": "civil-affairs",
    "partner": "civil-affairs",
    "feeds": ["deaths"],
}


@pytest.fixture
def write(tmp_path):
    def write_file(*entries):
        path = tmp_path / "partner-keys.json"
        path.write_text(json.dumps({"keys": list(entries)}))
        return path

    return write_file


def test_a_key_says_whose_it_is_and_for_what(write):
    [(key_id, key)] = read_partner_keys(write(GOOD), True).items()
    assert (key_id, key.partner, key.feeds, key.region) == ("civil-affairs", "civil-affairs", {"deaths"}, "000000")


def test_a_department_may_stand_for_a_region(write):
    assert read_partner_keys(write(GOOD | {"region": "530113"}), True)["civil-affairs"].region == "530113"


@pytest.mark.parametrize(
    "changes",
    [{"kty": "EC"}, {"crv": "X25519"}, {"x": "AAAA"}, {"x": 5}, {"region": "53011"}, {"feeds": None}, {"kid": None}],
    ids=str,
)
def test_a_wrong_entry_is_refused(write, changes):
    entry = {name: value for name, value in (GOOD | changes).items() if value is not None}
    with pytest.raises(UntrustedKeys):
        read_partner_keys(write(entry), False)


def test_a_repeated_kid_is_refused(write):
    with pytest.raises(UntrustedKeys, match="repeated"):
        read_partner_keys(write(GOOD, GOOD), False)


def test_production_refuses_development_keys(write):
    path = write(GOOD | {"kid": "dev-civil-affairs"})
    assert read_partner_keys(path, False)
    with pytest.raises(UntrustedKeys, match="production"):
        read_partner_keys(path, True)


@pytest.mark.parametrize("text", ["", "[]", '{"keys": [5]}', '{"keys": 5}', "{}"])
def test_what_is_no_key_set_is_refused(tmp_path, text):
    path = tmp_path / "keys.json"
    path.write_text(text)
    with pytest.raises(UntrustedKeys):
        read_partner_keys(path, False)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(UntrustedKeys):
        read_partner_keys(tmp_path / "none.json", False)
