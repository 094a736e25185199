"""
Arrays are packed as psycopg packs lists.
"""

import struct
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.adapt import PyFormat, Transformer
from psycopg.types.numeric import Int2, Int8

from gateway.books.arrays import (
    bools,
    byteas,
    dates,
    int2s,
    int8s,
    moments,
    numerics,
    texts,
    uuids,
)
from gateway.domain.results import Result

MOMENTS = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001 -- the zone is the next argument
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001 -- the same
    timezones=st.just(UTC),
)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=12)


def psycopg_packs(values: Sequence[object]) -> bytes:
    """
    Let psycopg dump a list, in binary.
    """
    transformer = Transformer()
    dumped = transformer.get_dumper(list(values), PyFormat.BINARY).dump(list(values))
    assert dumped is not None
    return bytes(dumped)


def with_nulls(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """
    Make lists with something in them, and here and there nothing.
    """
    return st.lists(st.none() | values, min_size=1, max_size=20).filter(
        lambda made: any(value is not None for value in made)
    )


def same(
    pack: Callable[[Sequence[Any]], bytes],
    values: list[Any],
    shown: Callable[[Any], object],
) -> None:
    """
    Compare both, but for the flag that says whether there may be nulls.
    """
    expected = psycopg_packs([None if v is None else shown(v) for v in values])
    packed = pack(values)

    assert expected[:4] + expected[8:] == packed[:4] + packed[8:]
    assert struct.pack(">i", None in values) == packed[4:8]


@given(with_nulls(st.integers(-(2**63), 2**63 - 1)))
def test_integers(values: list[int | None]) -> None:
    """
    Whole numbers of 64 bits.
    """
    same(int8s, values, Int8)


@given(with_nulls(st.integers(-(2**15), 2**15 - 1)))
def test_small_integers(values: list[int | None]) -> None:
    """
    Whole numbers of 16 bits.
    """
    same(int2s, values, Int2)


@given(with_nulls(st.binary(max_size=40)))
def test_byte_strings(values: list[bytes | None]) -> None:
    """
    Bytes of any length.
    """
    same(byteas, values, bytes)


@given(with_nulls(st.binary(min_size=16, max_size=16)))
def test_uuids(values: list[bytes | None]) -> None:
    """
    UUIDs, given as bytes.
    """
    same(uuids, values, lambda value: UUID(bytes=value))


@given(with_nulls(st.text(st.characters(exclude_categories=["Cs"]), max_size=20)))
def test_texts(values: list[str | None]) -> None:
    """
    Texts of any script.
    """
    same(texts, values, str)


@given(with_nulls(st.booleans()))
def test_truth_values(values: list[bool | None]) -> None:
    """
    True, false and unknown.
    """
    same(bools, values, bool)


@given(with_nulls(st.dates()))
def test_dates(values: list[date | None]) -> None:
    """
    Days.
    """
    same(dates, values, lambda value: value)


@given(with_nulls(MOMENTS))
def test_moments(values: list[datetime | None]) -> None:
    """
    Moments, to the microsecond.
    """
    same(moments, values, lambda value: value)


@given(with_nulls(DECIMALS))
def test_numerics(values: list[Decimal | None]) -> None:
    """
    Decimals with their digits; equal ones are packed alike.
    """
    same(numerics, values, lambda value: value)


@pytest.mark.parametrize(
    ("pack", "element_type"),
    [(int8s, 20), (int2s, 21), (texts, 25), (uuids, 2950), (moments, 1184)],
)
def test_empty_and_null_arrays(
    pack: Callable[[Sequence[Any]], bytes], element_type: int
) -> None:
    """
    Nothing at all, and nothing but nulls.
    """
    nulls = struct.pack(">iiIii", 1, 1, element_type, 3, 1) + b"\xff" * 12

    assert struct.pack(">iiI", 0, 0, element_type) == pack([])
    assert nulls == pack([None, None, None])


def test_codes_are_numbers() -> None:
    """
    Members of an enum are packed as their values.
    """
    assert int2s([1, 14]) == int2s([Result.APPROVED, Result.INSUFFICIENT_FUNDS])


def test_a_moment_knows_its_zone() -> None:
    """
    Another zone is the same moment; without one it is refused.
    """
    east = datetime(2026, 1, 1, 3, tzinfo=timezone(timedelta(hours=3)))

    assert moments([datetime(2026, 1, 1, tzinfo=UTC)]) == moments([east])
    with pytest.raises(TypeError):
        moments([datetime(2026, 1, 1)])  # noqa: DTZ001 -- what is tested


@pytest.mark.parametrize(
    ("pack", "value"),
    [
        (int8s, 2**63),
        (int2s, 2**15),
        (uuids, b"short"),
        (texts, "\ud800"),
        (int8s, "7"),
        (dates, 5),
    ],
)
def test_what_does_not_fit_is_refused(
    pack: Callable[[Sequence[Any]], bytes], value: object
) -> None:
    """
    It raises one of the errors that the lane takes for an item's fault.
    """
    for values in ([value], [None, value]):
        with pytest.raises((ValueError, TypeError, AttributeError, struct.error)):
            pack(values)
