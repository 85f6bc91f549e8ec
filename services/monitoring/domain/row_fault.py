"""Why a row of a feed goes back to its sender, and what the sender does about it; never what the row said."""

from dataclasses import dataclass

from services.shared.vocabulary.identifiers import IdentifierFault


@dataclass(frozen=True, slots=True)
class RowFault:
    """One fault of one field of a row, zh and en."""

    field: str
    code: str
    zh: str
    en: str
    remedy_zh: str
    remedy_en: str

    @classmethod
    def of(cls, field: str, fault: IdentifierFault) -> "RowFault":
        """An identifier's fault in that field."""
        return cls(field, fault.code, fault.zh, fault.en, fault.remedy_zh, fault.remedy_en)


NOT_AN_OBJECT = RowFault(
    "",
    "not_an_object",
    "这一行不是对象",
    "the row is not an object",
    "每行写成 JSON 对象",
    "write each row as an object",
)
UNKNOWN_FIELD = RowFault(
    "",
    "unknown_field",
    "这一行有未约定的字段",
    "the row has a field that the schema does not know",
    "删去多余的字段，或核对字段名",
    "remove the field or check its spelling",
)
DIED_ON_FORM = RowFault(
    "died_on",
    "died_on_form",
    "死亡日期不是一个真实的日期",
    "the date of death is not a real date",
    "写成 2026-03-01 的形式",
    "write it like 2026-03-01",
)
DIED_ON_IN_FUTURE = RowFault(
    "died_on",
    "died_on_in_future",
    "死亡日期在今天之后",
    "the date of death is later than today",
    "核对日期",
    "check the date",
)
DIED_ON_AFTER_AS_OF = RowFault(
    "died_on",
    "died_on_after_as_of",
    "死亡日期晚于本批数据的截止日",
    "the date of death is later than the batch's as_of",
    "核对日期，或改正 as_of",
    "check the date, or correct as_of",
)
DIED_BEFORE_BIRTH = RowFault(
    "died_on",
    "died_before_birth",
    "死亡日期早于身份证号码中的出生日期",
    "the date of death is before the date of birth in the identity number",
    "核对号码和日期",
    "check the number and the date",
)
SOURCE_FORM = RowFault(
    "source",
    "source_form",
    "数据来源应为1至40个字，且不含号码",
    "the source is 1 to 40 characters and holds no number",
    "写明登记机构的类别，如“殡仪馆”",
    'name the kind of register, such as "funeral home"',
)
DEMO_PERSON = RowFault(
    "id_number",
    "demo_person",
    "这是演示用的号码，正式环境不接受",
    "this is a demonstration number, which production refuses",
    "只报送真实人员",
    "send real people only",
)
DUPLICATE_IN_BATCH = RowFault(
    "id_number",
    "duplicate_in_batch",
    "本批前面的一行已有此人",
    "an earlier row of the batch has the same person",
    "每人只报一行；日期不一致的，核实后另批报送",
    "send one row a person; if the dates differ, settle which is right and send it in another batch",
)
