"""
Create the chain by admin commands: programme, merchants, stores, tills, cards, rates.
"""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from currency import Currency, ImportedRate, Money
from till.card_number import CardNumber
from till.demo.folder import DemoFolder
from till.demo.issued_cards import read_cards
from till.demo.moving_clock import MovingClock
from till.demo.scrip_command import ScripCommand
from till.demo.story_chain import (
    STORY_MERCHANTS,
    Done,
    create_story_cards,
    create_story_program,
    set_terminals,
)
from till.simulation.places import COUNTRIES, Country, Store
from till.simulation.plan import MAX_BALANCE_CENTS, MAX_LOAD_CENTS
from till.simulation.rate_table import midnight, rates_csv
from till.stories.places import ALSO_TAKEN, STORY_STORES
from till.stories.places import PROGRAM as STORY_PROGRAM
from till.stories.script import Wallet

PROGRAM: Final = "discs"
PRODUCT: Final = "discs/gift"
CONTROLLER: Final = "controller"
# Five years, as the strictest of the usual laws wants.
VALIDITY_DAYS: Final = 1_827
# Rates may not begin in the past, so the clock stands before them when they are loaded.
BEFORE_OPENING: Final = timedelta(hours=12)


class Cards(NamedTuple):
    """
    Be the numbers of the cards: by customer, and by who holds one in a story.
    """

    of_customers: Mapping[int, CardNumber]
    of_stories: Wallet


async def create_chain(
    scrip: ScripCommand,
    folder: DemoFolder,
    clock: MovingClock,
    *,
    stores: Sequence[Store],
    rates: Sequence[ImportedRate],
    customers: Iterable[int],
    first_day: date,
    done: Done,
) -> Cards:
    """
    Create everything a first day needs, and give everybody their cards.

    What does not depend on each other is made side by side.
    """
    holders = sorted(customers)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_create_program(scrip, done))
        tasks.create_task(create_story_program(scrip))
        tasks.create_task(clock.move_to(midnight(first_day) - BEFORE_OPENING))
    built = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_create_places(scrip, folder, stores, built, done))
        tasks.create_task(_create_cards(scrip, folder, len(holders), done))
        tasks.create_task(_load_rates(scrip, folder, rates, done))
        wallet = tasks.create_task(create_story_cards(scrip, folder, built, done))
    numbers = read_cards(folder.cards, len(holders))
    return Cards(dict(zip(holders, numbers, strict=True)), wallet.result())


async def _create_program(scrip: ScripCommand, done: Done) -> None:
    await scrip.must(
        *("program", "create", "--code", PROGRAM, "--name", "Discs gift card"),
        *("--time-zone", "Asia/Beirut"),
    )
    done("programme")


async def _create_places(
    scrip: ScripCommand,
    folder: DemoFolder,
    shops: Sequence[Store],
    built: asyncio.Event,
    done: Done,
) -> None:
    """
    Create the chain's stores and those of the stories; `built` is set before the tills.
    """
    merchants = folder.file("merchants.csv")
    _write_csv(
        merchants,
        ("code", "name", "programs"),
        [
            *_merchants(COUNTRIES, PROGRAM),
            *_merchants(STORY_MERCHANTS, STORY_PROGRAM),
        ],
    )
    await scrip.must("merchant", "import", merchants)
    done(f"{len(COUNTRIES)} merchants, and {len(STORY_MERCHANTS)} of the stories")
    stores = (*shops, *STORY_STORES)
    stores_file = folder.file("stores.csv")
    _write_csv(
        stores_file,
        ("merchant", "store", "name", "country", "time_zone", "currencies"),
        [
            (
                store.country.merchant,
                store.code,
                store.name,
                store.country.code,
                store.country.time_zone,
                " ".join((store.country.currency.code, *ALSO_TAKEN.get(store, ()))),
            )
            for store in stores
        ],
    )
    await scrip.must("store", "import", stores_file)
    built.set()
    done(f"{len(shops)} stores, and {len(STORY_STORES)} of the stories")
    terminals = [
        (store.country.merchant, store.code, terminal)
        for store in stores
        for terminal in store.terminals
    ]
    terminals_file = folder.file("terminals.csv")
    _write_csv(terminals_file, ("merchant", "store", "terminal"), terminals)
    await scrip.must("terminal", "import", terminals_file, "--out", folder.credentials)
    done(f"{len(terminals)} tills with certificates")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(set_terminals(scrip, done))
        for store in stores:
            if store.controller:
                tasks.create_task(_create_controller(scrip, folder, store, done))


async def _create_controller(
    scrip: ScripCommand, folder: DemoFolder, store: Store, done: Done
) -> None:
    name = f"{store.country.merchant}/{store.code}/{CONTROLLER}"
    await scrip.must("device", "create", name, "--out", folder.credentials)
    done(f"controller of {store.name}")


async def _create_cards(
    scrip: ScripCommand, folder: DemoFolder, count: int, done: Done
) -> None:
    dollar = Currency.of("USD")
    await scrip.must(
        *("product", "create", PRODUCT, "--currency", dollar.code),
        *("--max-load", Money(MAX_LOAD_CENTS, dollar).to_decimal_text()),
        *("--max-balance", Money(MAX_BALANCE_CENTS, dollar).to_decimal_text()),
        *("--validity-days", str(VALIDITY_DAYS)),
    )
    done("product")
    await scrip.must(
        *("card", "create", "--product", PRODUCT),
        *("--count", str(count), "--out", folder.cards),
    )
    done(f"{count:,} cards")


async def _load_rates(
    scrip: ScripCommand,
    folder: DemoFolder,
    rates: Sequence[ImportedRate],
    done: Done,
) -> None:
    file = folder.file("rates.csv")
    file.write_text(rates_csv(rates), encoding="utf-8")
    await scrip.must(
        *("rates", "import", file),
        *("--loaded-by", "demo", "--approved-by", "demo reviewer"),
    )
    done(f"{len(rates)} rates")


def _merchants(
    countries: Iterable[Country], program: str
) -> Iterable[tuple[str, str, str]]:
    return ((each.merchant, each.merchant_name, program) for each in countries)


def _write_csv(
    path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]
) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
