"""
How long holds live and what may be taken beyond them, as the console changes it.
"""

from gateway.books.admin import AdminConnection, run


def set_hold_ttl(
    connection: AdminConnection, *, program: str, product: str, ttl_s: int
) -> bool:
    """
    Change how long holds on a product's cards live; tell whether there is one.
    """
    return bool(
        run(
            connection,
            "admin_set_hold_ttl",
            program=program,
            product=product,
            hold_ttl_s=ttl_s,
        )
    )


def set_tip_tolerance(connection: AdminConnection, *, program: str, bps: int) -> bool:
    """
    Change how much captures of a programme may exceed their holds; tell whether it is.
    """
    return bool(run(connection, "admin_set_tip_tolerance", program=program, bps=bps))
