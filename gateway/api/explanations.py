"""
Write an explanation for staff.
"""

from typing import Final

from gateway.domain.explanation import Check, Explanation
from gateway.domain.ids import uuid_text
from gateway.domain.results import RESPONSE_CODES
from scrip.v1 import explanation_pb2 as pb
from scrip.v1 import result_pb2

# The domain's numbers are the contract's.
_RESULTS: Final = tuple(result_pb2.Result.values())
_OUTCOMES: Final = tuple(pb.CheckOutcome.values())
_MISSING: Final = tuple(pb.MissingInputs.values())


def put_explanation(out: pb.Explanation, told: Explanation) -> None:
    """
    Fill an explanation in.
    """
    record, place = told.record, told.place
    out.transaction_id = uuid_text(record.transaction_id or b"")
    if record.request_id is not None:
        out.request_id = uuid_text(record.request_id)
    codes = (place.merchant.code, place.store.code, place.terminal.code)
    out.terminal = "/".join(codes)
    out.operation = told.operation
    out.result = _RESULTS[record.result]
    out.response_code = RESPONSE_CODES[record.result]
    out.host_time.FromDatetime(record.host_time)
    out.policy_version = record.policy_version
    out.rate_table_version = record.rate_table_version or 0
    out.card_last_four = record.card_last_four or ""
    for check in told.checks:
        _put_check(out.checks.add(), check)
    out.decided_by = told.decided_by or 0
    if told.missing is not None:
        out.missing_inputs = _MISSING[told.missing]
    for difference in told.differences:
        out.differences.add(
            field=difference.field,
            recorded=difference.recorded,
            decided=difference.decided,
        )


def _put_check(out: pb.Check, check: Check) -> None:
    out.number = check.number
    out.name = check.name
    out.outcome = _OUTCOMES[check.outcome]
    if check.result is not None:
        out.result = _RESULTS[check.result]
    for value in check.values:
        out.values.add(name=value.name, text=value.text)
