"""What a rejected household's reason means, in Chinese and English."""

from services.shared.policy.text import Text

REJECT_COLUMNS = ("column", "reason", "reason_zh", "reason_en")

REASONS = {
    "region_unknown": Text(
        "地区代码不存在，或此地没有规则；写 GB/T 2260 的六位代码",
        "no such region code, or no rules for the place: write the six digits of GB/T 2260",
    ),
    "out_of_range": Text(
        "数值超出该事实可能的范围；核对数值与单位", "a value outside of what the fact may be: check it and its unit"
    ),
    "unknown_code": Text("不是该事实的代码；见列的说明", "none of the fact's codes: see the columns' reference"),
    "too_many_rows": Text("成员或项目数超过上限", "more members or items than a household may have"),
    "not_told": Text(
        "成员列表缺失或为空；每户至少写出一名成员", "the list of members is absent or empty: write at least one member"
    ),
}
"""By the code that the file shows beside it."""

OTHER = Text("此户的数据无法读取；核对该列", "the household cannot be read: check this column")


def reason_text(code: str) -> Text:
    """The sentence for a code."""
    return REASONS.get(code, OTHER)
