"""Says in plain words which facts and figures a result still needs."""

import re
from collections.abc import Mapping

from services.shared.policy.text import Text

FACTS: Mapping[str, Text] = {
    "area_type": Text("居住在城镇还是农村", "whether home is urban or rural"),
    "recognised_as": Text("已认定的身份", "the status already confirmed"),
    "assets": Text("家庭财产", "what the household owns"),
    "financial": Text("存款等金融资产", "savings"),
    "vehicles": Text("车辆", "vehicles"),
    "homes": Text("住房套数", "the number of homes"),
    "non_residential": Text("非居住用房", "non-residential property"),
    "businesses": Text("企业", "businesses"),
    "registered_capital": Text("企业注册资本", "the capital of businesses"),
    "spending_last_12_months": Text("过去十二个月的支出", "spending of the last twelve months"),
    "medical": Text("过去十二个月的医疗支出", "medical spending of the last twelve months"),
    "education": Text("过去十二个月的教育支出", "education spending of the last twelve months"),
    "rehabilitation": Text("过去十二个月的康复支出", "rehabilitation spending of the last twelve months"),
    "living": Text("过去十二个月的生活支出", "living costs of the last twelve months"),
    "medical_bill": Text("自己负担的医疗费用", "the medical bill to pay"),
    "in_policy_cost": Text("医保报销后自己负担的费用", "the cost left after insurance"),
    "birth_date": Text("出生日期", "the date of birth"),
    "relation": Text("家庭关系", "the family relation"),
    "sex": Text("性别", "the sex"),
    "disability": Text("残疾类别和等级", "the disability and its grade"),
    "category": Text("残疾类别", "the kind of disability"),
    "grade": Text("残疾等级", "the grade of disability"),
    "components": Text("各项残疾", "each of the disabilities"),
    "serious_illness": Text("是否患重病", "whether there is a serious illness"),
    "work_ability": Text("劳动能力", "the ability to work"),
    "employment": Text("就业状况", "employment"),
    "student": Text("上学情况", "schooling"),
    "level": Text("就读阶段", "the level of school"),
    "full_time": Text("是否全日制就读", "whether school is full-time"),
    "self_care_failures": Text("六项自理能力", "the six self-care items"),
    "care_arrangement": Text("在家还是在机构供养", "whether care is at home or in an institution"),
    "needs_long_term_care": Text("是否需要长期照护", "whether long-term care is needed"),
    "income": Text("收入", "income"),
    "monthly": Text("每月金额", "the amount a month"),
    "benefits": Text("正在领取的救助和补贴", "aid in payment"),
    "circumstances": Text("有无服刑、失踪等情况", "circumstances such as imprisonment"),
    "supporters": Text("家庭以外的赡养、抚养、扶养人", "supporters outside the household"),
    "parents": Text("父母的情况", "what became of the parents"),
    "work_injury_care_fee": Text("是否领取工伤生活护理费", "whether the care fee of work injury insurance is drawn"),
    "ability_level": Text("老年人能力评估等级", "the level of ability assessed"),
    "per_capita_income": Text("家庭人均收入", "the income a head of their household"),
    "property_ok": Text("家庭财产是否符合规定", "whether their property is within the limits"),
    "legal_capacity": Text("有无民事行为能力", "whether there is legal capacity"),
    "state": Text("情形", "what became of them"),
    "since": Text("情形从何时起", "the day since when"),
    "until": Text("情形到何时止", "the day until when"),
    "events": Text("突发事件", "emergencies"),
    "on": Text("发生日期", "the day it happened"),
    "region": Text("发生地", "the place where it happened"),
    "requested": Text("申请的金额", "the amount asked for"),
    "persons": Text("受影响的人数", "how many persons it hit"),
    "months": Text("困难持续的月数", "how many months it lasts"),
    "severity": Text("严重程度", "how grave it is"),
    "kind": Text("类别", "the kind"),
}
"""By the last key of a path in a request, what stands there."""

_OWNERS: tuple[tuple[re.Pattern[str], tuple[str, str]], ...] = (
    (re.compile(r"\.supporters\[(\d+)\]\."), ("第 {} 名扶养人", "supporter {}")),
    (re.compile(r"\.parents\[(\d+)\]\."), ("父母第 {} 人", "parent {}")),
    (re.compile(r"^events\[(\d+)\]\."), ("第 {} 件突发事件", "emergency {}")),
)
_MEMBER = re.compile(r"\.members\[(.+?)\]\.")


def fact_missing(path: str) -> Text:
    """The fact at a path such as `household.members[m1].income`, and whose it is; the path where nobody named it."""
    said = FACTS.get(path.rpartition(".")[2].partition("[")[0])
    if said is None:
        return Text(path, path)
    for pattern, (zh, en) in _OWNERS:
        if found := pattern.search(path):
            number = int(found[1]) + 1
            said = Text(f"{zh.format(number)}的{said.zh}", f"{said.en} ({en.format(number)})")
    member = _MEMBER.search(path)
    return said if member is None else Text(f"成员 {member[1]} 的{said.zh}", f"{said.en} (member {member[1]})")
