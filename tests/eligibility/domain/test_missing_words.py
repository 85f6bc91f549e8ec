"""What a result still needs, in words, and whose it is."""

import pytest

from services.eligibility.api import household_body as body
from services.eligibility.domain.missing_words import FACTS, fact_missing

SHAPES = (
    body.Household,
    body.Member,
    body.Disability,
    body.Student,
    body.Income,
    body.Supporter,
    body.Parent,
    body.Assets,
    body.Business,
    body.Spending,
    body.MedicalBill,
    body.Event,
)
NEVER_MISSING = {"members", "id", "member", "programme"}


@pytest.mark.parametrize(
    ("path", "zh", "en"),
    [
        ("household.assets.financial", "存款等金融资产", "savings"),
        ("household.members[m1].income", "成员 m1 的收入", "income (member m1)"),
        ("household.members[a.b].disability", "成员 a.b 的残疾类别和等级", "the disability and its grade (member a.b)"),
        (
            "household.members[m1].supporters[0].benefits",
            "成员 m1 的第 1 名扶养人的正在领取的救助和补贴",
            "aid in payment (supporter 1) (member m1)",
        ),
        ("events[1].requested", "第 2 件突发事件的申请的金额", "the amount asked for (emergency 2)"),
        ("household.unheard_of", "household.unheard_of", "household.unheard_of"),
    ],
)
def test_a_missing_fact_is_named_with_whose_it_is(path, zh, en):
    assert (fact_missing(path).zh, fact_missing(path).en) == (zh, en)


def test_every_fact_of_a_request_has_words():
    told = {key for shape in SHAPES for key in shape.__annotations__} - NEVER_MISSING
    assert told - set(FACTS) == set()
    assert set(FACTS) - told == {"events"}
