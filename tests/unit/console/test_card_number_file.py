"""
The file of new cards' numbers: private, whole lines, one run at a time.
"""

import stat
from pathlib import Path

import pytest

from gateway.console.card_number_file import (
    HEADER,
    PIN_HEADER,
    CardNumberFile,
    NumberedCard,
)
from gateway.console.faults import BadInputError
from gateway.vault.errors import CardNumberError, PinError
from gateway.vault.numbers import generate_card_numbers
from gateway.vault.pins import Pin

CARDS = [
    NumberedCard(at, number)
    for at, number in enumerate(generate_card_numbers("6035", count=5), start=1)
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """
    Name a file that is not there yet.
    """
    return tmp_path / "cards.csv"


def wrote(path: Path, cards: list[NumberedCard]) -> None:
    """
    Be a run that came to its end.
    """
    with CardNumberFile.open(path, resume=False) as file:
        file.keep(0)
        file.add(cards)


def test_what_is_added_is_read_again(path: Path) -> None:
    """
    Header and lines, for their owner only.
    """
    wrote(path, CARDS)

    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert path.read_bytes().startswith(HEADER)
    with CardNumberFile.open(path, resume=True) as file:
        assert CARDS == file.lines()


def test_it_is_on_the_disk_when_add_returns(path: Path) -> None:
    """
    The books may learn of the cards then, whatever happens to this process.
    """
    with CardNumberFile.open(path, resume=False) as file:
        file.keep(0)
        file.add(CARDS[:2])

        assert 3 == len(path.read_bytes().splitlines())


def test_a_torn_line_is_left_out_and_cut_off(path: Path) -> None:
    """
    Wherever the writing broke off, what is whole stays.
    """
    wrote(path, CARDS)
    whole = path.read_bytes()
    for size in range(len(HEADER), len(whole)):
        path.write_bytes(whole[:size])
        with CardNumberFile.open(path, resume=True) as file:
            lines = file.lines()
            file.keep(len(lines))

        assert CARDS[: len(lines)] == lines
        assert whole.startswith(path.read_bytes())
        assert path.read_bytes().endswith(b"\n")


def test_a_header_that_was_torn_is_no_lines(path: Path) -> None:
    """
    A run that ended at once can be resumed too.
    """
    for size in range(len(HEADER)):
        path.write_bytes(HEADER[:size])
        path.chmod(0o600)
        with CardNumberFile.open(path, resume=True) as file:
            assert [] == file.lines()


def test_lines_are_added_behind_those_kept(path: Path) -> None:
    """
    Cutting off and adding leave no gap.
    """
    wrote(path, CARDS)
    with CardNumberFile.open(path, resume=True) as file:
        file.keep(2)
        file.add(CARDS[3:])
        assert [*CARDS[:2], *CARDS[3:]] == file.lines()


def test_a_file_of_a_run_that_made_nothing_is_removed(path: Path) -> None:
    """
    The next run is not told that it exists. One that is resumed stays.
    """
    with CardNumberFile.open(path, resume=False) as file:
        file.keep(0)

    assert not path.exists()
    wrote(path, CARDS)
    with CardNumberFile.open(path, resume=True):
        pass
    assert path.exists()


def test_two_runs_never_write_to_one_file(path: Path) -> None:
    """
    The second is refused and the first is not harmed.
    """
    with CardNumberFile.open(path, resume=False) as first:
        with pytest.raises(BadInputError, match="another run writes"):
            CardNumberFile.open(path, resume=True)
        first.keep(0)
        first.add(CARDS)

    assert 6 == len(path.read_bytes().splitlines())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"name,colour\n", "is no file of card numbers"),
        (HEADER + b"x,6035\n", "line 2"),
        (HEADER + b"1\n", "line 2"),
        (HEADER + b"1,4111111111111112\n", "line 2"),
        (HEADER + b"1,\xff\n", "line 2"),
        (HEADER + b"9" * 5_000 + b",6035\n", "line 2"),
    ],
)
def test_another_file_is_refused_and_not_repeated(
    path: Path, content: bytes, said: str
) -> None:
    """
    The line is named; the digits in it are not.
    """
    path.write_bytes(content)
    path.chmod(0o600)
    with (
        CardNumberFile.open(path, resume=True) as file,
        pytest.raises(BadInputError, match=said) as refused,
    ):
        file.lines()

    assert "4111" not in refused.value.message
    assert content == path.read_bytes()


def test_why_a_line_is_refused_is_told_without_its_digits(path: Path) -> None:
    """
    The rule it breaks is the cause; nothing along the chain holds what was read.
    """
    for header, line, cause in (
        (HEADER, b"1,4111111111111112", CardNumberError),
        (PIN_HEADER, b"1," + CARDS[0].number.digits.encode() + b",12x4", PinError),
        (HEADER, b"1,4111111111111111\xff", type(None)),
    ):
        path.write_bytes(header + line + b"\n")
        path.chmod(0o600)
        with (
            CardNumberFile.open(path, resume=True, pins=header == PIN_HEADER) as file,
            pytest.raises(BadInputError, match="line 2") as refused,
        ):
            file.lines()
        error = refused.value

        assert type(error.__cause__) is cause
        assert error.__cause__ is None or str(error.__cause__) in error.message
        assert error.__context__ is error.__cause__
        assert not any(part in error.message for part in ("4111", "6035", "12x4"))


def test_what_others_may_read_is_refused(path: Path) -> None:
    """
    Numbers are not written where others can see them; nor into a device.
    """
    path.write_bytes(HEADER)
    path.chmod(0o644)
    with pytest.raises(BadInputError, match="chmod 600"):
        CardNumberFile.open(path, resume=True)
    with pytest.raises(BadInputError, match="is no ordinary file"):
        CardNumberFile.open(Path("/dev/null"), resume=True)
    with pytest.raises(BadInputError, match="cannot be opened"):
        CardNumberFile.open(path / "below", resume=False)


def test_pins_stand_beside_their_numbers(path: Path) -> None:
    """
    They are read again; a line without one, or with what is no PIN, is refused.
    """
    cards = [card._replace(pin=Pin(f"00{card.card_id}4")) for card in CARDS]
    with CardNumberFile.open(path, resume=False, pins=True) as file:
        file.keep(0)
        file.add(cards)

    assert path.read_bytes().startswith(PIN_HEADER)
    with CardNumberFile.open(path, resume=True, pins=True) as file:
        assert cards == file.lines()
        file.keep(2)
        assert cards[:2] == file.lines()
    number = CARDS[0].number.digits.encode()
    for line in (b"1," + number, b"1," + number + b",12", b"1," + number + b",1234,5"):
        path.write_bytes(PIN_HEADER + line + b"\n")
        with (
            CardNumberFile.open(path, resume=True, pins=True) as file,
            pytest.raises(BadInputError, match="`card_id,card_number,pin`"),
        ):
            file.lines()
