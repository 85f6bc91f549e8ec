"""From the award to the proof: paid, refused at once, and credited back, with books that equal the bank's."""


def test_three_households_are_paid_refused_and_returned(payments) -> None:
    paid = payments.award()
    refused = payments.award(magic="01", amount="500.00")
    returned = payments.award(magic="02", amount="700.33", people=2)
    line = payments.line(paid, month="2023-09")
    assert (line["state"], line["due_on"], line["amount"]) == ("CREATED", "2023-09-08", "1020.00")

    payments.put_clock("2023-09-06T09:00:00+08:00")
    payments.tick()
    batch = payments.batch()
    assert (batch["state"], batch["line_count"], batch["total"]) == ("CALCULATED", 3, "2220.33")
    batch_id = payments.release(batch)
    assert payments.pay(batch_id)
    states = {payments.line(award)["state"] for award in (paid, returned)}
    assert states == {"ACCEPTED"}
    assert payments.line(refused)["state"] == "REJECTED" and payments.line(refused)["reason"] == "AC04"

    payments.put_clock("2023-09-07T09:00:00+08:00")
    payments.tick()
    assert payments.line(paid)["state"] == "SETTLED" and payments.line(paid)["value_on"] == "2023-09-06"
    assert payments.line(returned)["state"] == "SETTLED"
    payments.put_clock("2023-09-08T09:00:00+08:00")
    payments.tick()
    assert payments.line(returned)["state"] == "RETURNED" and payments.line(returned)["reason"] == "AC01"
    # Money that came back paid nobody, however early it had been sent.
    (counted,) = payments.get("/on-time", params={"month": "2023-09"})["data"]
    assert (counted["due"], counted["on_time"], counted["ended_unpaid"], counted["late"]) == (3, 1, 2, 0)
    assert payments.line(paid)["state"] == "SETTLED"

    books = payments.get("/ledger/balances")
    assert books["is_balanced"] and books["bank"]["is_equal"], books
    balances = {account["account"]: account["balance"] for account in books["accounts"]}
    assert balances["SUSPENSE_RETURN:test_bank"] == "-700.33"
    assert balances["IN_TRANSIT:test_bank"] == "0.00"
    assert balances["PAYABLE:420100:dibao"] == "-500.00"
    payments.tick()
    payments.tick()
    assert payments.get(f"/batches/{batch_id}")["state"] == "CLOSED"
    assert payments.get("/exceptions")["data"] == []
    assert payments.broken_invariants() == {}
