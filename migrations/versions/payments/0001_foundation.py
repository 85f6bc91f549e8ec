"""Awards, lines and their events, batches, pay files, statements, the ledger, holds and the calendar."""

from migrations.foundation import append_only, create_foundation, run_script

revision = "0001"
down_revision = None

TABLES = """
create table payments.calendar_years (
  year smallint not null,
  rest_days date[] not null,
  make_up_days date[] not null,
  source text not null,
  proposed_by text not null,
  confirmed_by text not null,
  loaded_at timestamptz not null,
  constraint calendar_year_is_loaded_once primary key (year),
  constraint calendar_year_is_confirmed_by_another check (proposed_by <> confirmed_by)
);
create table payments.beneficiaries (
  number bigint generated always as identity primary key,
  id_number_index bytea not null,
  first_seen_at timestamptz not null,
  constraint beneficiary_is_one_person unique (id_number_index),
  constraint beneficiary_number_has_at_most_twelve_digits check (number between 1 and 999999999999),
  constraint beneficiary_index_is_a_blind_index check (octet_length(id_number_index) = 16)
);
create table payments.awards (
  id text primary key,
  determination text not null,
  programme text not null,
  region text not null,
  subject text not null,
  kind smallint not null,
  amount_fen bigint not null,
  starts_on date not null,
  ends_on date,
  confirmed_on date not null,
  members smallint not null,
  beneficiary bigint not null,
  basis jsonb not null,
  applied_at timestamptz not null,
  constraint award_is_for_a_beneficiary foreign key (beneficiary) references payments.beneficiaries (number),
  constraint award_is_a_positive_amount check (amount_fen > 0),
  constraint award_is_for_one_to_ninety_nine_persons check (members between 1 and 99),
  constraint award_is_monthly_or_one_off check (kind in (1, 4)),
  constraint award_ends_after_it_starts check (ends_on is null or ends_on > starts_on),
  constraint award_has_a_region_code check (length(region) = 6)
);
create index awards_of_a_beneficiary on payments.awards (beneficiary, id);
create table payments.award_schedules (
  award text primary key,
  next_month date,
  constraint schedule_is_of_an_award foreign key (award) references payments.awards (id)
);
create index award_schedules_to_come on payments.award_schedules (next_month) where next_month is not null;
create table payments.payees (
  award text primary key,
  name_sealed bytea not null,
  id_number_sealed bytea not null,
  card_number_sealed bytea not null,
  card_number_index bytea not null,
  constraint payee_is_of_an_award foreign key (award) references payments.awards (id),
  constraint payee_card_index_is_a_blind_index check (octet_length(card_number_index) = 16)
);
create index payees_by_card on payments.payees (card_number_index);
create table payments.award_members (
  award text not null,
  member text not null,
  id_number_index bytea not null,
  constraint award_names_a_member_once primary key (award, member),
  constraint member_is_of_an_award foreign key (award) references payments.awards (id),
  constraint member_index_is_a_blind_index check (octet_length(id_number_index) = 16)
);
create index award_members_by_id_number on payments.award_members (id_number_index);
create table payments.batches (
  id text primary key,
  programme text not null,
  region text not null,
  month date not null,
  state text not null,
  line_count integer not null,
  total_fen bigint not null,
  lines_root text not null,
  created_by text not null,
  created_at timestamptz not null,
  submitted_by text,
  submitted_at timestamptz,
  decided_by text,
  decided_at timestamptz,
  released_by text,
  released_at timestamptz,
  constraint batch_is_decided_by_a_second_person check (decided_by <> submitted_by),
  constraint batch_is_not_decided_by_its_maker check (decided_by <> created_by),
  constraint batch_has_lines_and_money check (line_count > 0 and total_fen > 0),
  constraint batch_root_is_a_sha256 check (length(lines_root) = 64),
  constraint batch_state_is_known check (state in ('CALCULATED', 'SUBMITTED', 'APPROVED', 'RELEASED', 'SENT',
    'RECONCILED', 'CLOSED', 'REJECTED', 'CANCELLED')),
  constraint batch_is_paid_only_after_two_persons
    check (state not in ('APPROVED', 'RELEASED', 'SENT', 'RECONCILED', 'CLOSED') or decided_by is not null)
);
create index batches_of_a_region on payments.batches (region, id);
create table payments.pay_files (
  msg_id text primary key,
  batch text not null,
  bank text not null,
  state text not null,
  sha256 text not null,
  content_sealed bytea not null,
  line_count integer not null,
  total_fen bigint not null,
  created_at timestamptz not null,
  constraint pay_file_is_of_a_batch foreign key (batch) references payments.batches (id),
  constraint pay_file_msg_id_fits_the_standard check (length(msg_id) between 1 and 35),
  constraint pay_file_has_lines_and_money check (line_count > 0 and total_fen > 0),
  constraint pay_file_hash_is_a_sha256 check (length(sha256) = 64),
  constraint pay_file_state_is_known
    check (state in ('SENDING', 'IN_DOUBT', 'ACKED', 'NAKED', 'REPORTING', 'COMPLETE'))
);
create index pay_files_of_a_batch on payments.pay_files (batch, msg_id);
create table payments.pay_file_attempts (
  id bigint generated always as identity primary key,
  pay_file text not null,
  action text not null,
  outcome text not null,
  made_at timestamptz not null,
  constraint attempt_is_of_a_pay_file foreign key (pay_file) references payments.pay_files (msg_id)
);
create index pay_file_attempts_of_a_file on payments.pay_file_attempts (pay_file, id);
create table payments.bank_statements (
  bank text not null,
  statement text not null,
  day date not null,
  opening_fen bigint not null,
  closing_fen bigint not null,
  sha256 text not null,
  fetched_at timestamptz not null,
  constraint statement_is_taken_once primary key (bank, statement),
  constraint bank_has_one_statement_a_day unique (bank, day)
);
create table payments.bank_messages (
  bank text not null,
  statement text not null,
  line integer not null,
  end_to_end_id text,
  is_credit boolean not null,
  amount_fen bigint not null,
  booked_on date not null,
  value_on date not null,
  return_reason text,
  bank_reference text not null,
  constraint bank_message_is_taken_once primary key (bank, statement, line),
  constraint bank_message_is_of_a_statement
    foreign key (bank, statement) references payments.bank_statements (bank, statement),
  constraint bank_message_is_a_positive_amount check (amount_fen > 0)
);
create table payments.disbursements (
  id text primary key,
  award text not null,
  beneficiary bigint not null,
  month date not null,
  programme text not null,
  programme_number smallint not null,
  kind smallint not null,
  cause smallint not null,
  sequence smallint not null,
  region text not null,
  amount_fen bigint not null,
  persons smallint not null,
  member text,
  due_on date not null,
  replaces text,
  created_at timestamptz not null,
  state text not null,
  batch text,
  pay_file text,
  value_on date,
  reason text,
  constraint disbursement_rests_on_an_award foreign key (award) references payments.awards (id),
  constraint disbursement_is_in_a_batch foreign key (batch) references payments.batches (id),
  constraint disbursement_is_in_a_pay_file foreign key (pay_file) references payments.pay_files (msg_id),
  constraint disbursement_replaces_another foreign key (replaces) references payments.disbursements (id),
  constraint a_month_is_owed_once_for_each_cause
    unique (beneficiary, month, programme_number, kind, cause, sequence),
  constraint disbursement_is_a_positive_amount check (amount_fen > 0),
  constraint disbursement_month_is_a_first_day check (extract(day from month) = 1),
  constraint disbursement_key_fits_its_id check (cause between 0 and 99 and sequence between 0 and 99),
  constraint disbursement_is_for_persons check (persons between 1 and 99),
  constraint share_of_a_member_is_for_one_person check (member is null or persons = 1),
  constraint disbursement_state_is_known check (state in ('CREATED', 'APPROVED', 'QUEUED', 'SENT', 'ACCEPTED',
    'SETTLED', 'RETURNED', 'REJECTED', 'HELD', 'CANCELLED')),
  constraint paid_line_is_in_a_batch check (state in ('CREATED', 'HELD', 'CANCELLED') or batch is not null),
  constraint sent_line_is_in_a_pay_file
    check (state not in ('SENT', 'ACCEPTED', 'SETTLED', 'RETURNED', 'REJECTED') or pay_file is not null),
  constraint settled_line_has_a_value_date check (state not in ('SETTLED', 'RETURNED') or value_on is not null)
) with (fillfactor = 50);
create index disbursements_of_a_region_and_month on payments.disbursements (region, month, id);
create index disbursements_of_a_month on payments.disbursements (month, id);
create index disbursements_of_an_award on payments.disbursements (award, id);
create index disbursements_of_a_batch on payments.disbursements (batch, id);
create index disbursements_of_a_pay_file on payments.disbursements (pay_file, id);
create index disbursement_is_replaced_from on payments.disbursements (replaces);
create table payments.batch_lines (
  batch text not null,
  disbursement text not null,
  constraint batch_lists_a_line_once primary key (batch, disbursement),
  constraint list_is_of_a_batch foreign key (batch) references payments.batches (id),
  constraint list_names_a_disbursement foreign key (disbursement) references payments.disbursements (id)
);
create table payments.disbursement_events (
  disbursement text not null,
  number smallint not null,
  from_state text,
  to_state text not null,
  cause text not null,
  actor text not null,
  bank text,
  statement text,
  line integer,
  event_id text not null,
  at timestamptz not null,
  constraint disbursement_event_has_its_number_once primary key (disbursement, number),
  constraint event_is_of_a_disbursement foreign key (disbursement) references payments.disbursements (id),
  constraint event_follows_a_bank_message
    foreign key (bank, statement, line) references payments.bank_messages (bank, statement, line),
  constraint bank_message_moves_one_line_once unique (bank, statement, line),
  constraint settling_needs_a_statement_line check (to_state not in ('SETTLED', 'RETURNED') or line is not null)
);
create unique index a_line_ends_once on payments.disbursement_events (disbursement, to_state)
  where to_state in ('REJECTED', 'SETTLED', 'RETURNED', 'CANCELLED');
create table payments.accounts (
  code text primary key,
  kind text not null,
  region text,
  programme text,
  bank text
);
create table payments.transfers (
  id bigint generated always as identity primary key,
  code text not null,
  debit_account text not null,
  credit_account text not null,
  amount_fen bigint not null,
  disbursement text,
  event_number smallint,
  bank text,
  statement text,
  line integer,
  booked_at timestamptz not null,
  value_on date not null,
  constraint transfer_debits_an_account foreign key (debit_account) references payments.accounts (code),
  constraint transfer_credits_an_account foreign key (credit_account) references payments.accounts (code),
  constraint transfer_follows_an_event
    foreign key (disbursement, event_number) references payments.disbursement_events (disbursement, number),
  constraint an_event_moves_money_once unique (disbursement, event_number),
  constraint a_bank_message_is_booked_once unique (code, bank, statement, line),
  constraint transfer_moves_a_positive_amount check (amount_fen > 0),
  constraint transfer_moves_between_two_accounts check (debit_account <> credit_account)
);
create unique index a_line_is_booked_once_for_each_end on payments.transfers (disbursement, code)
  where code in ('ACCRUE', 'CANCEL', 'SETTLE', 'REJECT', 'RETURN');
create index transfers_by_debit on payments.transfers (debit_account, id);
create index transfers_by_credit on payments.transfers (credit_account, id);
create table payments.holds (
  id text primary key,
  alert text not null,
  award text not null,
  member text not null,
  region text not null,
  source text not null,
  rule jsonb not null,
  from_month date not null,
  placed_at timestamptz not null,
  answer_by date,
  answered_by_office text not null,
  state text not null,
  disbursement text,
  answer text,
  answered_by text,
  answered_at timestamptz,
  confirmed_by text,
  ended_at timestamptz,
  constraint hold_is_about_a_member foreign key (award, member) references payments.award_members (award, member),
  constraint hold_stops_a_disbursement foreign key (disbursement) references payments.disbursements (id),
  constraint an_alert_holds_once unique (alert, award, member),
  constraint hold_is_confirmed_by_a_second_person check (confirmed_by <> answered_by),
  constraint hold_state_is_known check (state in ('OPEN', 'ANSWERED', 'RELEASED', 'STOPPED', 'LAPSED')),
  constraint hold_answer_is_known check (answer in ('pay', 'stop')),
  constraint only_two_persons_stop_aid check (state <> 'STOPPED' or confirmed_by is not null),
  constraint hold_lapses_after_its_day check (state <> 'LAPSED' or answer_by is not null)
);
create index holds_waiting on payments.holds (state, answer_by);
create index holds_of_a_region on payments.holds (region, id);
create table payments.award_stops (
  award text not null,
  member text not null,
  hold text not null,
  stopped_at timestamptz not null,
  constraint a_member_is_stopped_once primary key (award, member),
  constraint stop_follows_a_hold foreign key (hold) references payments.holds (id)
);
create table payments.exceptions (
  id text primary key,
  kind text not null,
  disbursement text,
  pay_file text,
  award text,
  month date,
  bank text,
  statement text,
  line integer,
  opened_at timestamptz not null,
  constraint a_contradiction_is_opened_once
    unique nulls not distinct (kind, disbursement, pay_file, award, month, bank, statement, line)
);
create index exceptions_of_a_bank_message on payments.exceptions (bank, statement, line);
"""

# The same table of steps as the domain's; a test compares them.
STEP_GUARD = """
create function payments.refuse_unknown_step() returns trigger language plpgsql as $$
begin
  if (old.state, new.state) not in (
    ('CREATED', 'APPROVED'), ('CREATED', 'HELD'), ('CREATED', 'CANCELLED'),
    ('APPROVED', 'QUEUED'), ('APPROVED', 'HELD'), ('APPROVED', 'CANCELLED'),
    ('QUEUED', 'SENT'), ('QUEUED', 'HELD'),
    ('SENT', 'ACCEPTED'), ('SENT', 'REJECTED'), ('SENT', 'APPROVED'),
    ('ACCEPTED', 'SETTLED'), ('SETTLED', 'RETURNED'),
    ('HELD', 'CREATED'), ('HELD', 'APPROVED'), ('HELD', 'CANCELLED')
  ) then
    raise exception 'a line in % cannot become %', old.state, new.state
      using errcode = 'integrity_constraint_violation', constraint = 'disbursement_takes_a_known_step';
  end if;
  return new;
end
$$;
create trigger disbursement_takes_a_known_step before update on payments.disbursements
  for each row when (old.state is distinct from new.state) execute function payments.refuse_unknown_step();
"""

# A hold whose calendar year was missing gets its day later; a day once known is what the county was told.
ANSWER_DAY_GUARD = """
create function payments.refuse_another_answer_day() returns trigger language plpgsql as $$
begin
  raise exception 'the last day for the answer to a hold is set once'
    using errcode = 'integrity_constraint_violation', constraint = 'hold_keeps_its_answer_day';
end
$$;
create trigger hold_keeps_its_answer_day before update on payments.holds
  for each row when (old.answer_by is not null and old.answer_by is distinct from new.answer_by)
  execute function payments.refuse_another_answer_day();
"""

GRANTS = """
grant select, insert, update (next_month) on payments.award_schedules to doudi_payments;
grant select, insert, update (state, submitted_by, submitted_at, decided_by, decided_at, released_by, released_at)
  on payments.batches to doudi_payments;
grant select, insert, update (state) on payments.pay_files to doudi_payments;
grant select, insert, update (state, batch, pay_file, value_on, reason) on payments.disbursements to doudi_payments;
grant select, insert,
  update (state, answer_by, disbursement, answer, answered_by, answered_at, confirmed_by, ended_at)
  on payments.holds to doudi_payments;
grant usage, select on all sequences in schema payments to doudi_payments;
"""

# Each inv_ view is empty while its invariant holds; its name says what a row in it means.
INVARIANTS = """
create view payments.postings as
  select id as transfer, code, disbursement, debit_account as account, amount_fen from payments.transfers
  union all
  select id, code, disbursement, credit_account, -amount_fen from payments.transfers;

create view payments.inv_debits_and_credits_differ as
  select code, sum(amount_fen) as difference_fen from payments.postings group by code having sum(amount_fen) <> 0;

create view payments.inv_state_is_not_the_last_event as
  select line.id, line.state, event.to_state from payments.disbursements line
  left join lateral (
    select to_state from payments.disbursement_events where disbursement = line.id order by number desc limit 1
  ) event on true
  where event.to_state is distinct from line.state;

create view payments.inv_events_do_not_follow_each_other as
  select disbursement, number from (
    select disbursement, number, from_state,
      lag(to_state) over (partition by disbursement order by number) as before,
      row_number() over (partition by disbursement order by number) as expected
    from payments.disbursement_events
  ) event where from_state is distinct from before or number <> expected;

create view payments.inv_ledger_is_not_the_state as
  select line.id, line.state from payments.disbursements line
  cross join lateral (
    select
      coalesce(-sum(p.amount_fen) filter (where a.kind = 'IN_TRANSIT'), 0) as in_transit,
      coalesce(-sum(p.amount_fen) filter (where a.kind = 'PAYABLE'), 0) as payable,
      coalesce(-sum(p.amount_fen) filter (where a.kind = 'SUSPENSE_RETURN'), 0) as suspense,
      coalesce(-sum(p.amount_fen) filter (where a.kind = 'TREASURY_CASH'), 0) as paid,
      coalesce(sum(p.amount_fen) filter (where a.kind = 'EXPENSE'), 0) as expense
    from payments.postings p join payments.accounts a on a.code = p.account where p.disbursement = line.id
  ) booked
  where booked.in_transit <> case when line.state in ('SENT', 'ACCEPTED') then line.amount_fen else 0 end
    or booked.suspense <> case when line.state = 'RETURNED' then line.amount_fen else 0 end
    or booked.paid <> case when line.state = 'SETTLED' then line.amount_fen else 0 end
    or booked.payable <> case
      when line.state in ('APPROVED', 'QUEUED', 'REJECTED') then line.amount_fen
      when line.state = 'HELD' then booked.expense
      else 0 end
    or booked.expense <> case
      when line.state in ('CREATED', 'CANCELLED') then 0
      when line.state = 'HELD' then booked.payable
      else line.amount_fen end;

create view payments.inv_settled_amount_is_not_the_banks as
  select event.disbursement from payments.disbursement_events event
  join payments.disbursements line on line.id = event.disbursement
  join payments.bank_messages message using (bank, statement, line)
  where message.amount_fen <> line.amount_fen or message.is_credit <> (event.to_state = 'RETURNED');

create view payments.inv_cash_is_not_the_banks as
  select last.bank, last.closing_fen, cash.booked_fen, unbooked.amount_fen as unbooked_fen from (
    select distinct on (bank) bank, closing_fen from payments.bank_statements order by bank, day desc
  ) last
  cross join lateral (
    select coalesce(sum(amount_fen), 0) as booked_fen from payments.postings
    where account = 'TREASURY_CASH:' || last.bank
  ) cash
  cross join lateral (
    select coalesce(sum(case when m.is_credit then m.amount_fen else -m.amount_fen end), 0) as amount_fen
    from payments.bank_messages m
    where m.bank = last.bank and not exists (
      select from payments.transfers t where (t.bank, t.statement, t.line) = (m.bank, m.statement, m.line))
  ) unbooked
  where last.closing_fen <> cash.booked_fen + unbooked.amount_fen;

create view payments.inv_batch_is_not_its_lines as
  select batch.id from payments.batches batch
  cross join lateral (
    select count(*) as line_count, coalesce(sum(line.amount_fen), 0) as total_fen
    from payments.batch_lines listed join payments.disbursements line on line.id = listed.disbursement
    where listed.batch = batch.id
  ) lines
  where (batch.line_count, batch.total_fen) <> (lines.line_count, lines.total_fen);

create view payments.inv_file_is_not_its_lines as
  select file.msg_id from payments.pay_files file
  cross join lateral (
    select count(*) as line_count, coalesce(sum(amount_fen), 0) as total_fen
    from payments.disbursements where pay_file = file.msg_id
  ) lines
  where file.state <> 'NAKED' and (file.line_count, file.total_fen) <> (lines.line_count, lines.total_fen);

create view payments.inv_month_is_owed_beyond_its_award as
  select line.award, line.month from payments.disbursements line join payments.awards award on award.id = line.award
  where line.state not in ('CANCELLED', 'REJECTED', 'RETURNED')
  group by line.award, line.month, award.amount_fen having sum(line.amount_fen) > award.amount_fen;

create view payments.inv_month_is_owed_by_two_awards as
  select beneficiary, month, programme from payments.disbursements
  where state not in ('CANCELLED', 'REJECTED', 'RETURNED') and kind = 1
  group by beneficiary, month, programme having count(distinct award) > 1;

create view payments.inv_line_is_left_behind_in_its_batch as
  select line.id from payments.disbursements line join payments.batches batch on batch.id = line.batch
  where line.state = 'CREATED' and batch.state not in ('CALCULATED', 'SUBMITTED')
    or line.state = 'QUEUED' and batch.state not in ('RELEASED', 'SENT');

create view payments.inv_one_person_did_both as
  select id from payments.batches where decided_by in (created_by, submitted_by)
  union all
  select id from payments.holds where confirmed_by = answered_by;
"""

INVARIANT_VIEWS = (
    "inv_debits_and_credits_differ",
    "inv_state_is_not_the_last_event",
    "inv_events_do_not_follow_each_other",
    "inv_ledger_is_not_the_state",
    "inv_settled_amount_is_not_the_banks",
    "inv_cash_is_not_the_banks",
    "inv_batch_is_not_its_lines",
    "inv_file_is_not_its_lines",
    "inv_month_is_owed_beyond_its_award",
    "inv_month_is_owed_by_two_awards",
    "inv_line_is_left_behind_in_its_batch",
    "inv_one_person_did_both",
)


def upgrade() -> None:
    """Expand: the first tables."""
    create_foundation("payments")
    run_script(TABLES)
    run_script(STEP_GUARD)
    run_script(ANSWER_DAY_GUARD)
    append_only(
        "payments",
        "calendar_years",
        "beneficiaries",
        "awards",
        "payees",
        "award_members",
        "batch_lines",
        "pay_file_attempts",
        "bank_statements",
        "bank_messages",
        "disbursement_events",
        "accounts",
        "transfers",
        "award_stops",
        "exceptions",
    )
    run_script(INVARIANTS)
    run_script(GRANTS)
    run_script(
        f"grant select on {', '.join(f'payments.{v}' for v in ('postings', *INVARIANT_VIEWS))} to doudi_payments"
    )
