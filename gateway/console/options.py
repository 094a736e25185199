"""
Options that several commands share, and how they name things.
"""

from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from gateway.books.admin_devices import TerminalName
from gateway.books.admin_parties import StoreName
from gateway.console.fields import read_code, read_codes
from gateway.domain.policy import DeviceName


class ProductName(NamedTuple):
    """
    How a product is named: by its programme and its own code.
    """

    program: str
    product: str


def read_store_name(text: str) -> StoreName:
    """
    Read `nile-retail/cairo-1`.
    """
    return StoreName(*read_codes(text, "MERCHANT/STORE"))


def read_terminal_name(text: str) -> TerminalName:
    """
    Read `nile-retail/cairo-1/till-1`.
    """
    return TerminalName(*read_codes(text, "MERCHANT/STORE/TERMINAL"))


def read_device_name(text: str) -> DeviceName:
    """
    Read `nile-retail/cairo-1/till-1`.
    """
    return DeviceName(*read_codes(text, "MERCHANT/STORE/DEVICE"))


def read_product_name(text: str) -> ProductName:
    """
    Read `gift/standard`.
    """
    return ProductName(*read_codes(text, "PROGRAM/PRODUCT"))


AsJson = Annotated[
    bool, typer.Option("--json", help="Print JSON for a program instead of a table.")
]
ProgramOption = Annotated[
    str | None,
    typer.Option(
        "--program", parser=read_code, metavar="CODE", help="Only this programme's."
    ),
]
MerchantOption = Annotated[
    str | None,
    typer.Option(
        "--merchant", parser=read_code, metavar="CODE", help="Only this merchant's."
    ),
]
StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store", parser=read_code, metavar="CODE", help="Only stores of this code."
    ),
]
MerchantArgument = Annotated[
    str, typer.Argument(parser=read_code, metavar="MERCHANT", help="The merchant.")
]
StoreArgument = Annotated[
    StoreName,
    typer.Argument(
        parser=read_store_name,
        metavar="MERCHANT/STORE",
        help="The store, as nile-retail/cairo-1.",
    ),
]
TerminalArgument = Annotated[
    TerminalName,
    typer.Argument(
        parser=read_terminal_name,
        metavar="MERCHANT/STORE/TERMINAL",
        help="The terminal, as nile-retail/cairo-1/till-1.",
    ),
]
DeviceArgument = Annotated[
    DeviceName,
    typer.Argument(
        parser=read_device_name,
        metavar="MERCHANT/STORE/DEVICE",
        help="The device, as nile-retail/cairo-1/till-1.",
    ),
]
ProductArgument = Annotated[
    ProductName,
    typer.Argument(
        parser=read_product_name,
        metavar="PROGRAM/PRODUCT",
        help="The product, as gift/standard.",
    ),
]
ProductOption = Annotated[
    ProductName,
    typer.Option(
        "--product",
        parser=read_product_name,
        metavar="PROGRAM/PRODUCT",
        help="The product, as gift/standard.",
    ),
]
OutFolder = Annotated[
    Path,
    typer.Option(
        "--out",
        metavar="FOLDER",
        help="Where key, certificate and authority are written, for their owner only: "
        "FOLDER/MERCHANT/STORE/DEVICE/device.key, device.crt and ca.crt.",
    ),
]
