"""
Create what the stories need: their programme, its products, rules and cards.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from till.demo.folder import DemoFolder
from till.demo.issued_cards import read_cards_and_pins
from till.demo.scrip_command import ScripCommand
from till.stories.canteen import HOURS
from till.stories.kiosk import FLOOR_LIMIT
from till.stories.places import (
    AMIRA,
    CANTEEN,
    CANTEENS,
    KIOSK,
    PROGRAM,
    STORY_STORES,
    till_of,
)
from till.stories.script import Wallet
from till.stories.telling import GIFT, HOLDERS, LUNCH, SECURE
from till.stories.two_messages import TWO_MESSAGE_TILL

# One for each country: a company that runs the stores of the stories there.
STORY_MERCHANTS: Final = tuple(
    {store.country.merchant: store.country for store in STORY_STORES}.values()
)
TIP_TOLERANCE_PERCENT: Final = "20"
CASH_OUT_LIMIT: Final = "10.00"
RESTRICTION: Final = "canteen"

Done = Callable[[str], None]


async def create_story_program(scrip: ScripCommand) -> None:
    """
    Create the programme, whose restaurants may take a fifth more than was held.
    """
    await scrip.must(
        *("program", "create", "--code", PROGRAM, "--name", "City card"),
        *("--time-zone", "Asia/Beirut"),
        *("--tip-tolerance", TIP_TOLERANCE_PERCENT),
    )


async def create_story_cards(
    scrip: ScripCommand, folder: DemoFolder, built: asyncio.Event, done: Done
) -> Wallet:
    """
    Create the products and a card for everybody in the stories.

    `built` tells that the stores are there, which the rules of some products name.
    """
    async with asyncio.TaskGroup() as tasks:
        wallets = [
            tasks.create_task(_create_gift_cards(scrip, folder)),
            tasks.create_task(_create_lunch_cards(scrip, folder, built)),
            tasks.create_task(_create_secure_cards(scrip, folder)),
        ]
        await built.wait()
        tasks.create_task(_add_staff(scrip, folder))
    wallet = {
        holder: number for found in wallets for holder, number in found.result().items()
    }
    done(f"{len(wallet)} cards of the stories")
    return wallet


async def set_terminals(scrip: ScripCommand, done: Done) -> None:
    """
    Let one till send two messages, and another sell offline up to a floor limit.
    """
    kiosk = ("terminal", "set", "/".join(till_of(KIOSK)), "--floor-limit")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(
            scrip.must("terminal", "set", "/".join(TWO_MESSAGE_TILL), "--two-message")
        )
        tasks.create_task(
            scrip.must(
                *(*kiosk, FLOOR_LIMIT.to_decimal_text()),
                *("--currency", FLOOR_LIMIT.currency.code),
            )
        )
    done("terms of the stories' tills")


async def _add_staff(scrip: ScripCommand, folder: DemoFolder) -> None:
    """
    Give somebody of the call centre a desk and a certificate.
    """
    await scrip.must(
        *("staff", "add", "/".join(AMIRA), "--role", "call-centre", "--out"),
        folder.credentials,
    )


async def _create_gift_cards(scrip: ScripCommand, folder: DemoFolder) -> Wallet:
    await scrip.must(
        *("product", "create", f"{PROGRAM}/{GIFT}", "--currency", "USD"),
        *("--cash-out-limit", CASH_OUT_LIMIT),
    )
    return await _create_cards(scrip, folder, GIFT)


async def _create_lunch_cards(
    scrip: ScripCommand, folder: DemoFolder, built: asyncio.Event
) -> Wallet:
    await scrip.must("store-group", "create", CANTEENS, "--program", PROGRAM)
    await built.wait()
    canteen = f"{CANTEEN.country.merchant}/{CANTEEN.code}"
    await scrip.must("store-group", "add", CANTEENS, canteen, "--program", PROGRAM)
    await scrip.must(
        *("restriction", "create", f"{PROGRAM}/{RESTRICTION}"),
        *("--allow", f"group={CANTEENS}", "--hours", HOURS),
    )
    await scrip.must(
        *("product", "create", f"{PROGRAM}/{LUNCH}", "--currency", "USD"),
        *("--restriction", RESTRICTION),
    )
    return await _create_cards(scrip, folder, LUNCH)


async def _create_secure_cards(scrip: ScripCommand, folder: DemoFolder) -> Wallet:
    await scrip.must(
        *("product", "create", f"{PROGRAM}/{SECURE}", "--currency", "USD"),
        *("--pin-for", "redeem"),
    )
    return await _create_cards(scrip, folder, SECURE, "--pins")


async def _create_cards(
    scrip: ScripCommand, folder: DemoFolder, product: str, *more: str
) -> Wallet:
    holders = HOLDERS[product]
    file = folder.file(f"cards-{product}.csv")
    await scrip.must(
        *("card", "create", "--product", f"{PROGRAM}/{product}"),
        *("--count", str(len(holders)), *more, "--out"),
        file,
    )
    return dict(zip(holders, read_cards_and_pins(file, len(holders)), strict=True))
