"""
Rows of the table `transaction` as SQL expressions, for a test to spoil single values.
"""

from typing import Any, Final

import psycopg

Connection = psycopg.Connection[Any]

DECLINE: Final = {
    "transaction_id": "gen_random_uuid()",
    "terminal_id": "1",
    "request_id": "gen_random_uuid()",
    "activity": "3",
    "result": "7",
    "merchant_id": "1",
    "store_id": "1",
    "approved_minor": "0",
    "card_minor": "0",
    "markup_bps": "0",
    "balances_shown": "false",
    "host_time": "now()",
    "business_date": "now()",
    "batch_no": "1",
    "policy_version": "1",
}
LOAD: Final = DECLINE | {
    "activity": "2",
    "result": "1",
    "program_id": "1",
    "card_id": "1",
    "card_seq": "1",
    "card_state": "3",
    "transaction_currency": "'USD'",
    "card_currency": "'USD'",
    "approved_minor": "5",
    "card_minor": "5",
    "available_before_minor": "0",
    "available_after_minor": "5",
    "balance_before_minor": "0",
    "balance_after_minor": "5",
    "held_after_minor": "0",
}


def insert(connection: Connection, table: str, values: dict[str, str]) -> None:
    """
    Insert one row of SQL expressions.
    """
    names, expressions = ", ".join(values), ", ".join(values.values())
    statement = f"INSERT INTO {table} ({names}) VALUES ({expressions})"  # noqa: S608 -- all literals
    connection.execute(statement.encode())
