"""The running payments service that these tests share with those of faults."""

from tests.running_payments import bank, demo_id_number, new_award_body, payments

__all__ = ["bank", "demo_id_number", "new_award_body", "payments"]
