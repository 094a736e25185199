"""
Double entry: the postings of each activity (design 4).

A transaction in another currency than the card's passes through FX clearing, so that
each currency balances by itself. What rounding won or lost stays on the record, not
here.
"""

from gateway.domain.errors import InvariantError
from gateway.domain.ids import CardId, MerchantId, ProgramId, TransactionId
from gateway.domain.record import Account, Posting, TransactionRecord
from gateway.domain.results import DEBITS, ActivityType


def postings_of(record: TransactionRecord) -> tuple[Posting, ...]:
    """
    Give the postings of an approved Activate, Load, Redeem, CashOut or Refund.

    Who paid cash out at the till is owed it, like who sold goods for the card.
    """
    if record.activity in DEBITS:
        return _entries(record, Account.MERCHANT_PAYABLE, sign=1)
    if record.activity is ActivityType.REFUND:
        return _entries(record, Account.MERCHANT_PAYABLE, sign=-1)
    return _entries(record, Account.MERCHANT_RECEIVABLE, sign=-1)


def adjusting(record: TransactionRecord) -> tuple[Posting, ...]:
    """
    Give the postings of an approved adjustment: the programme bears it.
    """
    up = record.activity is ActivityType.ADJUST_INCREMENT
    amount = -record.card_minor if up else record.card_minor
    return _with_program(record, Account.ADJUSTMENTS, amount)


def transferring(record: TransactionRecord) -> tuple[Posting, ...]:
    """
    Give the postings of one end of a move between two cards of a programme.

    Each end balances by itself; between the two the money stands in TRANSFERS.
    """
    leaves = record.activity is ActivityType.TRANSFER_BALANCE_FROM
    amount = record.card_minor if leaves else -record.card_minor
    return _with_program(record, Account.TRANSFERS, amount)


def _with_program(
    record: TransactionRecord, own: Account, amount: int
) -> tuple[Posting, ...]:
    """
    Debit the card's liability by `amount`, against an account of its programme.
    """
    currency, program = record.card_currency, record.program_id
    transaction, card = record.transaction_id, record.card_id
    if transaction is None or card is None or program is None or currency is None:
        message = "a posting needs a recorded transaction on a known card"
        raise InvariantError(message)
    if not amount:
        return ()
    liability = Account.CARD_LIABILITY
    return (
        Posting(transaction, 1, card, liability, program, currency, amount),
        Posting(transaction, 2, card, own, program, currency, -amount),
    )


def reversing(
    reversal: TransactionRecord, original: TransactionRecord
) -> tuple[Posting, ...]:
    """
    Give the postings that undo those of `original`, under the reversal's id.

    They are on the reversal's card: that of the original may have been replaced.
    """
    transaction_id, card_id = reversal.transaction_id, reversal.card_id
    if transaction_id is None or card_id is None:
        message = "a reversal that is posted is recorded"
        raise InvariantError(message)
    return tuple(
        posting._replace(
            transaction_id=transaction_id,
            card_id=card_id,
            amount_minor=-posting.amount_minor,
        )
        for posting in postings_of(original)
    )


def _entries(
    record: TransactionRecord, merchant_account: Account, *, sign: int
) -> tuple[Posting, ...]:
    """
    Debit the card's liability and credit the merchant (1), or the reverse (-1).
    """
    transaction, card, program = (
        record.transaction_id,
        record.card_id,
        record.program_id,
    )
    currency, card_currency = record.transaction_currency, record.card_currency
    if not record.card_minor:
        return ()
    if transaction is None or card is None or program is None:
        message = "a posting needs a recorded transaction on a known card"
        raise InvariantError(message)
    if currency is None or card_currency is None:
        message = "a posting needs its currencies"
        raise InvariantError(message)
    in_card = sign * record.card_minor
    in_transaction = sign * record.approved_minor
    return _lines(
        transaction,
        card,
        (Account.CARD_LIABILITY, program, card_currency, in_card),
        (merchant_account, record.merchant_id, currency, -in_transaction),
        program,
    )


def _lines(
    transaction: TransactionId,
    card: CardId,
    liability: tuple[Account, ProgramId, str, int],
    merchant: tuple[Account, MerchantId, str, int],
    program: ProgramId,
) -> tuple[Posting, ...]:
    first = Posting(transaction, 1, card, *liability)
    if liability[2] == merchant[2]:
        return (first, Posting(transaction, 2, card, *merchant))
    clearing = Account.FX_CLEARING
    return (
        first,
        Posting(transaction, 2, card, clearing, program, liability[2], -liability[3]),
        Posting(transaction, 3, card, clearing, program, merchant[2], -merchant[3]),
        Posting(transaction, 4, card, *merchant),
    )
