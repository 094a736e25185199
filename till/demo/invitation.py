"""
Tell how to reach a demo that goes on serving, in lines to paste.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from till.card_number import CardNumber
from till.codes import Result
from till.demo.fleet import device_folder
from till.demo.folder import DemoFolder
from till.demo.scrip_command import find_scrip
from till.simulation.plan import Visit
from till.stories.record import Record

PLAY_COUNTRY: Final = "KW"


def invitation(
    folder: DemoFolder,
    *,
    address: str,
    visits: Sequence[Visit],
    cards: Mapping[int, CardNumber],
    stories: Record,
) -> list[str]:
    """
    Give commands for a till in Kuwait and a card with money left on it, and for staff.
    """
    visit = next(
        (
            visit
            for visit in reversed(visits)
            if visit.store.country.code == PLAY_COUNTRY and not visit.store.controller
        ),
        visits[-1],
    )
    device = device_folder(folder.credentials, visit.store, visit.terminal)
    line = 2 + sorted(cards).index(visit.customer)
    scrip = shlex.quote(_short(find_scrip()))
    card = f"sed -n {line}p {_quoted(folder.cards)} | cut -d, -f2"
    money = visit.store.country.currency
    one = "1" + ("." + "0" * money.exponent if money.exponent else "")
    return [
        "",
        (
            f"Be the {visit.terminal} of {visit.store.name}, "
            f"{visit.store.country.name}, with the card of customer {visit.customer}:"
        ),
        "",
        f"  export TILL_ADDRESS={address} TILL_CURRENCY={money.code}",
        (
            f"  export TILL_CERT={_quoted(device / 'device.crt')} "
            f"TILL_KEY={_quoted(device / 'device.key')} "
            f"TILL_CA={_quoted(device / 'ca.crt')}"
        ),
        f"  {card} | {scrip} till balance",
        f"  {card} | {scrip} till redeem --amount {one}",
        f"  {scrip} --data-folder {_quoted(folder.data)} books check",
        *_for_staff(f"{scrip} --data-folder {_quoted(folder.data)}", stories),
    ]


def _for_staff(scrip: str, stories: Record) -> list[str]:
    """
    Give what the operator's staff look at after the stories, if any was told.
    """
    declined = [
        each
        for each in stories.played
        if not each.answer.approved and each.request.request_id is not None
    ]
    if not declined:
        return []
    # A restriction is what most people ask about.
    barred = Result.RESTRICTED_CARD
    asked = next((each for each in declined if each.answer.result is barred), None)
    shown = asked or declined[-1]
    return [
        "",
        (
            "Be somebody of the operator's staff (docs/staff-guide.md): why was this "
            f"declined, “{shown.step.says}”?"
        ),
        "",
        f"  {scrip} explain {shown.answer.transaction_id}",
        f"  {scrip} exceptions list",
        f"  {scrip} audit list",
    ]


def _quoted(path: Path) -> str:
    return shlex.quote(_short(path))


def _short(path: Path) -> str:
    """
    Write a path from here, where that is shorter.
    """
    relative = os.path.relpath(path)
    return relative if len(relative) < len(str(path)) else str(path)
