"""
Turn requests into commands, or say which of their fields are wrong (domain 1.2).

Only what cannot be keyed or read is refused here. A zero amount, a wrong exponent, an
unknown currency or card goes on: that is a decline, and declines are recorded.
"""

from typing import Any, Final, cast

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from gateway.api.field_rules import read_uuid
from gateway.api.forms import Form
from gateway.api.ports import Part, Sealer
from gateway.api.request_builders import BUILDERS
from gateway.domain.card_pins import PinProof
from gateway.domain.commands import (
    NO_CONTEXT,
    Fingerprint,
    GetBalance,
    GetTransaction,
    MoneyCommand,
    TillContext,
)
from gateway.domain.errors import InvariantError
from gateway.domain.ids import RequestId, RequestKey, TerminalId
from gateway.domain.results import EntryMode
from scrip.v1 import card_service_pb2 as pb
from scrip.v1 import transaction_pb2

_KINDS: Final[tuple[type[Message], ...]] = (
    *BUILDERS,
    pb.GetBalanceRequest,
    pb.GetTransactionRequest,
)
_WITH_PIN: Final = frozenset(
    kind
    for kind in _KINDS
    if "pin" in cast("Descriptor", kind.DESCRIPTOR).fields_by_name
)
_ENTRY_MODES: Final = {mode.value: mode for mode in EntryMode}


class RequestReader:
    """
    Read each kind of request; the terminal it counts for is known already.
    """

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer
        self._forms = {
            kind: Form(cast("Descriptor", kind.DESCRIPTOR)) for kind in _KINDS
        }

    def check(self, request: Message) -> None:
        """
        Check a request's form.

        Raises:
            InvalidFieldsError: with all wrong fields named.

        """
        self._forms[type(request)].require(request)

    # The fields that all recorded requests have; those of one kind, its builder knows.
    def read(
        self,
        request: Any,  # noqa: ANN401 - any message that BUILDERS has an entry for
        terminal_id: TerminalId,
        original_terminal_id: TerminalId | None = None,
    ) -> MoneyCommand:
        """
        Read a recorded request that `check` let pass.

        `original_terminal_id` is that of the original, where the request names one.

        Raises:
            InvalidFieldsError: a field's value makes no sense.

        """
        original = None
        if original_terminal_id is not None:
            original = RequestKey(
                original_terminal_id, request_id_of(request.original_request_id)
            )
        digits = request.card_number or None
        asked = BUILDERS[type(request)](request, digits, original, self._sealer)
        content, fingerprint = self._sealed(asked.parts)
        command = asked.make(
            request_id=request_id_of(request.request_id),
            terminal_id=terminal_id,
            card=None if digits is None else self._sealer.card(digits),
            till=_till(request),
            fingerprint=fingerprint,
            content=content,
            pin=self._pin_in(request, digits),
            **asked.fields,
        )
        return cast("MoneyCommand", command)

    def get_balance(
        self, request: pb.GetBalanceRequest, terminal_id: TerminalId
    ) -> GetBalance:
        """
        Read a GetBalance that `check` let pass; its request id is optional.
        """
        text = request.request_id
        return GetBalance(
            request_id=request_id_of(text) if text else None,
            terminal_id=terminal_id,
            card=self._sealer.card(request.card_number),
            till=_till(request),
            pin=self._pin_in(request, request.card_number),
        )

    def get_transaction(
        self, request: pb.GetTransactionRequest, terminal_id: TerminalId
    ) -> GetTransaction:
        """
        Read a GetTransaction that `check` let pass.
        """
        return GetTransaction(
            key=RequestKey(terminal_id, request_id_of(request.request_id))
        )

    def _pin_in(
        self,
        request: Any,  # noqa: ANN401 - any message with a card number
        digits: str | None,
    ) -> PinProof | None:
        """
        Seal the PIN of a request that carries one; nothing else keeps its digits.
        """
        if digits is None or type(request) not in _WITH_PIN or not request.pin:
            return None
        return self._sealer.pin(digits, request.pin)

    def _sealed(self, parts: tuple[Part, ...]) -> tuple[bytes, Fingerprint]:
        content = self._sealer.content(parts)
        return content, self._sealer.fingerprint(content)


def request_id_of(text: str) -> RequestId:
    """
    Read a request id that passed its form.
    """
    request_id = read_uuid(text)
    if request_id is None:
        message = "a request id passed its form and is no UUID"
        raise InvariantError(message)
    return request_id


def _till(request: Any) -> TillContext:  # noqa: ANN401 - any message with a `till`
    if not request.HasField("till"):
        return NO_CONTEXT
    till: transaction_pb2.TillContext = request.till
    mode = till.entry_mode
    return TillContext(
        merchant_reference=till.merchant_reference or None,
        cashier_id=till.cashier_id or None,
        entry_mode=_ENTRY_MODES[mode] if mode else None,
        local_time=till.local_time or None,
        system_trace_no=till.system_trace_no or None,
        terminal_batch_no=till.terminal_batch_no or None,
    )
