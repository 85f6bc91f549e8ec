"""What payments' worker does: schedule lines, pay batches, read statements, end holds, keep packs, seal the log."""

from collections.abc import Callable
from typing import Any

from services.payments.gateways.bank import Bank, BankUnavailable
from services.payments.gateways.policy_pack import read_payment_pack
from services.payments.use_cases.date_holds import date_holds
from services.payments.use_cases.finish_batches import finish_batches
from services.payments.use_cases.hold_line import PAY_BATCH_JOB
from services.payments.use_cases.keep_policy_packs import keep_policy_packs
from services.payments.use_cases.lapse_holds import lapse_holds
from services.payments.use_cases.pay_batch import pay_batch
from services.payments.use_cases.reconcile_statements import reconcile_statements
from services.payments.use_cases.schedule_lines import schedule_lines
from services.shared.runtime.jobs import Schedule, run_worker
from services.shared.runtime.sealing import EVERY_TWO_SECONDS, sealing_schedule
from services.shared.runtime.service_app import Runtime
from services.shared.runtime.service_client import ServiceClient

EVERY_SECOND = "* * * * * *"


def work(runtime: Runtime) -> None:
    """Run the worker until it is told to stop."""
    common, own = runtime.configuration.common, runtime.configuration.own
    bank = Bank(own.bank_url, own.bank_key_file)
    eligibility = ServiceClient("eligibility", common.eligibility_url, runtime.name, own.signing_key_file)
    run_worker(
        own.database_url.get_secret_value(),
        runtime.database,
        runtime.tables,
        {PAY_BATCH_JOB: lambda batch_id: pay_batch(runtime, bank, batch_id)},
        schedules(runtime, bank, eligibility),
        common.job_heartbeat_seconds,
    )


def schedules(runtime: Runtime, bank: Bank, eligibility: ServiceClient) -> dict[str, Schedule]:
    """The worker's work that returns; each run does all there is to do, so a missed tick loses nothing."""
    pack, transact = read_payment_pack(), runtime.database.transact

    def until_nothing_is_left(work: Callable[[], int]) -> Callable[[], None]:
        def run() -> None:
            while work():
                pass

        return run

    def page_by_page(work: Callable[..., Any]) -> None:
        last = transact(work, runtime, pack)
        while last is not None:
            last = transact(work, runtime, pack, last)

    def end_holds() -> None:
        page_by_page(date_holds)
        until_nothing_is_left(lambda: transact(lapse_holds, runtime))()

    def read_bank() -> None:
        try:
            reconcile_statements(runtime, bank)
        except BankUnavailable:
            return  # the next tick asks again
        transact(finish_batches, runtime)

    return {
        "schedule_lines": Schedule(EVERY_SECOND, lambda: page_by_page(schedule_lines)),
        "lapse_holds": Schedule(EVERY_SECOND, end_holds),
        "read_bank": Schedule(EVERY_TWO_SECONDS, read_bank),
        "keep_policy_packs": Schedule(EVERY_TWO_SECONDS, lambda: keep_policy_packs(runtime, eligibility)),
        "seal_log": sealing_schedule(runtime),
        "finish_batches": Schedule(EVERY_TWO_SECONDS, until_nothing_is_left(lambda: transact(finish_batches, runtime))),
    }
