"""
What a batch knows while it decides.
"""

from dataclasses import replace

from gateway.domain.commands import CardRef
from gateway.domain.decide import decide
from gateway.domain.originals import Refunds
from gateway.domain.results import CurrentState
from gateway.engine.journal import Journal
from gateway.engine.kept import Kept, state_of
from gateway.engine.locking import Locked
from gateway.engine.stored import Stored, StoredRequest
from gateway.engine.usage import Usage
from tests.support import world
from tests.support.world import amount, card, done, key, redeem, reverse, view


def journal(**stored: StoredRequest) -> Journal:
    """
    Give the state of a batch that locked one card.
    """
    locked = Locked(cards=[card()], won=frozenset(), clock=world.NOW, policy_version=1)
    requests = {key(int(name[1:])): one for name, one in stored.items()}
    found = Stored(requests, ())
    return Journal(locked, found, Usage(locked, found, world.policy()))


def test_a_command_is_about_the_card_it_names() -> None:
    """
    By its number's index; an unknown number, or none, is about no card.
    """
    known = redeem(amount(1_00))
    state = journal()

    assert state.card_of(known) == card()
    assert state.card_of(replace(known, card=None)) is None
    assert state.card_of(replace(known, card=CardRef(b"\x09" * 32, "1"))) is None
    assert state.card_of(reverse(7)) is None


def test_a_reversal_is_about_the_card_of_its_original() -> None:
    """
    Whatever card it names itself; it sees the card as the batch left it.
    """
    state = journal()
    sale = redeem(amount(30_00))
    state.add(sale, decide(sale, view(card()), None))

    seen = state.card_of(reverse(1))

    assert seen is not None
    assert (seen.balance_minor, seen.version) == (70_00, 2)
    assert state.missing_card(sale.key) is None


def test_a_tombstone_is_no_original() -> None:
    """
    What stands there is the reversal that left it.
    """
    state = journal()
    early = reverse(1)
    answer = state.add(early, decide(early, view(None, number=9), None))

    assert state.tombstone_of(key(1)) == answer.record.transaction_id
    assert state.tombstone_of(early.key) is None
    assert state.tombstone_of(key(5)) is None
    assert state.original_of(reverse(1, number=101)) is None


def test_the_write_set_holds_each_card_once() -> None:
    """
    In its last version, beside the version that was locked; untouched cards are not.
    """
    state = journal()
    seen = card()
    for number in (1, 2):
        sale = redeem(amount(30_00), number=number)
        decision = decide(sale, view(seen, number=number), None)
        state.add(sale, decision)
        assert decision.card is not None
        seen = decision.card

    writes = state.write_set()

    assert [(one.version, one.balance_minor) for one in writes.cards] == [(3, 40_00)]
    assert writes.card_versions == {1: 1}
    assert len(writes.records) == 2
    assert len(writes.postings) == 4
    assert list(journal().write_set().cards) == []


def test_what_became_of_a_transaction_is_derived() -> None:
    """
    Posted, reversed, voided, refunded or declined; refunded in part it is posted.
    """
    record, _ = done(redeem(amount(30_00)), card())
    refused = decide(redeem(amount(500_00)), view(card()), None).record

    kept = Kept(None, record, reversed=False)

    assert [
        state_of(kept),
        state_of(replace(kept, reversed=True)),
        state_of(replace(kept, voided=True)),
        state_of(replace(kept, refunds=Refunds(29_99, 29_99))),
        state_of(replace(kept, refunds=Refunds(30_00, 30_00))),
        state_of(Kept(None, refused, reversed=False)),
    ] == [
        CurrentState.POSTED,
        CurrentState.REVERSED,
        CurrentState.VOIDED,
        CurrentState.POSTED,
        CurrentState.REFUNDED,
        CurrentState.DECLINED,
    ]
