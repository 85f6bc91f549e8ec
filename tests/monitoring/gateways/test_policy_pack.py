"""The shipped signals are read whole, and a broken pack stops the start."""

import re

import pytest

from services.monitoring.gateways.policy_pack import PACKS, SignalPackInvalid, read_signals

SHIPPED = (PACKS / "cn" / "signals.toml").read_text(encoding="utf-8")


def test_a_death_is_red_and_cites_its_instrument():
    signal = read_signals()["deaths"]
    assert (signal.id, signal.grade, signal.limit_months, signal.article) == ("M12", "red", 3, "一（三）")
    assert signal.deadline_source == "configuration"
    assert "3个月" in signal.quote


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('grade = "red"', 'grade = "pink"'),
        ("limit_months = 3", "limit_months = 0"),
        ("limit_months = 3", 'limit_months = "3"'),
        ("deadline_working_days = 3", "deadline_working_days = -1"),
        ('article = "一（三）"', ""),
        ('article = "一（三）"', 'article = "一（三）"\nmore = 1'),
        ("[pack]", "[other]"),
        ("[[signals]]", "[[signals"),
        ("[[signals]]", "[[no_signals]]"),
    ],
)
def test_a_broken_pack_is_refused(tmp_path, old, new):
    assert old in SHIPPED
    (tmp_path / "signals.toml").write_text(SHIPPED.replace(old, new), encoding="utf-8")
    with pytest.raises(SignalPackInvalid, match=r"signals\.toml") as refused:
        read_signals(tmp_path)
    assert says_it_in_both_languages(refused)


def test_two_signals_of_one_feed_are_refused(tmp_path):
    twice = SHIPPED + SHIPPED[SHIPPED.index("[[signals]]") :]
    (tmp_path / "signals.toml").write_text(twice, encoding="utf-8")
    with pytest.raises(SignalPackInvalid, match="one feed") as refused:
        read_signals(tmp_path)
    assert says_it_in_both_languages(refused)


def test_a_missing_pack_is_refused(tmp_path):
    with pytest.raises(SignalPackInvalid) as refused:
        read_signals(tmp_path)
    assert says_it_in_both_languages(refused)


def says_it_in_both_languages(refused):
    zh, _, en = str(refused.value).partition(" / ")
    return re.search(r"[\u4e00-\u9fff]", zh) and re.search(r"[A-Za-z]{3}", en) and not re.search(r"[\u4e00-\u9fff]", en)
