"""
What a decision saw is brought back, or it is said why not.
"""

from dataclasses import replace

import pytest

from gateway.domain.commands import CardRef
from gateway.domain.decide import decide
from gateway.domain.errors import InvariantError
from gateway.domain.originals import Original
from gateway.domain.recall import Missing, Recalled, Recorded, recall, wanted_by
from tests.support.lives import decided, other, transfer
from tests.support.world import (
    NOW,
    amount,
    card,
    done,
    policy,
    redeem,
    refund,
    view,
)


@pytest.mark.parametrize(
    ("seen", "missing"),
    [
        (None, Missing.NOT_KEPT),
        (b'{"v":1,"op":"Redeem","cut":true}', Missing.TOO_MUCH),
        (b'{"v":2,"op":"Redeem"}', Missing.UNKNOWN_FORM),
        (b'{"v":1,"op":"Teleport"}', Missing.UNKNOWN_FORM),
    ],
)
def test_what_cannot_be_brought_back(seen: bytes | None, missing: Missing) -> None:
    """
    An older release kept nothing, a newer one another form, and some is too much.
    """
    record = decide(redeem(amount(1_00)), view(card()), None).record._replace(seen=seen)

    assert wanted_by(record) is missing
    with pytest.raises(InvariantError):
        recall(Recorded(record=record, policy=policy(), cards={}))


def test_a_release_is_of_a_hold_and_a_request_has_an_id() -> None:
    """
    Whatever else stands in a row was not written by this program.
    """
    seen = view(card(), now=NOW)
    record = decide(redeem(amount(1_00)), seen, None).record
    bare = Recorded(
        record=record._replace(request_id=None),
        policy=seen.policy,
        cards={card().card_id: card()},
    )

    with pytest.raises(InvariantError, match="request id"):
        recall(bare)
    with pytest.raises(InvariantError, match="of a hold"):
        Recalled(None, seen, None).decide()


def test_what_has_to_be_read() -> None:
    """
    The original by its id, also where the answer does not tell it.
    """
    sale, after = done(redeem(amount(30_00)), card())
    original = Original(sale, reversed=False, later_activity=False)
    foreign = replace(refund(amount(5_00), 1), card=CardRef(b"other", "9999"))
    blind = decide(foreign, view(after, number=9), original).record

    wanted = wanted_by(blind)

    assert not isinstance(wanted, Missing)
    assert blind.original_transaction_id is None
    assert wanted.original_id == sale.transaction_id
    assert wanted.card_ids == {after.card_id}
    assert wanted.second is None


def test_a_move_has_a_second_row() -> None:
    """
    It is found by the second card, where it comes next.
    """
    moved = decided(transfer(), card(70_00), other(5_00)).record
    declined = decided(transfer(), card(0), other(5_00)).record
    to = other(5_00)

    wanted, without = wanted_by(moved), wanted_by(declined)

    assert not isinstance(wanted, Missing)
    assert not isinstance(without, Missing)
    assert wanted.card_ids == {card().card_id, to.card_id}
    assert wanted.second == (to.card_id, to.version + 1)
    assert without.second is None
