"""
Be a till, in Python: the client library for vendors, `scrip till` and the demo.

Owns the client, the Transact stream, the till's journal and the rules of resending
and reversing, and simulated tills and shoppers. It speaks to the gateway over the
wire only: it must not import gateway, nor a database or Redis driver.
"""

from __future__ import annotations

from till.answer import Answer, ConversionRecord, HoldRecord
from till.blocking import BlockingTill
from till.card_number import CardNumber, CardNumberError
from till.client import TillClient
from till.codes import (
    ActivityType,
    BlockReason,
    CardState,
    CurrentState,
    EntryMode,
    HoldState,
    LoadType,
    Result,
    ReversalReason,
)
from till.connection import Connection, CredentialError
from till.durable_lines import JournalError
from till.errors import (
    AnswerUnreadableError,
    FieldProblem,
    Meaning,
    NotAppliedError,
    NotRecordedError,
    OutcomeUnknownError,
    RefusedError,
    TillError,
)
from till.journal import FileJournal, Journal, MemoryJournal
from till.offline import Delivery, OfflineQueue
from till.pin import Pin, PinError
from till.requests import (
    Activate,
    Advice,
    Authorize,
    Block,
    CancelAuthorization,
    Capture,
    CashOut,
    Confirm,
    Deactivate,
    GetBalance,
    GetTransaction,
    IncrementAuthorization,
    Load,
    Redeem,
    Refund,
    Request,
    Reverse,
    TillContext,
    TransferBalance,
    Void,
    new_request_id,
)
from till.shop import Ending, Settled, Shop, StillOpenError
from till.stream import TransactStream

__all__ = [
    "Activate",
    "ActivityType",
    "Advice",
    "Answer",
    "AnswerUnreadableError",
    "Authorize",
    "Block",
    "BlockReason",
    "BlockingTill",
    "CancelAuthorization",
    "Capture",
    "CardNumber",
    "CardNumberError",
    "CardState",
    "CashOut",
    "Confirm",
    "Connection",
    "ConversionRecord",
    "CredentialError",
    "CurrentState",
    "Deactivate",
    "Delivery",
    "Ending",
    "EntryMode",
    "FieldProblem",
    "FileJournal",
    "GetBalance",
    "GetTransaction",
    "HoldRecord",
    "HoldState",
    "IncrementAuthorization",
    "Journal",
    "JournalError",
    "Load",
    "LoadType",
    "Meaning",
    "MemoryJournal",
    "NotAppliedError",
    "NotRecordedError",
    "OfflineQueue",
    "OutcomeUnknownError",
    "Pin",
    "PinError",
    "Redeem",
    "Refund",
    "RefusedError",
    "Request",
    "Result",
    "ReversalReason",
    "Reverse",
    "Settled",
    "Shop",
    "StillOpenError",
    "TillClient",
    "TillContext",
    "TillError",
    "TransactStream",
    "TransferBalance",
    "Void",
    "new_request_id",
]
