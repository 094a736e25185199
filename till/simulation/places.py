"""
Lay out the chain: 453 stores in eight countries, and their tills.

The 453 stores of the reference case with some of them in Türkiye, so that one of the
currencies follows a central bank's daily rates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from currency import Currency

STORES: Final = 453
# The largest store of each of the first countries has a controller.
CONTROLLERS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Country:
    """
    Be a country of the chain, with the company that runs its stores there.
    """

    code: str
    name: str
    currency: Currency
    time_zone: str
    merchant: str
    merchant_name: str
    stores: int
    cities: tuple[str, ...]


COUNTRIES: Final = (
    Country(
        code="AE",
        name="United Arab Emirates",
        currency=Currency.of("AED"),
        time_zone="Asia/Dubai",
        merchant="discs-ae",
        merchant_name="Discs Emirates LLC",
        stores=96,
        cities=("Dubai", "Abu Dhabi", "Sharjah", "Al Ain"),
    ),
    Country(
        code="EG",
        name="Egypt",
        currency=Currency.of("EGP"),
        time_zone="Africa/Cairo",
        merchant="discs-eg",
        merchant_name="Discs Egypt SAE",
        stores=88,
        cities=("Cairo", "Alexandria", "Giza", "Mansoura"),
    ),
    Country(
        code="TR",
        name="Türkiye",
        currency=Currency.of("TRY"),
        time_zone="Europe/Istanbul",
        merchant="discs-tr",
        merchant_name="Discs Türkiye AS",
        stores=72,
        cities=("Istanbul", "Ankara", "Izmir", "Bursa"),
    ),
    Country(
        code="KW",
        name="Kuwait",
        currency=Currency.of("KWD"),
        time_zone="Asia/Kuwait",
        merchant="discs-kw",
        merchant_name="Discs Kuwait WLL",
        stores=58,
        cities=("Kuwait City", "Hawalli", "Salmiya"),
    ),
    Country(
        code="QA",
        name="Qatar",
        currency=Currency.of("QAR"),
        time_zone="Asia/Qatar",
        merchant="discs-qa",
        merchant_name="Discs Qatar WLL",
        stores=47,
        cities=("Doha", "Al Rayyan", "Lusail"),
    ),
    Country(
        code="LB",
        name="Lebanon",
        currency=Currency.of("LBP"),
        time_zone="Asia/Beirut",
        merchant="discs-lb",
        merchant_name="Discs Liban SAL",
        stores=38,
        cities=("Beirut", "Tripoli", "Jounieh"),
    ),
    Country(
        code="JO",
        name="Jordan",
        currency=Currency.of("JOD"),
        time_zone="Asia/Amman",
        merchant="discs-jo",
        merchant_name="Discs Jordan Ltd",
        stores=33,
        cities=("Amman", "Irbid", "Zarqa"),
    ),
    Country(
        code="BH",
        name="Bahrain",
        currency=Currency.of("BHD"),
        time_zone="Asia/Bahrain",
        merchant="discs-bh",
        merchant_name="Discs Bahrain WLL",
        stores=21,
        cities=("Manama", "Muharraq", "Riffa"),
    ),
)


class Store(NamedTuple):
    """
    Be a store. `controller` says that its tills speak through one machine.
    """

    code: str
    name: str
    country: Country
    tills: int
    controller: bool

    @property
    def terminals(self) -> tuple[str, ...]:
        """
        Name its tills.
        """
        return tuple(f"till-{number}" for number in range(1, self.tills + 1))


def all_stores() -> tuple[Store, ...]:
    """
    Give the stores in a fixed order, the largest of each country first.
    """
    return tuple(
        _store(country, rank, controller=rank == 0 and place < CONTROLLERS)
        for place, country in enumerate(COUNTRIES)
        for rank in range(country.stores)
    )


def _store(country: Country, rank: int, *, controller: bool) -> Store:
    city = country.cities[rank % len(country.cities)]
    number = rank // len(country.cities) + 1
    return Store(
        code=f"{city.lower().replace(' ', '-')}-{number}",
        name=f"{city} {number}",
        country=country,
        tills=_tills(rank, country.stores),
        controller=controller,
    )


def _tills(rank: int, stores: int) -> int:
    """
    Give one store in seven three tills, one in four two, the rest one.
    """
    if rank * 7 < stores:
        return 3
    return 2 if rank * 5 < stores * 2 else 1
