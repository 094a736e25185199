"""
What must hold of the books after every batch, whatever was asked (domain 2, design 4).

It reads committed rows only, as `scrip books check` would, and each row once.
"""

import math
from collections import Counter, defaultdict
from fractions import Fraction

from currency import Currency
from gateway.domain.ids import CardId, TransactionId
from gateway.domain.record import Account, Posting, TransactionRecord
from gateway.domain.results import APPROVALS, UNDOINGS, ActivityType, Result
from tests.support.fake_books import FakeBooks
from tests.support.model import Model

Totals = Counter[tuple[Account, int, str]]


class BooksCheck:
    """
    Follow the books from their opening, and check what was added.
    """

    def __init__(self, books: FakeBooks, model: Model) -> None:
        self._books = books
        self._model = model
        self._opening = {
            card_id: (card.version, card.balance_minor)
            for card_id, card in books.cards.items()
        }
        self._opened = {c: card.balance_minor for c, card in books.cards.items()}
        self._totals: Totals = Counter()
        self._by_transaction: dict[TransactionId, list[Posting]] = defaultdict(list)
        self._records_seen = 0
        self._postings_seen = 0

    def run(self) -> None:
        """
        Check what came since the last time, and the sums over all.
        """
        for posting in self._books.postings[self._postings_seen :]:
            account = (posting.account, posting.owner_id, posting.currency)
            self._totals[account] += posting.amount_minor
            self._by_transaction[posting.transaction_id].append(posting)
        self._postings_seen = len(self._books.postings)
        records = list(self._books.records.values())
        for record in records[self._records_seen :]:
            self._check_record(record)
        self._records_seen = len(records)
        self._check_sums()
        self._check_keys()

    def _check_record(self, record: TransactionRecord) -> None:
        assert record.transaction_id is not None
        postings = self._by_transaction[record.transaction_id]
        sums: Counter[str] = Counter()
        for posting in postings:
            sums[posting.currency] += posting.amount_minor
            assert posting.card_id == record.card_id
        assert not any(sums.values()), "postings sum to zero in each currency"
        if record.result not in APPROVALS or record.effective is False:
            assert not postings, "what moves nothing posts nothing"
            assert record.card_seq is None
            assert record.approved_minor == record.card_minor == 0
        if record.card_seq is not None and record.card_id is not None:
            self._check_chain(record, record.card_id, record.card_seq)
        if record.effective:
            self._check_undone(record)
        elif record.activity is ActivityType.REFUND:
            self._check_refund(record)
        elif record.rate_transaction is not None:
            _check_conversion(record)

    def _check_chain(
        self, record: TransactionRecord, card_id: CardId, card_seq: int
    ) -> None:
        """
        Check that each change of a card begins where the one before ended.
        """
        before, after = record.balance_before_minor, record.balance_after_minor
        assert self._opening[card_id] == (card_seq - 1, before)
        assert before is not None
        assert after is not None
        assert after >= 0
        assert record.transaction_id is not None
        liability = sum(
            posting.amount_minor
            for posting in self._by_transaction[record.transaction_id]
            if posting.account is Account.CARD_LIABILITY
        )
        assert after - before == -liability
        assert abs(after - before) == record.card_minor
        self._opening[card_id] = (card_seq, after)

    def _check_undone(self, reversal: TransactionRecord) -> None:
        """
        Check that a reversal and its original come to nothing, account by account.
        """
        assert reversal.transaction_id is not None
        assert reversal.original_transaction_id is not None
        original = self._books.records[reversal.original_transaction_id]
        net: Totals = Counter()
        for one in (reversal.transaction_id, reversal.original_transaction_id):
            for posting in self._by_transaction[one]:
                account = (posting.account, posting.owner_id, posting.currency)
                net[account] += posting.amount_minor
        assert not any(net.values())
        assert original.activity not in UNDOINGS
        assert original.result in APPROVALS
        assert (original.card_minor, original.approved_minor, original.rounding) == (
            reversal.card_minor,
            reversal.approved_minor,
            reversal.rounding,
        )

    def _check_refund(self, refund: TransactionRecord) -> None:
        """
        Check that what stands of a sale's refunds is a share of it, and no more.
        """
        if refund.result not in APPROVALS:
            return
        sale_id = refund.original_transaction_id
        assert sale_id is not None
        records = self._books.records.values()
        undone = {one.original_transaction_id for one in records if one.effective}
        standing = [
            one
            for one in records
            if one.activity is ActivityType.REFUND
            and one.original_transaction_id == sale_id
            and one.result in APPROVALS
            and one.transaction_id not in undone
        ]
        sale = self._books.records[sale_id]
        refunded = sum(one.approved_minor for one in standing)
        credit = sum(one.card_minor for one in standing)

        assert (sale.activity, sale.card_id) == (ActivityType.REDEEM, refund.card_id)
        assert refunded <= sale.approved_minor
        assert credit <= sale.card_minor
        assert (refunded == sale.approved_minor) <= (credit == sale.card_minor)
        assert not standing or sale_id not in undone

    def _check_sums(self) -> None:
        """
        Check liabilities against balances, and the whole ledger against the model's.
        """
        liability: Counter[tuple[int, str]] = Counter()
        for card_id, card in self._books.cards.items():
            assert card.balance_minor >= card.held_minor >= 0
            assert self._opening[card_id] == (card.version, card.balance_minor)
            owner = (int(card.program_id), card.currency.code)
            liability[owner] += card.balance_minor - self._opened[card_id]
        by_currency: Counter[str] = Counter()
        for (account, owner_id, code), total in self._totals.items():
            by_currency[code] += total
            if account is Account.CARD_LIABILITY:
                liability[owner_id, code] += total
        assert not any(liability.values()), "card liability is the sum of balances"
        assert not any(by_currency.values()), "nothing is made and nothing lost"
        ledger = {
            (account.name, owner_id, code): total
            for (account, owner_id, code), total in self._totals.items()
            if total
        }
        assert ledger == {key: sum_ for key, sum_ in self._model.ledger.items() if sum_}

    def _check_keys(self) -> None:
        """
        Check that each row stands under its own key, and each tombstone under a 25.
        """
        own = 0
        for key, (transaction_id, fingerprint) in self._books.keys.items():
            record = self._books.records[transaction_id]
            stands = (record.terminal_id, record.request_id) == key
            assert stands == (fingerprint is not None)
            if not stands:
                assert record.result is Result.ORIGINAL_NOT_FOUND
            own += stands
        assert own == len(self._books.records)


def _check_conversion(record: TransactionRecord) -> None:
    """
    Convert again from the row alone: the same amount, and the rounding between.
    """
    assert record.rate_transaction is not None
    assert record.rate_card is not None
    assert record.rounding is not None
    assert record.transaction_currency is not None
    assert record.card_currency is not None
    spent = Currency.of(record.transaction_currency).minor_per_unit
    minor = Currency.of(record.card_currency).minor_per_unit
    exact = Fraction(record.approved_minor, spent) * Fraction(record.rate_transaction)
    exact = exact / Fraction(record.rate_card) * minor

    assert record.card_minor == math.floor(exact + Fraction(1, 2))
    kept = Fraction(record.rounding) * minor
    assert abs(record.card_minor - exact - kept) <= Fraction(minor, 10**24)
