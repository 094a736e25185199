import struct
from collections.abc import Sequence

from hypothesis import example, given
from hypothesis import strategies as st

from gateway.vault.fingerprints import Part, length_prefixed

# Small alphabets and lengths, so that lists often look almost alike.
parts = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 11),
    st.integers(),
    st.text("S\0\x01a0", max_size=3),
    st.text(),
    st.binary(max_size=3),
)
lists = st.lists(parts, max_size=5)


def _typed(values: Sequence[Part]) -> list[tuple[type, Part]]:
    # In Python True equals 1; here they differ.
    return [(type(value), value) for value in values]


def _decoded(encoded: bytes) -> list[tuple[type, Part]]:
    """
    Read an encoding back, which only an unambiguous one allows.
    """
    values: list[Part] = []
    while encoded:
        tag, length = struct.unpack_from(">cI", encoded)
        content, encoded = encoded[5 : 5 + length], encoded[5 + length :]
        value: Part
        if tag == b"N":
            value = None
        elif tag == b"L":
            value = content == b"\1"
        elif tag == b"I":
            value = int(content)
        elif tag == b"S":
            value = content.decode("utf-8", "surrogatepass")
        else:
            value = content
        values.append(value)
    return _typed(values)


@given(values=lists)
@example(values=["\ud800"])
def test_an_encoding_can_be_read_back(values: list[Part]) -> None:
    """
    Every list has an encoding that determines it, so no two lists share one.
    """
    assert _typed(values) == _decoded(length_prefixed(values))


@given(first=lists, second=lists)
def test_two_lists_never_share_an_encoding(
    first: list[Part], second: list[Part]
) -> None:
    """
    Encodings are equal exactly when the lists are, types included.
    """
    same = _typed(first) == _typed(second)

    assert same is (length_prefixed(first) == length_prefixed(second))


@given(values=lists, cut=st.integers(0, 5))
def test_lists_join_as_their_encodings_do(values: list[Part], cut: int) -> None:
    """
    A list may be encoded in pieces, as where a prefix is the same for many.
    """
    pieces = length_prefixed(values[:cut]) + length_prefixed(values[cut:])

    assert length_prefixed(values) == pieces
