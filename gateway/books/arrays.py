"""
Columns as Postgres arrays in binary form: what a batch costs on its way to the server.

A set-based statement takes one array for each column (`unnest`). psycopg can dump
lists, one element at a time in general code; here each kind is packed by what it is,
which costs a fraction: columns are of fixed width, or hold few different values.

What cannot be packed raises ValueError, OverflowError or struct.error: an item's fault.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from struct import Struct, pack
from struct import error as StructError  # noqa: N812 -- a class, in lower case there
from typing import Final, TypeVar, cast

from psycopg.types.numeric import DecimalBinaryDumper

T = TypeVar("T")

_NULL: Final = b"\xff\xff\xff\xff"
_HEADER: Final = Struct(">iiIii")
_LENGTH: Final = Struct(">i")
_INT8: Final = Struct(">iq")
_INT2: Final = Struct(">ih")
_LONG: Final = Struct(">q")
_DATE: Final = Struct(">ii")
_UUID_LENGTH: Final = _LENGTH.pack(16)
_UUID_BYTES: Final = 16
_TRUE: Final = b"\x00\x00\x00\x01\x01"
_FALSE: Final = b"\x00\x00\x00\x01\x00"
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_EPOCH_DAY: Final = _EPOCH.toordinal()
_MICROSECOND: Final = timedelta(microseconds=1)
_INT2_WIDTH: Final = 2
_INT8_WIDTH: Final = 8
# Of each shape, a type and a number of rows, something is kept: batches repeat them.
_SHAPES_KEPT: Final = 4_096

# Types of Postgres, as its catalogue numbers them.
_BOOL: Final = 16
_BYTEA: Final = 17
_INT8_TYPE: Final = 20
_INT2_TYPE: Final = 21
_TEXT: Final = 25
_DATE_TYPE: Final = 1082
_TIMESTAMPTZ: Final = 1184
_NUMERIC: Final = 1700
_UUID: Final = 2950


def bools(values: Sequence[bool | None]) -> bytes:
    """
    Pack truth values.
    """
    return _of_few(_BOOL, values, _bool)


def byteas(values: Sequence[bytes | None]) -> bytes:
    """
    Pack byte strings.
    """
    return _of_few(_BYTEA, values, _bytea)


def int2s(values: Sequence[int | None]) -> bytes:
    """
    Pack small integers: codes and states.
    """
    return _integers(_INT2_TYPE, 2, values)


def int8s(values: Sequence[int | None]) -> bytes:
    """
    Pack integers.
    """
    return _integers(_INT8_TYPE, 8, values)


def texts(values: Sequence[str | None]) -> bytes:
    """
    Pack texts.
    """
    return _of_few(_TEXT, values, _text)


def dates(values: Sequence[date | None]) -> bytes:
    """
    Pack days.
    """
    return _of_few(_DATE_TYPE, values, _date)


def moments(values: Sequence[datetime | None]) -> bytes:
    """
    Pack moments; each must know its zone.
    """
    return _of_few(_TIMESTAMPTZ, values, _moment)


def moment(value: datetime) -> bytes:
    """
    Pack one moment.
    """
    return _LONG.pack((value - _EPOCH) // _MICROSECOND)


def numerics(values: Sequence[Decimal | None]) -> bytes:
    """
    Pack exact decimals.
    """
    return _of_few(_NUMERIC, values, _numeric)


def uuids(values: Sequence[bytes | None]) -> bytes:
    """
    Pack UUIDs, given as their 16 bytes.
    """
    try:
        body = _UUID_LENGTH.join((b"", *values))  # type: ignore[arg-type]
    except TypeError:  # a None is among them
        return _of_few(_UUID, values, _uuid)
    count = len(values)
    if len(body) != count * (_UUID_BYTES + len(_UUID_LENGTH)):
        message = "a UUID has 16 bytes"
        raise ValueError(message)
    return _array(_UUID, count, body, nulls=False)


def _integers(element_type: int, width: int, values: Sequence[int | None]) -> bytes:
    count = len(values)
    if _is_null(values):
        return _nulls(element_type, count)
    fields: list[int | None] = [width] * (2 * count)
    fields[1::2] = values
    try:
        return _array_struct(width, count).pack(1, 0, element_type, count, 1, *fields)
    except StructError:  # a None is among them, or a number is too great
        element = (_INT8 if width == _INT8_WIDTH else _INT2).pack
        body = [_NULL if value is None else element(width, value) for value in values]
        return _array(element_type, count, b"".join(body), nulls=True)


def _of_few(
    element_type: int,
    values: Sequence[T | None],
    element: Callable[[T], bytes],
) -> bytes:
    """
    Encode each different value once.
    """
    count = len(values)
    if _is_null(values):
        return _nulls(element_type, count)
    different = set(values)
    nulls = None in different
    if len(different) == 1:
        body = element(cast("T", values[0])) * count
    else:
        encoded = {
            value: _NULL if value is None else element(value) for value in different
        }
        body = b"".join(map(encoded.__getitem__, values))
    return _array(element_type, count, body, nulls=nulls)


def _is_null(values: Sequence[object]) -> bool:
    """
    Tell whether there is nothing but None: much of what may be told of a sale is not.
    """
    return not values or (values[0] is None and values.count(None) == len(values))


@lru_cache(maxsize=_SHAPES_KEPT)
def _nulls(element_type: int, count: int) -> bytes:
    return _array(element_type, count, _NULL * count, nulls=True)


def _array(element_type: int, count: int, body: bytes, *, nulls: bool) -> bytes:
    if not count:
        return pack(">iiI", 0, 0, element_type)
    return _HEADER.pack(1, nulls, element_type, count, 1) + body


@lru_cache(maxsize=_SHAPES_KEPT)
def _array_struct(width: int, count: int) -> Struct:
    return Struct(">iiIii" + ("ih" if width == _INT2_WIDTH else "iq") * count)


def _bool(value: bool) -> bytes:  # noqa: FBT001 -- one value, one encoding
    return _TRUE if value else _FALSE


def _bytea(value: bytes) -> bytes:
    return _LENGTH.pack(len(value)) + value


def _text(value: str) -> bytes:
    return _bytea(value.encode())


def _date(value: date) -> bytes:
    return _DATE.pack(4, value.toordinal() - _EPOCH_DAY)


def _moment(value: datetime) -> bytes:
    return _INT8.pack(8, (value - _EPOCH) // _MICROSECOND)


_dump_numeric: Final = DecimalBinaryDumper(Decimal).dump


def _numeric(value: Decimal) -> bytes:
    dumped = _dump_numeric(value)
    if dumped is None:
        message = f"{value} cannot be sent"
        raise ValueError(message)
    return _bytea(bytes(dumped))


def _uuid(value: bytes) -> bytes:
    if len(value) != _UUID_BYTES:
        message = "a UUID has 16 bytes"
        raise ValueError(message)
    return _UUID_LENGTH + value
