"""
What is told of a cash-out: the cash, and nothing of it on a decline.
"""

from gateway.api.outcomes import outcome
from gateway.domain.decide import decide
from gateway.domain.results import CurrentState
from gateway.engine.answers import Answer
from scrip.v1 import money_pb2, transaction_pb2
from tests.support import world

RULES = world.policy(
    products=[world.product(world.RELOADABLE, cash_out_limit_minor=10_00)]
)
AMOUNTS = ("requested_amount", "approved_amount", "amount_due", "cash_back_amount")


def told(balance: int) -> transaction_pb2.Outcome:
    """
    Decide a cash-out of a balance, and write its answer.
    """
    seen = world.view(world.card(balance), rules=RULES)
    record = decide(world.cash_out(), seen, None).record
    return outcome(Answer(record, False, CurrentState.POSTED), RULES)


def triple(money: money_pb2.Money) -> tuple[int, str, int]:
    """
    Take an amount apart.
    """
    return money.minor_units, money.currency_code, money.exponent


def test_the_cash_is_what_was_approved() -> None:
    """
    In the card's currency; nothing is due, and nothing is left.
    """
    paid = told(8_00)

    assert paid.activity_type == transaction_pb2.ACTIVITY_TYPE_CASH_OUT
    assert triple(paid.requested_amount) == (8_00, "USD", 2)
    assert triple(paid.approved_amount) == (8_00, "USD", 2)
    assert triple(paid.cash_back_amount) == (8_00, "USD", 2)
    assert triple(paid.amount_due) == (0, "USD", 2)
    assert triple(paid.available_balance) == (0, "USD", 2)
    assert not paid.HasField("conversion")


def test_a_decline_has_no_amounts() -> None:
    """
    The till asked for none; the balance says why.
    """
    refused = told(12_00)
    present = {field.name for field, _ in refused.ListFields()}

    assert present.isdisjoint(AMOUNTS)
    assert triple(refused.available_balance) == (12_00, "USD", 2)
