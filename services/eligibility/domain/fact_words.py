"""What facts, their codes and those they are facts of are called in plain words."""

from collections.abc import Mapping

from services.shared.policy.text import Text

ENTITIES: Mapping[str, Text] = {
    "household": Text("家庭", "the household"),
    "member": Text("家庭成员", "member"),
    "supporter": Text("赡养、抚养、扶养人", "supporter"),
    "parent": Text("父母", "parent"),
    "vehicle": Text("车辆", "vehicle"),
    "business": Text("企业", "business"),
    "event": Text("急难事件", "emergency"),
}
"""What one of each is called."""

PLURALS: Mapping[str, Text] = {
    **ENTITIES,
    "member": Text("家庭成员", "members"),
    "supporter": Text("赡养、抚养、扶养人", "supporters"),
    "parent": Text("父母", "parents"),
    "vehicle": Text("车辆", "vehicles"),
    "business": Text("企业", "businesses"),
    "event": Text("急难事件", "emergencies"),
}
_PROGRAMMES: Mapping[str, Text] = {
    "dibao": Text("低保", "dibao"),
    "dibao_single": Text("单人保", "single-person dibao"),
    "tekun": Text("特困人员救助供养", "support for destitute persons"),
    "orphan_allowance": Text("孤儿基本生活费", "the orphan allowance"),
    "unsupported_child_allowance": Text("事实无人抚养儿童补贴", "the allowance for unsupported children"),
    "dibao_margin": Text("低保边缘家庭认定", "recognition as a margin household"),
    "rigid_expenditure": Text("刚性支出困难家庭认定", "recognition as a rigid-expenditure household"),
    "medical_aid": Text("医疗救助", "medical aid"),
    "premium_aid": Text("参保资助", "help with the insurance premium"),
    "education_aid": Text("教育救助", "education aid"),
    "housing_aid": Text("住房救助", "housing aid"),
    "employment_aid": Text("就业救助", "employment aid"),
    "disaster_relief": Text("受灾人员救助", "disaster relief"),
    "temporary_aid": Text("临时救助", "temporary aid"),
    "small_advance": Text("小额先行救助", "a small advance"),
    "homeless_aid": Text("流浪乞讨人员救助", "aid for the homeless"),
    "emergency_medical_aid": Text("疾病应急救助", "emergency medical aid"),
    "child_rehabilitation": Text("残疾儿童康复救助", "rehabilitation aid for disabled children"),
    "legal_aid": Text("法律援助", "legal aid"),
    "judicial_aid": Text("司法救助", "judicial aid"),
    "heating_aid": Text("取暖救助", "heating aid"),
    "funeral_aid": Text("丧葬救助", "funeral aid"),
    "disability_living_subsidy": Text("困难残疾人生活补贴", "the living subsidy for disabled persons"),
    "disability_care_subsidy": Text("重度残疾人护理补贴", "the care subsidy for severely disabled persons"),
    "old_age_allowance": Text("高龄津贴", "the old-age allowance"),
    "elderly_care_subsidy": Text("养老护理补贴", "the care subsidy for the elderly"),
    "living_supplement": Text("生活补助", "the living supplement"),
    "price_subsidy": Text("价格补贴", "the price subsidy"),
    "festival_grant": Text("节日慰问金", "the festival grant"),
}
_DISABILITIES: Mapping[str, Text] = {
    "visual": Text("视力残疾", "visual"),
    "hearing": Text("听力残疾", "hearing"),
    "speech": Text("言语残疾", "speech"),
    "physical": Text("肢体残疾", "physical"),
    "intellectual": Text("智力残疾", "intellectual"),
    "mental": Text("精神残疾", "mental"),
}
_INCOMES: Mapping[str, Text] = {
    "wage": Text("工资收入", "income from wages"),
    "business": Text("经营收入", "business income"),
    "property": Text("财产收入", "income from property"),
    "pension": Text("养老金（不含基础养老金）", "pension, the base pension left out"),
    "base_pension": Text("中央基础养老金", "the central base pension"),
    "unemployment_benefit": Text("失业金", "unemployment benefit"),
    "maintenance": Text("赡养费、抚养费、扶养费", "maintenance received"),
    "transfer": Text("其他转移收入", "income from other transfers"),
    "special_care": Text("优待抚恤金", "income from special care payments"),
    "scholarship": Text("奖学金、助学金", "income from scholarships"),
    "disability_subsidy": Text("残疾人两项补贴收入", "income from disability subsidies"),
    "old_age_allowance": Text("高龄津贴收入", "the old-age allowance received"),
    "social_assistance": Text("社会救助款", "social assistance received"),
    "childcare_subsidy": Text("育儿补贴", "the childcare subsidy"),
    "other": Text("其他收入", "other income"),
}
_CIRCUMSTANCES: Mapping[str, Text] = {
    "imprisoned": Text("正在服刑", "is in prison"),
    "compulsory_rehabilitation": Text("正在强制隔离戒毒", "is held for drug rehabilitation"),
    "missing": Text("失踪", "is missing"),
    "clergy_apart": Text("是在宗教场所集中生活的教职人员", "lives as clergy in a place of worship"),
    "deceased": Text("已死亡", "has died"),
}
_PERSON: Mapping[str, Text] = {
    "birth_date": Text("出生日期", "the date of birth"),
    "disability_grade": Text("残疾等级", "the grade of disability"),
    "employment": Text("就业状况", "employment"),
    "work_ability": Text("劳动能力", "the ability to work"),
    "relation": Text("与户主的关系", "the relation to the head"),
    **{f"grade_{name}": Text(f"{said.zh}等级", f"the {said.en} grade") for name, said in _DISABILITIES.items()},
    **{f"draws_{name}": Text(f"正在领取{said.zh}", f"draws {said.en}") for name, said in _PROGRAMMES.items()},
    **_CIRCUMSTANCES,
}
_FACTS: Mapping[str, Mapping[str, Text]] = {
    "household": {
        "area_type": Text("城乡类别", "urban or rural"),
        "financial": Text("存款等金融资产", "the amount of savings and other financial assets"),
        "homes": Text("住房套数", "the number of homes"),
        "non_residential": Text("非居住用房数", "the number of non-residential properties"),
        "recognised_as": Text("已认定的身份", "the status already recognised"),
        "spending_medical": Text("一年的医疗支出", "a year's medical spending"),
        "spending_education": Text("一年的教育支出", "a year's spending on education"),
        "spending_rehabilitation": Text("一年的残疾康复支出", "a year's spending on rehabilitation"),
        "spending_living": Text("一年的基本生活支出", "a year's spending on living"),
        **{f"asked_{name}": Text(f"申请了{said.zh}", f"{said.en} is asked for") for name, said in _PROGRAMMES.items()},
    },
    "member": {
        **_PERSON,
        "sex": Text("性别", "sex"),
        "serious_illness": Text("患重病", "is seriously ill"),
        "student_level": Text("就读阶段", "the level of school"),
        "student_full_time": Text("是全日制学生", "is a full-time student"),
        "self_care_failures": Text(
            "六项自理能力中不能完成的项数", "how many of the six self-care items cannot be done"
        ),
        "care_arrangement": Text("供养方式", "where care is given"),
        "needs_long_term_care": Text("需要长期照护", "needs long-term care"),
        "work_injury_care_fee": Text("领取工伤生活护理费", "draws the care fee of work injury insurance"),
        "ability_level": Text("评估的能力等级", "the level of ability assessed"),
        "bill_cost": Text("医保报销后自己负担的费用", "the cost left after insurance"),
        "bill_kind": Text("医疗费用类别", "the kind of medical bill"),
        **{f"income_{name}": said for name, said in _INCOMES.items()},
        **{
            f"drawn_{name}": Text(f"正在领取的{said.zh}金额", f"the amount drawn of {said.en}")
            for name, said in _PROGRAMMES.items()
        },
    },
    "supporter": {
        **_PERSON,
        "in_household": Text("与本人共同生活", "lives in the household"),
        "owes_support": Text("依法有赡养、抚养、扶养义务", "owes support by law"),
        "per_capita_income": Text("其家庭人均月收入", "the monthly income a head of their household"),
        "property_ok": Text("其家庭财产符合规定", "their household's property is within the limits"),
        "legal_capacity": Text("有民事行为能力", "has legal capacity"),
        "student_level": Text("就读阶段", "the level of school"),
        "student_full_time": Text("全日制就读", "is a full-time student"),
    },
    "parent": {
        **_CIRCUMSTANCES,
        "state": Text("父母的情形", "what became of the parent"),
        "since": Text("情形开始的日期", "the day since which it is so"),
        "until": Text("情形结束的日期", "the day until which it will be so"),
        "disability_grade": Text("残疾等级", "the grade of disability"),
        "grade_intellectual": Text("智力残疾等级", "the intellectual grade"),
        "grade_mental": Text("精神残疾等级", "the mental grade"),
        "serious_illness": Text("患重病", "is seriously ill"),
    },
    "vehicle": {"kind": Text("车辆类别", "the kind of vehicle")},
    "business": {"registered_capital": Text("认缴注册资本", "the subscribed capital")},
    "event": {
        "kind": Text("事件类别", "the kind of emergency"),
        "on": Text("发生日期", "the day it happened"),
        "requested": Text("申请的金额", "the amount asked for"),
        "persons": Text("受影响的人数", "the number of persons affected"),
        "months": Text("困难持续的月数", "the months that it lasts"),
        "severity": Text("严重程度", "how grave it is"),
    },
}

_RELATIONS: Mapping[str, Text] = {
    "head": Text("户主", "head"),
    "spouse": Text("配偶", "spouse"),
    "child": Text("子女", "child"),
    "parent": Text("父母", "parent"),
    "grandparent": Text("祖父母、外祖父母", "grandparent"),
    "grandchild": Text("孙子女、外孙子女", "grandchild"),
    "sibling": Text("兄弟姐妹", "sibling"),
    "other": Text("其他人", "other"),
}
_CODES: Mapping[str, Mapping[str, Text]] = {
    "area_type": {"urban": Text("城镇", "urban"), "rural": Text("农村", "rural")},
    "recognised_as": {
        "none": Text("没有", "none"),
        "dibao": Text("低保家庭", "dibao household"),
        "tekun": Text("特困人员", "destitute person"),
        "dibao_margin": Text("低保边缘家庭", "margin household"),
        "rigid_expenditure": Text("刚性支出困难家庭", "rigid-expenditure household"),
    },
    "employment": {
        "employed": Text("受雇", "employed"),
        "self_employed": Text("自己经营", "self-employed"),
        "unemployed": Text("没有工作", "without work"),
        "not_in_labour_force": Text("不求职", "not seeking work"),
    },
    "work_ability": {
        "implied": Text("未经评估", "not assessed"),
        "able": Text("有", "able"),
        "partial": Text("部分丧失", "partly lost"),
        "none": Text("完全丧失", "none"),
    },
    "relation": _RELATIONS,
    "sex": {"male": Text("男", "male"), "female": Text("女", "female")},
    "student_level": {
        "none": Text("没有上学", "no school"),
        "kindergarten": Text("幼儿园", "kindergarten"),
        "primary": Text("小学", "primary school"),
        "junior": Text("初中", "junior school"),
        "senior": Text("高中", "senior school"),
        "vocational": Text("中职", "vocational school"),
        "junior_college": Text("大专", "junior college"),
        "undergraduate": Text("本科", "university"),
        "postgraduate": Text("研究生", "postgraduate"),
    },
    "care_arrangement": {"institution": Text("在机构供养", "institution"), "home": Text("在家供养", "home")},
    "ability_level": {
        "intact": Text("能力完好", "intact"),
        "mild": Text("轻度失能", "mild loss"),
        "moderate": Text("中度失能", "moderate loss"),
        "severe": Text("重度失能", "severe loss"),
        "total": Text("完全失能", "total loss"),
    },
    "bill_kind": {
        "none": Text("没有", "none"),
        "inpatient": Text("住院", "in hospital"),
        "chronic_outpatient": Text("慢性病门诊", "outpatient for chronic illness"),
        "outpatient": Text("普通门诊", "outpatient"),
    },
    "state": {
        "with_child": Text("与子女共同生活", "lives with the child"),
        "able": Text("能够抚养", "able to care"),
        "dead": Text("死亡", "dead"),
        "missing": Text("被宣告失踪", "declared missing"),
        "imprisoned": Text("服刑在押", "in prison"),
        "severely_disabled": Text("重度残疾", "severely disabled"),
        "seriously_ill": Text("患重病", "seriously ill"),
        "lost_contact": Text("失去联系", "out of contact"),
        "guardianship_revoked": Text("被撤销监护资格", "barred from guardianship"),
        "deported": Text("被遣送出境", "deported"),
        "compulsory_rehabilitation": Text("强制隔离戒毒", "held for drug rehabilitation"),
    },
    "severity": {"light": Text("较轻", "light"), "serious": Text("较重", "serious"), "grave": Text("严重", "grave")},
    "vehicle.kind": {
        "car": Text("汽车", "car"),
        "motorcycle": Text("摩托车", "motorcycle"),
        "disability_mobility": Text("残疾人代步车", "vehicle for a disabled person"),
        "farm": Text("农用车", "farm vehicle"),
    },
    "event.kind": {
        "fire": Text("火灾", "fire"),
        "traffic_accident": Text("交通事故", "traffic accident"),
        "sudden_illness": Text("突发重病", "sudden grave illness"),
        "disaster": Text("自然灾害", "natural disaster"),
        "medical_spending": Text("医疗支出过大", "large medical spending"),
        "education_spending": Text("教育支出过大", "large spending on education"),
        "other": Text("其他急难", "another emergency"),
    },
}


def fact_words(entity: str, name: str) -> Text:
    """What a fact is called; a claim (`is in prison`) where it is a truth value. Raises KeyError for no fact."""
    return _FACTS[entity][name]


def code_words(entity: str, name: str, code: str) -> Text:
    """What a code of a fact is called. Raises KeyError for no code of the fact."""
    return _CODES.get(f"{entity}.{name}", _CODES.get(name, {}))[code]
