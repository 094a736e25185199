"""
The parts of the demo that need no gateway.
"""

import json
import os
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path
from random import Random

import pytest
from rich.console import Console

from currency import Currency, Money
from tests.unit.till.fake_host import USD, FakeHost, answer_of
from tests.unit.till.scripted_host import planned
from till import (
    Answer,
    CardNumber,
    Ending,
    GetBalance,
    Redeem,
    Request,
    Result,
    Settled,
    new_request_id,
)
from till.demo.audit import AuditResult, audit
from till.demo.cli import last_day_of
from till.demo.figures import money_text
from till.demo.fleet import visited_stores
from till.demo.folder import MARKER, SERVING_FILE, DemoError, DemoFolder
from till.demo.invitation import invitation
from till.demo.summary import Outcome, sales_by_country, show, write_json
from till.simulation.places import CONTROLLERS, all_stores
from till.simulation.plan import Visit, plan_visits
from till.simulation.purchases import FIRST_DAY, read_purchases
from till.simulation.rate_table import demo_rates, rate_book
from till.simulation.replay import Replay, TillName
from till.simulation.simulated_till import SimulatedTill
from till.simulation.tally import Tally
from till.stories.record import Played, Record

RATES = rate_book(demo_rates(FIRST_DAY, FIRST_DAY))


class BalanceHost(FakeHost):
    """
    Answer balances too.
    """

    async def send(self, request: Request, *, timeout_s: float | None = None) -> Answer:
        """
        Give what is on the card beside what was answered last.
        """
        if not isinstance(request, GetBalance):
            return await super().send(request, timeout_s=timeout_s)
        any_answer = next(iter(self.answers.values()))
        fields = {name: getattr(any_answer, name) for name in Answer.__slots__}
        left = self.balances[request.card_number.digits]
        fields["ledger_balance"] = Money(left, USD)
        return Answer(**fields)


class Day:
    """
    Hold a day that was replayed at a host in memory.
    """

    def __init__(self) -> None:
        self.visits: Sequence[Visit] = plan_visits(
            read_purchases(), all_stores(), RATES, last_day=FIRST_DAY
        )
        self.host = BalanceHost(rates=RATES)
        self.tally = Tally()
        self.stories = Record([])
        self.cards: Mapping[int, CardNumber] = {
            visit.customer: CardNumber(f"{visit.customer:016d}")
            for visit in self.visits
        }

    async def replay(self) -> None:
        """
        Replay it.
        """

        async def no_pause(seconds: float) -> None:
            del seconds

        names = {TillName.of(visit) for visit in self.visits}
        tills = {
            name: SimulatedTill(
                self.host, name.terminal, self.tally, chance=Random(1), pause=no_pause
            )
            for name in names
        }
        await Replay(self.visits, tills=tills, cards=self.cards, clock=self.host).run(
            lambda visit: None
        )

    async def audit(self) -> AuditResult:
        """
        Compare it with its source.
        """
        return await audit(
            self.visits,
            self.tally,
            senders={TillName.of(visit): self.host for visit in self.visits},
            cards=self.cards,
            asked=lambda: None,
        )

    def outcome(self, result: AuditResult, *, books_clean: bool = True) -> Outcome:
        """
        Build what a demo ends with.
        """
        return Outcome(
            tally=self.tally,
            audit=result,
            stories=self.stories,
            replay_s=Decimal("2.5"),
            total_s=Decimal("9.000"),
            connections=7,
            streams=1,
            books_clean=books_clean,
            books_text="the books hold",
        )


@pytest.fixture
async def day() -> Day:
    """
    Give a replayed day.
    """
    day = Day()
    await day.replay()
    return day


async def test_an_honest_host_passes_the_audit(day: Day) -> None:
    """
    Every sale is recorded as the source has it, and cards hold what is left.
    """
    result = await day.audit()

    assert [] == list(result.differences)
    assert result.equal
    assert result.source_sales == result.recorded_sales == len(day.visits)
    assert result.source_cents == sum(visit.cents for visit in day.visits)
    assert result.balances_read > 0


async def test_a_sale_that_was_undone_behind_the_till_is_found(day: Day) -> None:
    """
    A recorded state other than POSTED is a difference, though the till saw approval.
    """
    sale = next(iter(day.tally.sales.values()))
    name = TillName.of(sale.visit)
    till = SimulatedTill(day.host, name.terminal, Tally(), chance=Random(1))
    undone: Settled = await till._shop.undo(sale.request_id)

    result = await day.audit()

    assert Ending.UNDONE is undone.ending
    assert not result.equal
    assert any("APPROVED, REVERSED" in text for text in result.differences)
    assert any("card of customer" in text for text in result.differences)


async def test_a_sale_that_is_not_recorded_is_found(day: Day) -> None:
    """
    A host that forgot a sale, or a till that lost one, is a difference each.
    """
    first, second, *_ = day.tally.sales.values()
    del day.host.answers[first.request_id]
    del day.tally.sales[second.visit.number]

    result = await day.audit()

    assert not result.equal
    assert f"purchase {first.visit.number}: nothing" in result.differences
    assert f"purchase {second.visit.number}: no approved sale" in result.differences


async def test_a_cent_too_much_is_found(day: Day) -> None:
    """
    A debit that differs by one cent is named with both amounts.
    """
    number, sale = next(iter(day.tally.sales.items()))
    wrong = sale.visit._replace(cents=sale.visit.cents + 1)
    day.visits = [wrong if v.number == number else v for v in day.visits]

    result = await day.audit()

    assert any(
        text == f"purchase {number}: {wrong.cents} cents in the source, "
        f"{sale.visit.cents} recorded"
        for text in result.differences
    )


async def test_the_summary_is_for_people_and_programs(day: Day) -> None:
    """
    Tables name results, rates and countries; JSON has the same in minor units.
    """
    outcome = day.outcome(await day.audit())
    screen = StringIO()

    show(outcome, Console(file=screen, width=100))
    facts = json.loads(write_json(outcome))

    text = screen.getvalue()
    assert outcome.good
    assert "Redeem      APPROVED" in text
    assert "United Arab Emirates" in text
    assert "ok     approved sales against the source" in text
    assert facts["good"]
    assert facts["source"] == facts["recorded"]
    found = sales_by_country(day.tally)
    assert facts["recorded"]["cents"] == sum(each.dollars.minor_units for each in found)


async def test_a_failed_books_check_is_a_failed_demo(day: Day) -> None:
    """
    Whatever else is right, the demo is not good then; nor with one difference.
    """
    result = await day.audit()

    assert not day.outcome(result, books_clean=False).good
    day.stories.differs("something")
    assert not day.outcome(result).good
    day.stories = Record([])
    day.tally.differs("something")
    assert not day.outcome(result).good


def test_amounts_have_their_currencys_digits() -> None:
    """
    Also where Babel's own formats differ from ISO 4217.
    """
    assert "LBP 1,000,000.00" == money_text(Money(100_000_000, Currency.of("LBP")))
    assert "KWD 1,234.567" == money_text(Money(1_234_567, Currency.of("KWD")))
    assert "JPY 1,500" == money_text(Money(1_500, Currency.of("JPY")))


@pytest.mark.parametrize(
    ("months", "days", "last"),
    [
        (1, None, date(2025, 1, 31)),
        (2, None, date(2025, 2, 28)),
        (12, None, date(2025, 12, 31)),
        (13, None, date(2026, 1, 31)),
        (18, None, date(2026, 6, 30)),
        (18, 2, date(2025, 1, 2)),
    ],
)
def test_months_and_days(months: int, days: int | None, last: date) -> None:
    """
    Months end on their last day; days win.
    """
    assert last == last_day_of(months, days)


def test_only_what_a_demo_made_is_deleted(tmp_path: Path) -> None:
    """
    A folder with somebody's files is refused; one of a demo is emptied.
    """
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "letter.txt").write_text("dear")
    ours = DemoFolder(tmp_path / "ours")
    ours.make_anew().close()
    ours.data.mkdir()
    ours.cards.write_text("numbers")
    (ours.path / "link").symlink_to(theirs)

    with pytest.raises(DemoError, match="not made by a demo"):
        DemoFolder(theirs).make_anew()
    ours.make_anew().close()

    assert [MARKER] == [path.name for path in ours.path.iterdir()]
    assert "dear" == (theirs / "letter.txt").read_text()


def test_two_demos_do_not_share_a_folder(tmp_path: Path) -> None:
    """
    While one runs another is refused.
    """
    folder = DemoFolder(tmp_path / "demo")
    lock = folder.make_anew()

    with pytest.raises(DemoError, match="is running"):
        folder.make_anew()
    lock.close()

    folder.make_anew().close()


def test_a_gateway_that_outlived_its_demo_keeps_its_books(tmp_path: Path) -> None:
    """
    As long as its process lives; what a killed one left is deleted.
    """
    folder = DemoFolder(tmp_path / "demo")
    folder.make_anew().close()
    folder.data.mkdir()
    serving = folder.data / SERVING_FILE
    serving.write_text(json.dumps({"pid": os.getpid()}))

    with pytest.raises(DemoError, match=f"end process {os.getpid()}"):
        folder.make_anew()
    serving.write_text(json.dumps({"pid": 2**22 + 1}))
    folder.make_anew().close()

    assert not serving.exists()


def test_the_invitation_can_be_pasted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    It names a till of the plan, and the line of its last customer's card.
    """
    monkeypatch.chdir(tmp_path)
    day = Day()
    folder = DemoFolder(Path(".demo"))

    text = "\n".join(
        invitation(
            folder,
            address="127.0.0.1:7443",
            visits=day.visits,
            cards=day.cards,
            stories=Record([]),
        )
    )

    assert "TILL_ADDRESS=127.0.0.1:7443 TILL_CURRENCY=KWD" in text
    assert "TILL_CERT=.demo/credentials/discs-kw/" in text
    kuwait = [v for v in day.visits if v.store.country.code == "KW"]
    line = 2 + sorted(day.cards).index(kuwait[-1].customer)
    assert f"sed -n {line}p .demo/cards.csv | cut -d, -f2" in text
    assert "till redeem --amount 1.000" in text
    assert "explain" not in text


def test_staff_are_invited_to_explain_a_decline(tmp_path: Path) -> None:
    """
    One of the stories', by its transaction id; a restriction if there is one.
    """
    day = Day()
    (step, *_) = (
        step
        for story in planned()
        for step in story.steps
        if step.says == "a thief tries to buy perfume"
    )
    request = Redeem(
        request_id=new_request_id(),
        card_number=CardNumber("0" * 16),
        amount=Money(1, USD),
    )
    answer = answer_of(request, Result.LOST_CARD, day.host.now)
    stories = Record(planned(), played=[Played(step, request, answer)])

    text = "\n".join(
        invitation(
            DemoFolder(tmp_path),
            address="127.0.0.1:7443",
            visits=day.visits,
            cards=day.cards,
            stories=stories,
        )
    )

    assert "a thief tries to buy perfume" in text
    assert f"explain {answer.transaction_id}" in text
    assert "exceptions list" in text


def test_only_visited_stores_are_connected() -> None:
    """
    And three stores have a controller.
    """
    stores = all_stores()
    some = {TillName(s.country.merchant, s.code, "till-1") for s in stores[:5]}

    assert stores[:5] == visited_stores(stores, some)
    assert CONTROLLERS == sum(store.controller for store in stores)
