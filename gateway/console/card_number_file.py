"""
The file that holds new cards' numbers: private, written once, never half a line lost.

    card_id,card_number
    1,6035710000000000001

With PINs the header ends in `,pin`, and so does each line in the card's own.
The numbers of a batch are on the disk before the books learn of its cards. What a crash
leaves behind is therefore at most lines without cards, never cards without numbers.
"""

import fcntl
import os
import stat
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, NamedTuple, Self

from gateway.console.faults import BadInputError
from gateway.vault.errors import PinError
from gateway.vault.numbers import CardNumber, CardNumberError
from gateway.vault.pins import Pin
from gateway.vault.private_file import PRIVATE_MODE

HEADER: Final = b"card_id,card_number\n"
PIN_HEADER: Final = b"card_id,card_number,pin\n"

_OTHERS_BITS: Final = 0o077
# As many as the books' bigint has at most.
_CARD_ID_DIGITS: Final = 19


class NumberedCard(NamedTuple):
    """
    One line: a card's id, its number, and its PIN if it has one.
    """

    card_id: int
    number: CardNumber
    pin: Pin | None = None


class CardNumberFile(AbstractContextManager["CardNumberFile"]):
    """
    The open file of one run. A second run on it is refused.
    """

    def __init__(self, path: Path, file: BinaryIO, *, is_new: bool, pins: bool) -> None:
        self._header = PIN_HEADER if pins else HEADER
        self._path = path
        self._file = file
        self._is_vain = is_new

    @classmethod
    def open(cls, path: Path, *, resume: bool, pins: bool = False) -> Self:
        """
        Make the file, or open the one of an interrupted run; `pins` stand in it or not.

        Raises:
            BadInputError: it exists, or does not, or cannot be used; or a run uses it.

        """
        flags = os.O_RDWR | os.O_CLOEXEC
        if not resume:
            flags |= os.O_CREAT | os.O_EXCL
        try:
            descriptor = os.open(path, flags, PRIVATE_MODE)
        except FileExistsError as error:
            raise BadInputError(
                f"--out: {path} exists: name another file, or go on with it: --resume"
            ) from error
        except OSError as error:
            raise BadInputError(
                f"--out: {path} cannot be opened ({error.strerror}): name another file"
            ) from error
        file = os.fdopen(descriptor, "r+b")
        found = cls(path, file, is_new=not resume, pins=pins)
        try:
            found._claim(descriptor)
            if not resume:
                found._file.write(found._header)
                _sync_folder(path.parent)
        except BaseException:
            found._file.close()
            raise
        return found

    def lines(self) -> list[NumberedCard]:
        """
        Read what an interrupted run wrote; the last line may be torn and is left out.
        """
        self._file.seek(0)
        header, *lines = self._file.read().split(b"\n")
        if header + b"\n" != self._header:
            if not lines and self._header.startswith(header):
                return []
            if header + b"\n" in (HEADER, PIN_HEADER):
                raise BadInputError(
                    "--pins: the interrupted run was begun "
                    + ("without it" if self._header == PIN_HEADER else "with it")
                )
            raise BadInputError(f"--out: {self._path} is no file of card numbers")
        # What stands behind the last line's end was not finished.
        return [self._read(line, at) for at, line in enumerate(lines[:-1], start=2)]

    def keep(self, count: int) -> None:
        """
        Cut off all lines but the first `count`, and stand ready to add some.
        """
        self._file.seek(0)
        text = self._file.read()
        kept = self._header + b"".join(
            line + b"\n" for line in text.split(b"\n")[1 : count + 1]
        )
        self._file.seek(0)
        self._file.truncate(0)
        self._file.write(kept)
        self._sync()

    def add(self, cards: Sequence[NumberedCard]) -> None:
        """
        Add lines, durably: only then may the books learn of the cards.
        """
        self._file.write(
            "".join(
                f"{card.card_id},{card.number.digits}"
                + ("\n" if card.pin is None else f",{card.pin.digits}\n")
                for card in cards
            ).encode("ascii")
        )
        self._is_vain = False
        self._sync()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()
        if self._is_vain:
            # It was made by this run and no card came: nothing to go on with.
            self._path.unlink()

    def _claim(self, descriptor: int) -> None:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise BadInputError(
                f"--out: {self._path} is no ordinary file: name another"
            )
        if stat.S_IMODE(status.st_mode) & _OTHERS_BITS:
            raise BadInputError(
                f"--out: {self._path} may be read by others: chmod 600 it"
            )
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BadInputError(
                f"--out: another run writes to {self._path}: wait for it"
            ) from error

    def _read(self, line: bytes, at: int) -> NumberedCard:
        card_id, *secrets = line.split(b",")
        wanted = self._header.rstrip().decode("ascii")
        refusal = f"--out: line {at} of {self._path} is not `{wanted}`"
        # Asked beforehand: an error about the bytes or the integer would hold them.
        if (
            not line.isascii()
            or not card_id.isdigit()
            or len(card_id) > _CARD_ID_DIGITS
            or len(secrets) != wanted.count(",")
        ):
            raise BadInputError(refusal)
        number, *pins = [secret.decode("ascii") for secret in secrets]
        try:
            pin = Pin(pins[0]) if pins else None
            return NumberedCard(int(card_id), CardNumber(number), pin)
        except (CardNumberError, PinError) as error:
            # They name the rule, and never the digits.
            raise BadInputError(f"{refusal} ({error})") from error

    def _sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())


def _sync_folder(folder: Path) -> None:
    """
    Let the new file's name survive a power cut too.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
