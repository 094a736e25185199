"""
Lay out the stores of the stories, which no real shopper enters.

They belong to merchants of their own, which take the cards of a programme of their own:
what is counted of the shoppers stays the source data's, to the cent.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from till.simulation.places import COUNTRIES, Country, Store
from till.simulation.replay import TillName

PROGRAM: Final = "city"
CANTEENS: Final = "canteens"


def _country(code: str, merchant: str, merchant_name: str) -> Country:
    """
    Take a country of the chain, with another company in it.
    """
    (found,) = (country for country in COUNTRIES if country.code == code)
    return replace(found, merchant=merchant, merchant_name=merchant_name)


def _store(country: Country, code: str, name: str, tills: int) -> Store:
    return Store(code=code, name=name, country=country, tills=tills, controller=False)


_KUWAIT: Final = _country("KW", "city-kw", "City Tables WLL")
_EMIRATES: Final = _country("AE", "city-ae", "City Lunch LLC")
_TURKIYE: Final = _country("TR", "city-tr", "City Books AS")
_JORDAN: Final = _country("JO", "city-jo", "City Kiosks Ltd")
_LEBANON: Final = _country("LB", "city-lb", "City Cards SAL")

RESTAURANT: Final = _store(_KUWAIT, "dar-al-bahar", "Dar Al Bahar", tills=2)
CANTEEN: Final = _store(_EMIRATES, "media-city", "Media City Canteen", tills=1)
CORNER_SHOP: Final = _store(_EMIRATES, "marina", "Marina Corner", tills=1)
BOOKSHOP: Final = _store(_TURKIYE, "galata", "Galata Books", tills=3)
KIOSK: Final = _store(_JORDAN, "jerash", "Jerash Gate Kiosk", tills=1)
BOUTIQUE: Final = _store(_LEBANON, "hamra", "Hamra Boutique", tills=1)

# Where the operator's staff sit: the last part of a desk's name is the person.
CALL_CENTRE: Final = _store(
    _country("LB", "city-desk", "City Card, the operator"),
    "call-centre",
    "The call centre",
    tills=0,
)
AMIRA: Final = TillName(CALL_CENTRE.country.merchant, CALL_CENTRE.code, "amira")

STORY_STORES: Final = (
    RESTAURANT,
    CANTEEN,
    CORNER_SHOP,
    BOOKSHOP,
    KIOSK,
    BOUTIQUE,
    CALL_CENTRE,
)

# What a store takes beside its country's money: the bookshop pays rests out in dollars.
ALSO_TAKEN: Final = {BOOKSHOP: ("USD",)}


def till_of(store: Store, number: int = 1) -> TillName:
    """
    Name a till of a store.
    """
    return TillName(store.country.merchant, store.code, store.terminals[number - 1])


def store_of(till: TillName) -> Store:
    """
    Find the store of a till.
    """
    (found,) = (
        store
        for store in STORY_STORES
        if (store.country.merchant, store.code) == (till.merchant, till.store)
    )
    return found
