"""
Ask the gateway again, when all is sold, and compare with the source to the cent.

What the tills remember is one thing; what is recorded is asked once more, sale by
sale, and what is left on cards is read from some of them.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from currency import Money
from till.answer import Answer
from till.card_number import CardNumber
from till.client import Sender
from till.errors import TillError
from till.requests import GetBalance, GetTransaction
from till.simulation.plan import Visit
from till.simulation.replay import TillName
from till.simulation.tally import Sale, Tally

IN_FLIGHT: Final = 64
SAMPLED_CARDS: Final = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditResult:
    """
    Be what was compared, and what differed.
    """

    source_sales: int
    source_cents: int
    recorded_sales: int
    recorded_cents: int
    balances_read: int
    differences: Sequence[str]

    @property
    def equal(self) -> bool:
        """
        Tell whether the approved sales are the source's.
        """
        return not self.differences and (self.source_sales, self.source_cents) == (
            self.recorded_sales,
            self.recorded_cents,
        )


async def audit(
    visits: Sequence[Visit],
    tally: Tally,
    *,
    senders: Mapping[TillName, Sender],
    cards: Mapping[int, CardNumber],
    asked: Callable[[], None],
) -> AuditResult:
    """
    Compare every purchase of the source with what the gateway has recorded.
    """
    wanted = {visit.number: visit.cents for visit in visits if visit.cents}
    differences = [
        f"purchase {number}: no approved sale"
        for number in sorted(wanted.keys() - tally.sales.keys())
    ]
    differences += [
        f"purchase {number}: sold, and not in the source"
        for number in sorted(tally.sales.keys() - wanted.keys())
    ]
    recorded: dict[int, int] = {}
    room = asyncio.Semaphore(IN_FLIGHT)

    async def ask(sale: Sale) -> None:
        async with room:
            cents = await _recorded_cents(sale, senders, differences)
        asked()
        if cents is not None:
            recorded[sale.visit.number] = cents

    await asyncio.gather(*(ask(sale) for sale in tally.sales.values()))
    for number, cents in recorded.items():
        if wanted.get(number) != cents:
            differences.append(
                f"purchase {number}: {wanted.get(number)} cents in the source, "
                f"{cents} recorded"
            )
    balances = await _compare_balances(visits, senders, cards, differences)
    return AuditResult(
        source_sales=len(wanted),
        source_cents=sum(wanted.values()),
        recorded_sales=len(recorded),
        recorded_cents=sum(recorded.values()),
        balances_read=balances,
        differences=differences,
    )


async def _recorded_cents(
    sale: Sale, senders: Mapping[TillName, Sender], differences: list[str]
) -> int | None:
    """
    Ask what is recorded for a sale; give the cents debited, if it stands.
    """
    visit = sale.visit
    name = TillName.of(visit)
    enquiry = GetTransaction(request_id=sale.request_id, terminal_id=name.terminal)
    try:
        answer: Answer = await senders[name].send(enquiry)
    except TillError as error:
        differences.append(f"purchase {visit.number}: {error.message}")
        return None
    if not answer.stands or answer.conversion is None:
        differences.append(
            f"purchase {visit.number}: recorded as {answer.result.name}, "
            f"{answer.current_state.name}"
        )
        return None
    if answer.approved_amount != visit.amount:
        differences.append(
            f"purchase {visit.number}: {answer.approved_amount} recorded for "
            f"{visit.amount}"
        )
    return answer.conversion.card_amount.minor_units


async def _compare_balances(
    visits: Sequence[Visit],
    senders: Mapping[TillName, Sender],
    cards: Mapping[int, CardNumber],
    differences: list[str],
) -> int:
    """
    Read some cards: what was loaded and not spent must be there.
    """
    left: dict[int, int] = defaultdict(int)
    last_till: dict[int, TillName] = {}
    for visit in visits:
        loaded = sum(top_up.cents for top_up in visit.top_ups)
        left[visit.customer] += loaded - visit.cents
        last_till[visit.customer] = TillName.of(visit)
    sample = _sample(sorted(left))
    for customer in sample:
        name = last_till[customer]
        enquiry = GetBalance(card_number=cards[customer], terminal_id=name.terminal)
        try:
            answer = await senders[name].send(enquiry)
        except TillError as error:
            differences.append(f"card of customer {customer}: {error.message}")
            continue
        found: Money | None = answer.ledger_balance
        if found is None or found.minor_units != left[customer]:
            differences.append(
                f"card of customer {customer}: {found} and not {left[customer]} cents"
            )
    return len(sample)


def _sample(customers: Sequence[int]) -> Sequence[int]:
    step = max(len(customers) // SAMPLED_CARDS, 1)
    return customers[::step]
