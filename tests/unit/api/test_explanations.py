"""
An explanation on the wire says what the domain's says.
"""

from dataclasses import replace

from gateway.api.explanations import put_explanation
from gateway.domain.explanation import (
    CHECK_NAMES,
    CheckOutcome,
    Difference,
    Explanation,
)
from gateway.domain.ids import uuid_text
from gateway.domain.recall import Missing
from scrip.v1 import explanation_pb2 as pb
from scrip.v1 import result_pb2
from tests.support.explaining import require_explainable
from tests.support.world import amount, card, redeem, view


def put(told: Explanation) -> pb.Explanation:
    """
    Write it.
    """
    out = pb.Explanation()
    put_explanation(out, told)
    return out


def explained(minor: int = 999_00) -> Explanation:
    """
    Explain a sale.
    """
    told = require_explainable(redeem(amount(minor)), view(card()), None)
    assert told is not None
    return told


def test_a_decline() -> None:
    """
    The result, the place, the checks up to the one that decided, by number and name.
    """
    told = explained()
    out = put(told)

    assert out.transaction_id == uuid_text(told.record.transaction_id or b"")
    assert out.request_id == uuid_text(told.record.request_id or b"")
    assert (out.terminal, out.operation) == ("m-1/s-1/t-1", "Redeem")
    assert (out.result, out.response_code) == (
        result_pb2.RESULT_INSUFFICIENT_FUNDS,
        "51",
    )
    assert out.host_time.ToDatetime(told.record.host_time.tzinfo) == (
        told.record.host_time
    )
    assert (out.policy_version, out.rate_table_version) == (1, 0)
    assert (out.card_last_four, out.decided_by) == ("1234", 16)
    assert [check.number for check in out.checks] == list(range(1, 17))
    assert [check.name for check in out.checks] == list(CHECK_NAMES.values())
    assert out.checks[-1].outcome == pb.CHECK_OUTCOME_REFUSED
    assert out.checks[-1].result == result_pb2.RESULT_INSUFFICIENT_FUNDS
    assert ("available", "100.00 USD") in [
        (value.name, value.text) for value in out.checks[-1].values
    ]
    assert out.missing_inputs == pb.MISSING_INPUTS_UNSPECIFIED


def test_an_approval_and_a_row_that_nobody_asked_for() -> None:
    """
    No check decided; without a request there is no id of one.
    """
    told = explained(1_00)
    record = told.record._replace(request_id=None, card_last_four=None)
    out = put(replace(told, record=record))

    assert (out.decided_by, out.request_id, out.card_last_four) == (0, "", "")


def test_what_is_missing_and_what_differs() -> None:
    """
    Each has its place.
    """
    told = replace(
        explained(),
        checks=(),
        missing=Missing.TOO_MUCH,
        differences=(Difference("result", "APPROVED", "LOST_CARD"),),
    )
    out = put(told)

    assert out.missing_inputs == pb.MISSING_INPUTS_TOO_MUCH
    assert [(d.field, d.recorded, d.decided) for d in out.differences] == [
        ("result", "APPROVED", "LOST_CARD")
    ]


def test_the_numbers_are_the_contracts() -> None:
    """
    Outcomes and what is missing are the same here and on the wire.
    """
    for name, number in pb.CheckOutcome.items()[1:]:
        assert CheckOutcome(number).name == name.removeprefix("CHECK_OUTCOME_")
    for label, value in pb.MissingInputs.items()[1:]:
        assert Missing(value).name == label.removeprefix("MISSING_INPUTS_")
    assert len(pb.CheckOutcome.items()) == len(CheckOutcome) + 1
    assert len(pb.MissingInputs.items()) == len(Missing) + 1
