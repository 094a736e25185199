"""
Find the rates of an import that move too far from what is in force before them.

A digit too many or a pair turned round is worth more than most frauds, and looks like
this. Pure: the rows in, the jumps out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from currency import UsdRate

_HUNDREDTH: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Jump:
    """
    A rate, what it replaces, and by how much it moves.
    """

    rate: UsdRate
    before: UsdRate
    percent: Decimal

    def __str__(self) -> str:
        """
        Say it in one line.
        """
        return (
            f"{self.rate.currency_code} from {_written(self.rate.effective_from)}: "
            f"{self.before.usd_per_unit:f} becomes {self.rate.usd_per_unit:f}, "
            f"{self.percent:+f} %"
        )


def find_jumps(
    table: Iterable[UsdRate], version: int, *, max_percent: int
) -> list[Jump]:
    """
    Give the rows of a version that move by more than so many percent.

    Each is compared with the last rate before it, of the table or of the same import;
    a withdrawal in between does not hide the jump. A currency's first rate moves from
    nothing and is no jump.

    Args:
        table: all rows of the currencies, those of the version among them.
        version: the version that is being loaded.
        max_percent: what may pass, up or down.

    """
    jumps = []
    last: dict[str, UsdRate] = {}
    for rate in sorted(table, key=_place):
        if rate.usd_per_unit is None:
            continue
        before = last.get(rate.currency_code)
        if rate.version == version and before is not None:
            jump = _jump(rate, before, max_percent)
            if jump is not None:
                jumps.append(jump)
        last[rate.currency_code] = rate
    return jumps


def _jump(rate: UsdRate, before: UsdRate, max_percent: int) -> Jump | None:
    if rate.usd_per_unit_e12 is None or before.usd_per_unit_e12 is None:
        return None
    moved = rate.usd_per_unit_e12 - before.usd_per_unit_e12
    if abs(moved) * 100 <= max_percent * before.usd_per_unit_e12:
        return None
    percent = Decimal(moved * 100) / Decimal(before.usd_per_unit_e12)
    shown = percent.quantize(_HUNDREDTH, rounding=ROUND_HALF_UP)
    return Jump(rate=rate, before=before, percent=shown)


def needs_second_person(
    jumps: Sequence[Jump], loaded_by: str, approved_by: str | None
) -> bool:
    """
    Tell whether jumps lack the approval of somebody else.
    """
    if not jumps:
        return False
    return approved_by is None or same_person(loaded_by, approved_by)


def same_person(one: str, other: str) -> bool:
    """
    Tell whether two names are one, however they are written.
    """
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def _place(rate: UsdRate) -> tuple[datetime, int, str]:
    return (rate.effective_from, rate.version, rate.currency_code)


def _written(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
