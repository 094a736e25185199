"""
Hold a rate that has been read but has no version yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from currency.rates import UsdRate, require_rate_e12, to_utc


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedRate:
    """
    Be one row of an import; None for the rate withdraws the currency.
    """

    currency_code: str
    usd_per_unit_e12: int | None
    effective_from: datetime
    as_of: datetime
    source: str

    def __post_init__(self) -> None:
        """
        Hold what a table's row holds, in UTC.
        """
        require_rate_e12(self.usd_per_unit_e12)
        object.__setattr__(self, "effective_from", to_utc(self.effective_from))
        object.__setattr__(self, "as_of", to_utc(self.as_of))

    def with_version(self, version: int) -> UsdRate:
        """
        Become a row of the table under the version that its import was given.
        """
        return UsdRate(
            currency_code=self.currency_code,
            usd_per_unit_e12=self.usd_per_unit_e12,
            version=version,
            effective_from=self.effective_from,
            as_of=self.as_of,
            source=self.source,
        )
