"""
What must hold in the books after every test, whatever it did.
"""

from typing import Final

import psycopg
import pytest

_RULES: Final = {
    "postings of a transaction sum to zero in each currency": """
        SELECT transaction_id, currency, sum(amount_minor) FROM posting
        GROUP BY transaction_id, currency HAVING sum(amount_minor) <> 0
    """,
    "a card's balance is what its liability postings sum to": """
        SELECT c.card_id, c.balance_minor, coalesce(-sum(p.amount_minor), 0)
        FROM card AS c LEFT JOIN posting AS p ON p.card_id = c.card_id AND p.account = 1
        GROUP BY c.card_id
        HAVING c.balance_minor <> coalesce(-sum(p.amount_minor), 0)
    """,
    "a card's version is the number of its changes": """
        SELECT c.card_id, c.version, count(t.card_seq), max(t.card_seq)
        FROM card AS c LEFT JOIN transaction AS t
            ON t.card_id = c.card_id AND t.card_seq IS NOT NULL
        GROUP BY c.card_id
        HAVING c.version <> count(t.card_seq)
            OR c.version <> coalesce(max(t.card_seq), 0)
    """,
    "each change begins where the one before it ended": """
        SELECT * FROM (
            SELECT card_id, card_seq, balance_before_minor, lag(balance_after_minor)
                OVER (PARTITION BY card_id ORDER BY card_seq) AS before
            FROM transaction WHERE card_seq IS NOT NULL
        ) AS t
        WHERE before IS NOT NULL AND before <> balance_before_minor
    """,
    "an approval that moves money has its postings, a decline none": """
        SELECT t.transaction_id, t.result, t.card_minor, count(p.line)
        FROM transaction AS t LEFT JOIN posting AS p USING (transaction_id)
        GROUP BY t.transaction_id
        HAVING (t.card_minor > 0) <> (count(p.line) > 0)
    """,
    "every transaction has its request key": """
        SELECT t.transaction_id FROM transaction AS t
        WHERE NOT EXISTS (
            SELECT FROM request_key AS k
            WHERE k.terminal_id = t.terminal_id AND k.request_id = t.request_id
                AND k.transaction_id = t.transaction_id
        )
    """,
    "what was reversed was reversed once": """
        SELECT original_transaction_id, count(*) FROM transaction
        WHERE effective GROUP BY original_transaction_id HAVING count(*) > 1
    """,
}


def check_books(owner_dsn: str) -> None:
    """
    Fail with every rule that is broken, and the rows that break it.
    """
    with psycopg.connect(owner_dsn) as connection:
        broken = [
            f"{rule}: {rows[:5]}"
            for rule, query in _RULES.items()
            if (rows := connection.execute(query.encode()).fetchall())
        ]
    if broken:
        pytest.fail("\n".join(["the books do not hold:", *broken]), pytrace=False)
