"""
Make cards: draw numbers, encrypt them, keep them, and let the books know.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from gateway.books.admin import AdminConnection, one_transaction
from gateway.books.admin_cards import NewCard, find_cards, insert_cards, take_card_ids
from gateway.books.admin_pins import insert_card_pins
from gateway.books.admin_restrictions import insert_issue_batch, issue_batches
from gateway.console.card_number_file import CardNumberFile, NumberedCard
from gateway.console.faults import BadInputError, CommandRefusedError
from gateway.console.screen import progress
from gateway.vault.card_batch import NUMBERS_PER_CARD_MIN
from gateway.vault.errors import CardBatchError
from gateway.vault.numbers import NumberVault, generate_card_numbers
from gateway.vault.pins import Pin, PinVault

BATCH_CARDS: Final = 10_000
# With one card in 100,000 numbers even the second draw is hardly ever needed.
DRAW_LIMIT: Final = 8


class PinIssue(NamedTuple):
    """
    How the PINs of new cards are made.
    """

    vault: PinVault
    digits: int


class CardIssue:
    """
    Make cards of one product, so many a transaction, all in one issue batch.
    """

    def __init__(
        self,
        books: AdminConnection,
        vault: NumberVault,
        *,
        product_id: int,
        prefix: str,
        length: int,
        restriction_set_id: int | None = None,
        pins: PinIssue | None = None,
    ) -> None:
        self._pins = pins
        self._books = books
        self._vault = vault
        self._product_id = product_id
        self._prefix = prefix
        self._length = length
        self._restriction_set_id = restriction_set_id
        self._issue_batch_id: int | None = None

    def check_room(self, count: int) -> None:
        """
        Refuse what a batch alone would pass: a guesser must hardly ever find a card.
        """
        random_digits = self._length - len(self._prefix) - 1
        if count * NUMBERS_PER_CARD_MIN > 10 ** max(random_digits, 0):
            raise BadInputError(
                f"--prefix, --length: leave {max(random_digits, 0)} random digits: too "
                f"few for {count} cards at one card in {NUMBERS_PER_CARD_MIN} numbers"
            )

    def settle(self, file: CardNumberFile) -> int:
        """
        Bring the file and the books together after an interruption; count the cards.

        Lines of a batch that did not commit stand at the end and are taken away: no
        card has their numbers. A file of other cards is refused.
        """
        lines = file.lines()
        known = 0
        with progress("comparing the file with the books", len(lines)) as advance:
            for start in range(0, len(lines), BATCH_CARDS):
                part = lines[start : start + BATCH_CARDS]
                found = self._count_known(part)
                known += found
                advance(found)
                if found < len(part):
                    self._require_unknown(lines[known:])
                    break
        file.keep(known)
        self._check_restriction()
        return known

    def make(
        self, count: int, file: CardNumberFile, advance: Callable[[int], None]
    ) -> None:
        """
        Make so many cards.
        """
        if count and self._issue_batch_id is None:
            with one_transaction(self._books):
                self._issue_batch_id = insert_issue_batch(
                    self._books,
                    product_id=self._product_id,
                    set_id=self._restriction_set_id,
                )
        while count and self._issue_batch_id is not None:
            size = min(count, BATCH_CARDS)
            with one_transaction(self._books):
                made = self._insert(size, self._issue_batch_id)
                file.add(made)
            advance(size)
            count -= size

    def _insert(self, count: int, issue_batch_id: int) -> list[NumberedCard]:
        """
        Insert cards; draw again for those whose number another card has.
        """
        made: list[NumberedCard] = []
        for _ in range(DRAW_LIMIT):
            drawn = self._draw(count - len(made))
            created = insert_cards(
                self._books,
                [self._sealed(card) for card in drawn],
                product_id=self._product_id,
                issue_batch_id=issue_batch_id,
                index_key_id=self._vault.index_key_id,
            )
            kept = [card for card in drawn if card.card_id in created]
            self._insert_pins(kept)
            made += kept
            if len(made) == count:
                return made
        raise CommandRefusedError(
            f"{DRAW_LIMIT} draws did not give {count} new numbers: this prefix is used "
            "up, choose another or longer numbers"
        )

    def _draw(self, count: int) -> list[NumberedCard]:
        try:
            numbers = generate_card_numbers(
                self._prefix, count=count, length=self._length
            )
        except CardBatchError as error:
            raise BadInputError(f"--prefix, --length: {error}") from error
        ids = take_card_ids(self._books, count)
        pins = self._pins
        return [
            NumberedCard(
                card_id, number, None if pins is None else Pin.draw(pins.digits)
            )
            for card_id, number in zip(ids, numbers, strict=True)
        ]

    def _insert_pins(self, cards: Sequence[NumberedCard]) -> None:
        if self._pins is None:
            return
        vault = self._pins.vault
        tags = {
            card.card_id: vault.tag(card.number, card.pin)
            for card in cards
            if card.pin is not None
        }
        insert_card_pins(self._books, tags, key_id=vault.key_id)

    def _sealed(self, card: NumberedCard) -> NewCard:
        return NewCard(
            card_id=card.card_id,
            number_index=self._vault.index(card.number),
            number_ciphertext=self._vault.encrypt(card.card_id, card.number),
            last_four=card.number.last_four,
        )

    def _count_known(self, lines: Sequence[NumberedCard]) -> int:
        """
        Count the lines from the first on whose cards are in the books.
        """
        indexes = [self._vault.index(card.number) for card in lines]
        found = find_cards(self._books, indexes)
        for at, (card, index) in enumerate(zip(lines, indexes, strict=True)):
            known = found.get(index)
            if known is None:
                return at
            if (known.card_id, known.product_id) != (card.card_id, self._product_id):
                raise BadInputError(
                    "--resume: the file's cards are of another product or of other "
                    "books: name the file and product of the interrupted run"
                )
            self._issue_batch_id = known.issue_batch_id
        return len(lines)

    def _check_restriction(self) -> None:
        """
        Refuse to go on with a batch under another restriction than it was begun with.
        """
        if self._issue_batch_id is None or self._restriction_set_id is None:
            return
        (batch,) = issue_batches(
            self._books, issue_batch_id=self._issue_batch_id, limit=1
        )
        if batch["restriction_set_id"] != self._restriction_set_id:
            raise BadInputError(
                "--restriction: the interrupted run has another: see `scrip card "
                "batches`, and change it by `scrip card restrict-batch`"
            )

    def _require_unknown(self, lines: Sequence[NumberedCard]) -> None:
        """
        Make sure that nothing but one batch at the end is missing.
        """
        if len(lines) > BATCH_CARDS or find_cards(
            self._books, [self._vault.index(card.number) for card in lines]
        ):
            raise BadInputError(
                "--resume: the books lack cards from the middle of the file: it is not "
                "the file of an interrupted run on these books"
            )
