"""The ledger's balances over HTTP, beside what the bank says."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from services.payments.api.bodies import require_nation
from services.payments.domain.ledger import AccountKind, Books
from services.payments.store import bank_statements, ledger
from services.shared.runtime.callers import permitted
from services.shared.runtime.database import Transaction
from services.shared.runtime.service_app import Runtime, json_response, runtime_of
from services.shared.vocabulary.actor import Actor
from services.shared.vocabulary.money import yuan_of

router = APIRouter(prefix="/ledger", tags=["ledger"])


@router.get("/balances", operation_id="get-ledger-balances")
def balances(
    actor: Annotated[Actor, Depends(permitted("read_ledger"))], runtime: Annotated[Runtime, Depends(runtime_of)]
) -> Response:
    """Every account, whether debits equal credits, and the payer's cash beside the bank's last closing balance.

    Books balance as a whole or not at all, so they are for callers of the whole.
    """
    require_nation(actor)
    return json_response(runtime.database.read(_balances, runtime.configuration.own.bank_name))


def _balances(tx: Transaction, bank: str) -> dict[str, Any]:
    listed = ledger.list_balances(tx)
    debits_fen, credits_fen = sum(b.debits_fen for b in listed), sum(b.credits_fen for b in listed)
    accounts = [
        {
            "account": b.account,
            "debits": yuan_of(b.debits_fen),
            "credits": yuan_of(b.credits_fen),
            "balance": yuan_of(b.debits_fen - b.credits_fen),
        }
        for b in listed
    ]
    return {
        "is_balanced": debits_fen == credits_fen,
        "debits": yuan_of(debits_fen),
        "credits": yuan_of(credits_fen),
        "accounts": accounts,
        "bank": _bank(tx, bank),
    }


def _bank(tx: Transaction, bank: str) -> dict[str, Any]:
    booked_fen = ledger.balance_fen(tx, Books(bank).account(AccountKind.TREASURY_CASH))
    latest = bank_statements.find_latest(tx, bank)
    told = {"bank": bank, "booked": yuan_of(booked_fen)}
    if latest is None:
        return told
    return {
        **told,
        "closing": yuan_of(latest.closing_fen),
        "closing_on": latest.day,
        "difference": yuan_of(latest.closing_fen - booked_fen),
        "is_equal": latest.closing_fen == booked_fen,
    }
