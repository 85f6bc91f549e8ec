"""The tables of the schema `payments`."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.shared.runtime.tables import RuntimeTables, instant

metadata = MetaData(schema="payments")
runtime_tables = RuntimeTables(metadata)

calendar_years = Table(
    "calendar_years",
    metadata,
    Column("year", SmallInteger, nullable=False, autoincrement=False),
    Column("rest_days", ARRAY(Date), nullable=False),
    Column("make_up_days", ARRAY(Date), nullable=False),
    Column("source", Text, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("confirmed_by", Text, nullable=False),
    instant("loaded_at"),
    PrimaryKeyConstraint("year", name="calendar_year_is_loaded_once"),
    CheckConstraint("proposed_by <> confirmed_by", name="calendar_year_is_confirmed_by_another"),
)

beneficiaries = Table(
    "beneficiaries",
    metadata,
    Column("number", BigInteger, Identity(always=True), primary_key=True),
    Column("id_number_index", LargeBinary, nullable=False),
    instant("first_seen_at"),
    UniqueConstraint("id_number_index", name="beneficiary_is_one_person"),
    CheckConstraint("number between 1 and 999999999999", name="beneficiary_number_has_at_most_twelve_digits"),
    CheckConstraint("octet_length(id_number_index) = 16", name="beneficiary_index_is_a_blind_index"),
)

awards = Table(
    "awards",
    metadata,
    Column("id", Text, primary_key=True),
    Column("determination", Text, nullable=False),
    Column("programme", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date),
    Column("confirmed_on", Date, nullable=False),
    Column("members", SmallInteger, nullable=False),
    Column("beneficiary", BigInteger, nullable=False),
    Column("basis", JSONB, nullable=False),
    instant("applied_at"),
    ForeignKeyConstraint(["beneficiary"], ["payments.beneficiaries.number"], name="award_is_for_a_beneficiary"),
    CheckConstraint("amount_fen > 0", name="award_is_a_positive_amount"),
    CheckConstraint("members between 1 and 99", name="award_is_for_one_to_ninety_nine_persons"),
    CheckConstraint("kind in (1, 4)", name="award_is_monthly_or_one_off"),
    CheckConstraint("ends_on is null or ends_on > starts_on", name="award_ends_after_it_starts"),
    CheckConstraint("length(region) = 6", name="award_has_a_region_code"),
    Index("awards_of_a_beneficiary", "beneficiary", "id"),
)

award_schedules = Table(
    "award_schedules",
    metadata,
    Column("award", Text, primary_key=True),
    Column("next_month", Date),
    ForeignKeyConstraint(["award"], ["payments.awards.id"], name="schedule_is_of_an_award"),
    Index("award_schedules_to_come", "next_month", postgresql_where=text("next_month is not null")),
)

payees = Table(
    "payees",
    metadata,
    Column("award", Text, primary_key=True),
    Column("name_sealed", LargeBinary, nullable=False),
    Column("id_number_sealed", LargeBinary, nullable=False),
    Column("card_number_sealed", LargeBinary, nullable=False),
    Column("card_number_index", LargeBinary, nullable=False),
    ForeignKeyConstraint(["award"], ["payments.awards.id"], name="payee_is_of_an_award"),
    CheckConstraint("octet_length(card_number_index) = 16", name="payee_card_index_is_a_blind_index"),
    Index("payees_by_card", "card_number_index"),
)

award_members = Table(
    "award_members",
    metadata,
    Column("award", Text, nullable=False),
    Column("member", Text, nullable=False),
    Column("id_number_index", LargeBinary, nullable=False),
    PrimaryKeyConstraint("award", "member", name="award_names_a_member_once"),
    ForeignKeyConstraint(["award"], ["payments.awards.id"], name="member_is_of_an_award"),
    CheckConstraint("octet_length(id_number_index) = 16", name="member_index_is_a_blind_index"),
    Index("award_members_by_id_number", "id_number_index"),
)

batches = Table(
    "batches",
    metadata,
    Column("id", Text, primary_key=True),
    Column("programme", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("month", Date, nullable=False),
    Column("state", Text, nullable=False),
    Column("line_count", Integer, nullable=False),
    Column("total_fen", BigInteger, nullable=False),
    Column("lines_root", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    instant("created_at"),
    Column("submitted_by", Text),
    instant("submitted_at", nullable=True),
    Column("decided_by", Text),
    instant("decided_at", nullable=True),
    Column("released_by", Text),
    instant("released_at", nullable=True),
    CheckConstraint("decided_by <> submitted_by", name="batch_is_decided_by_a_second_person"),
    CheckConstraint("decided_by <> created_by", name="batch_is_not_decided_by_its_maker"),
    CheckConstraint("line_count > 0 and total_fen > 0", name="batch_has_lines_and_money"),
    CheckConstraint("length(lines_root) = 64", name="batch_root_is_a_sha256"),
    CheckConstraint(
        "state in ('CALCULATED', 'SUBMITTED', 'APPROVED', 'RELEASED', 'SENT', 'RECONCILED', 'CLOSED',"
        " 'REJECTED', 'CANCELLED')",
        name="batch_state_is_known",
    ),
    CheckConstraint(
        "state not in ('APPROVED', 'RELEASED', 'SENT', 'RECONCILED', 'CLOSED') or decided_by is not null",
        name="batch_is_paid_only_after_two_persons",
    ),
    Index("batches_of_a_region", "region", "id"),
)

batch_lines = Table(
    "batch_lines",
    metadata,
    Column("batch", Text, nullable=False),
    Column("disbursement", Text, nullable=False),
    PrimaryKeyConstraint("batch", "disbursement", name="batch_lists_a_line_once"),
    ForeignKeyConstraint(["batch"], ["payments.batches.id"], name="list_is_of_a_batch"),
    ForeignKeyConstraint(["disbursement"], ["payments.disbursements.id"], name="list_names_a_disbursement"),
)

pay_files = Table(
    "pay_files",
    metadata,
    Column("msg_id", Text, primary_key=True),
    Column("batch", Text, nullable=False),
    Column("bank", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("content_sealed", LargeBinary, nullable=False),
    Column("line_count", Integer, nullable=False),
    Column("total_fen", BigInteger, nullable=False),
    instant("created_at"),
    ForeignKeyConstraint(["batch"], ["payments.batches.id"], name="pay_file_is_of_a_batch"),
    CheckConstraint("length(msg_id) between 1 and 35", name="pay_file_msg_id_fits_the_standard"),
    CheckConstraint("line_count > 0 and total_fen > 0", name="pay_file_has_lines_and_money"),
    CheckConstraint("length(sha256) = 64", name="pay_file_hash_is_a_sha256"),
    CheckConstraint(
        "state in ('SENDING', 'IN_DOUBT', 'ACKED', 'NAKED', 'REPORTING', 'COMPLETE')",
        name="pay_file_state_is_known",
    ),
    Index("pay_files_of_a_batch", "batch", "msg_id"),
)

pay_file_attempts = Table(
    "pay_file_attempts",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("pay_file", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    instant("made_at"),
    ForeignKeyConstraint(["pay_file"], ["payments.pay_files.msg_id"], name="attempt_is_of_a_pay_file"),
    Index("pay_file_attempts_of_a_file", "pay_file", "id"),
)

bank_statements = Table(
    "bank_statements",
    metadata,
    Column("bank", Text, nullable=False),
    Column("statement", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("opening_fen", BigInteger, nullable=False),
    Column("closing_fen", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    instant("fetched_at"),
    PrimaryKeyConstraint("bank", "statement", name="statement_is_taken_once"),
    UniqueConstraint("bank", "day", name="bank_has_one_statement_a_day"),
)

bank_messages = Table(
    "bank_messages",
    metadata,
    Column("bank", Text, nullable=False),
    Column("statement", Text, nullable=False),
    Column("line", Integer, nullable=False),
    Column("end_to_end_id", Text),
    Column("is_credit", Boolean, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("booked_on", Date, nullable=False),
    Column("value_on", Date, nullable=False),
    Column("return_reason", Text),
    Column("bank_reference", Text, nullable=False),
    PrimaryKeyConstraint("bank", "statement", "line", name="bank_message_is_taken_once"),
    ForeignKeyConstraint(
        ["bank", "statement"],
        ["payments.bank_statements.bank", "payments.bank_statements.statement"],
        name="bank_message_is_of_a_statement",
    ),
    CheckConstraint("amount_fen > 0", name="bank_message_is_a_positive_amount"),
)

disbursements = Table(
    "disbursements",
    metadata,
    Column("id", Text, primary_key=True),
    Column("award", Text, nullable=False),
    Column("beneficiary", BigInteger, nullable=False),
    Column("month", Date, nullable=False),
    Column("programme", Text, nullable=False),
    Column("programme_number", SmallInteger, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("cause", SmallInteger, nullable=False),
    Column("sequence", SmallInteger, nullable=False),
    Column("region", Text, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("persons", SmallInteger, nullable=False),
    Column("member", Text),
    Column("due_on", Date, nullable=False),
    Column("replaces", Text),
    instant("created_at"),
    Column("state", Text, nullable=False),
    Column("batch", Text),
    Column("pay_file", Text),
    Column("value_on", Date),
    Column("reason", Text),
    ForeignKeyConstraint(["award"], ["payments.awards.id"], name="disbursement_rests_on_an_award"),
    ForeignKeyConstraint(["batch"], ["payments.batches.id"], name="disbursement_is_in_a_batch"),
    ForeignKeyConstraint(["pay_file"], ["payments.pay_files.msg_id"], name="disbursement_is_in_a_pay_file"),
    ForeignKeyConstraint(["replaces"], ["payments.disbursements.id"], name="disbursement_replaces_another"),
    UniqueConstraint(
        "beneficiary",
        "month",
        "programme_number",
        "kind",
        "cause",
        "sequence",
        name="a_month_is_owed_once_for_each_cause",
    ),
    CheckConstraint("amount_fen > 0", name="disbursement_is_a_positive_amount"),
    CheckConstraint("extract(day from month) = 1", name="disbursement_month_is_a_first_day"),
    CheckConstraint("cause between 0 and 99 and sequence between 0 and 99", name="disbursement_key_fits_its_id"),
    CheckConstraint("persons between 1 and 99", name="disbursement_is_for_persons"),
    CheckConstraint("member is null or persons = 1", name="share_of_a_member_is_for_one_person"),
    CheckConstraint(
        "state in ('CREATED', 'APPROVED', 'QUEUED', 'SENT', 'ACCEPTED', 'SETTLED', 'RETURNED', 'REJECTED', 'HELD',"
        " 'CANCELLED')",
        name="disbursement_state_is_known",
    ),
    CheckConstraint("state in ('CREATED', 'HELD', 'CANCELLED') or batch is not null", name="paid_line_is_in_a_batch"),
    CheckConstraint(
        "state not in ('SENT', 'ACCEPTED', 'SETTLED', 'RETURNED', 'REJECTED') or pay_file is not null",
        name="sent_line_is_in_a_pay_file",
    ),
    CheckConstraint(
        "state not in ('SETTLED', 'RETURNED') or value_on is not null", name="settled_line_has_a_value_date"
    ),
    # No index names `state`: changes of state stay within the page (HOT).
    Index("disbursements_of_a_region_and_month", "region", "month", "id"),
    Index("disbursements_of_a_month", "month", "id"),
    Index("disbursements_of_an_award", "award", "id"),
    Index("disbursements_of_a_batch", "batch", "id"),
    Index("disbursements_of_a_pay_file", "pay_file", "id"),
    Index("disbursement_is_replaced_from", "replaces"),
)

disbursement_events = Table(
    "disbursement_events",
    metadata,
    Column("disbursement", Text, nullable=False),
    Column("number", SmallInteger, nullable=False),
    Column("from_state", Text),
    Column("to_state", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("bank", Text),
    Column("statement", Text),
    Column("line", Integer),
    Column("event_id", Text, nullable=False),
    instant("at"),
    PrimaryKeyConstraint("disbursement", "number", name="disbursement_event_has_its_number_once"),
    ForeignKeyConstraint(["disbursement"], ["payments.disbursements.id"], name="event_is_of_a_disbursement"),
    ForeignKeyConstraint(
        ["bank", "statement", "line"],
        ["payments.bank_messages.bank", "payments.bank_messages.statement", "payments.bank_messages.line"],
        name="event_follows_a_bank_message",
    ),
    UniqueConstraint("bank", "statement", "line", name="bank_message_moves_one_line_once"),
    CheckConstraint(
        "to_state not in ('SETTLED', 'RETURNED') or line is not null", name="settling_needs_a_statement_line"
    ),
    Index(
        "a_line_ends_once",
        "disbursement",
        "to_state",
        unique=True,
        postgresql_where=text("to_state in ('REJECTED', 'SETTLED', 'RETURNED', 'CANCELLED')"),
    ),
)

accounts = Table(
    "accounts",
    metadata,
    Column("code", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("region", Text),
    Column("programme", Text),
    Column("bank", Text),
)

transfers = Table(
    "transfers",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("code", Text, nullable=False),
    Column("debit_account", Text, nullable=False),
    Column("credit_account", Text, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("disbursement", Text),
    Column("event_number", SmallInteger),
    Column("bank", Text),
    Column("statement", Text),
    Column("line", Integer),
    instant("booked_at"),
    Column("value_on", Date, nullable=False),
    ForeignKeyConstraint(["debit_account"], ["payments.accounts.code"], name="transfer_debits_an_account"),
    ForeignKeyConstraint(["credit_account"], ["payments.accounts.code"], name="transfer_credits_an_account"),
    ForeignKeyConstraint(
        ["disbursement", "event_number"],
        ["payments.disbursement_events.disbursement", "payments.disbursement_events.number"],
        name="transfer_follows_an_event",
    ),
    UniqueConstraint("disbursement", "event_number", name="an_event_moves_money_once"),
    UniqueConstraint("code", "bank", "statement", "line", name="a_bank_message_is_booked_once"),
    CheckConstraint("amount_fen > 0", name="transfer_moves_a_positive_amount"),
    CheckConstraint("debit_account <> credit_account", name="transfer_moves_between_two_accounts"),
    Index(
        "a_line_is_booked_once_for_each_end",
        "disbursement",
        "code",
        unique=True,
        postgresql_where=text("code in ('ACCRUE', 'CANCEL', 'SETTLE', 'REJECT', 'RETURN')"),
    ),
    Index("transfers_by_debit", "debit_account", "id"),
    Index("transfers_by_credit", "credit_account", "id"),
)

holds = Table(
    "holds",
    metadata,
    Column("id", Text, primary_key=True),
    Column("alert", Text, nullable=False),
    Column("award", Text, nullable=False),
    Column("member", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("rule", JSONB, nullable=False),
    Column("from_month", Date, nullable=False),
    instant("placed_at"),
    Column("answer_by", Date),
    Column("answered_by_office", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("disbursement", Text),
    Column("answer", Text),
    Column("answered_by", Text),
    instant("answered_at", nullable=True),
    Column("confirmed_by", Text),
    instant("ended_at", nullable=True),
    ForeignKeyConstraint(
        ["award", "member"],
        ["payments.award_members.award", "payments.award_members.member"],
        name="hold_is_about_a_member",
    ),
    ForeignKeyConstraint(["disbursement"], ["payments.disbursements.id"], name="hold_stops_a_disbursement"),
    UniqueConstraint("alert", "award", "member", name="an_alert_holds_once"),
    CheckConstraint("confirmed_by <> answered_by", name="hold_is_confirmed_by_a_second_person"),
    CheckConstraint("state in ('OPEN', 'ANSWERED', 'RELEASED', 'STOPPED', 'LAPSED')", name="hold_state_is_known"),
    CheckConstraint("answer in ('pay', 'stop')", name="hold_answer_is_known"),
    CheckConstraint("state <> 'STOPPED' or confirmed_by is not null", name="only_two_persons_stop_aid"),
    CheckConstraint("state <> 'LAPSED' or answer_by is not null", name="hold_lapses_after_its_day"),
    Index("holds_waiting", "state", "answer_by"),
    Index("holds_of_a_region", "region", "id"),
)

award_stops = Table(
    "award_stops",
    metadata,
    Column("award", Text, nullable=False),
    Column("member", Text, nullable=False),
    Column("hold", Text, nullable=False),
    instant("stopped_at"),
    PrimaryKeyConstraint("award", "member", name="a_member_is_stopped_once"),
    ForeignKeyConstraint(["hold"], ["payments.holds.id"], name="stop_follows_a_hold"),
)

exceptions = Table(
    "exceptions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("disbursement", Text),
    Column("pay_file", Text),
    Column("award", Text),
    Column("month", Date),
    Column("bank", Text),
    Column("statement", Text),
    Column("line", Integer),
    instant("opened_at"),
    UniqueConstraint(
        "kind",
        "disbursement",
        "pay_file",
        "award",
        "month",
        "bank",
        "statement",
        "line",
        name="a_contradiction_is_opened_once",
        postgresql_nulls_not_distinct=True,
    ),
    Index("exceptions_of_a_bank_message", "bank", "statement", "line"),
)

named_policy_packs = Table(
    "named_policy_packs",
    metadata,
    Column("sha256", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("version", Text, nullable=False),
    instant("named_at"),
    PrimaryKeyConstraint("sha256", name="policy_pack_is_named_once"),
    CheckConstraint("length(sha256) = 64", name="policy_pack_hash_is_a_sha256"),
)

kept_policy_packs = Table(
    "kept_policy_packs",
    metadata,
    Column("sha256", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("files", JSONB, nullable=False),
    instant("kept_at"),
    PrimaryKeyConstraint("sha256", name="policy_pack_is_kept_once"),
    ForeignKeyConstraint(["sha256"], ["payments.named_policy_packs.sha256"], name="kept_policy_pack_was_named"),
    UniqueConstraint("id", "version", name="policy_pack_version_has_one_content"),
)

policy_pack_refusals = Table(
    "policy_pack_refusals",
    metadata,
    Column("sha256", Text, nullable=False),
    Column("reason", Text, nullable=False),
    instant("refused_at"),
    PrimaryKeyConstraint("sha256", "refused_at", name="policy_pack_is_refused_once_at_a_time"),
    ForeignKeyConstraint(["sha256"], ["payments.named_policy_packs.sha256"], name="refused_policy_pack_was_named"),
)
