"""
`scrip card restrict` and its neighbours: restriction sets of issue batches and cards.
"""

from typing import Annotated, Final

import typer

from gateway.books.admin import AdminConnection
from gateway.books.admin_restrictions import (
    RestrictionName,
    issue_batches,
    restrict_card,
    restrict_issue_batch,
    restriction_set_id,
)
from gateway.console.faults import BadInputError
from gateway.console.fields import read_code
from gateway.console.options import AsJson, ProductName, read_product_name
from gateway.console.screen import Column, say, show_rows
from gateway.console.session import session_of

MAX_SHOWN_BATCHES: Final = 1_000

RestrictionOption = Annotated[
    str | None,
    typer.Option(
        "--restriction",
        parser=read_code,
        metavar="SET",
        help="A restriction set of the same programme.",
    ),
]
LiftOption = Annotated[
    bool, typer.Option("--lift", help="Take its restriction set away.")
]
BatchArgument = Annotated[
    int, typer.Argument(min=1, metavar="BATCH", help="The issue batch's number.")
]


def wanted_set(
    books: AdminConnection, program: str, restriction: str | None, *, lift: bool = False
) -> int | None:
    """
    Find the set that options name, None to lift it.

    Raises:
        BadInputError: both options or none are given, or there is no such set.

    """
    if (restriction is None) != lift:
        raise BadInputError("--restriction, --lift: give one of the two")
    return None if restriction is None else require_set(books, program, restriction)


def require_set(books: AdminConnection, program: str, restriction: str) -> int:
    """
    Find a set of a programme.

    Raises:
        BadInputError: there is none.

    """
    set_id = restriction_set_id(books, RestrictionName(program, restriction))
    if set_id is None:
        raise BadInputError(
            f"--restriction: there is no set {program}/{restriction}: "
            "see `scrip restriction list`"
        )
    return set_id


def restrict_one_card(
    books: AdminConnection,
    *,
    card_id: int,
    program: str,
    restriction: str | None,
    lift: bool,
) -> None:
    """
    Give one card a set of its own, or take it away.
    """
    set_id = wanted_set(books, program, restriction, lift=lift)
    restrict_card(books, card_id=card_id, set_id=set_id)


def restrict_batch(
    context: typer.Context,
    batch: BatchArgument,
    *,
    restriction: RestrictionOption = None,
    lift: LiftOption = False,
) -> None:
    """
    Give the cards of an issue batch a restriction set, or take it away.
    """
    with session_of(context).change() as books:
        rows = issue_batches(books, issue_batch_id=batch, limit=1)
        if not rows:
            raise BadInputError(
                f"BATCH: there is no issue batch {batch}: see `scrip card batches`"
            )
        set_id = wanted_set(books, rows[0]["program"], restriction, lift=lift)
        restrict_issue_batch(books, issue_batch_id=batch, set_id=set_id)
    say(f"issue batch {batch} has {restriction or 'no restriction'}")


def list_batches(
    context: typer.Context,
    *,
    product: Annotated[
        ProductName | None,
        typer.Option(
            parser=read_product_name,
            metavar="PROGRAM/PRODUCT",
            help="Only this product's.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """
    List issue batches, the newest first: each run of `scrip card create` made one.
    """
    session = session_of(context)
    with session.books() as books:
        rows = issue_batches(
            books,
            program=product.program if product else None,
            product=product.product if product else None,
            limit=MAX_SHOWN_BATCHES,
        )
    columns = (
        Column(title="Batch", key="issue_batch_id", is_figure=True),
        Column(title="Programme", key="program"),
        Column(title="Product", key="product"),
        Column(title="Restriction", key="restriction"),
        Column(title="Created", key="created_at", show=session.wording.moment),
    )
    show_rows(rows, columns, as_json=as_json)
