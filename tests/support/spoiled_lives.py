"""
What can be wrong in the books about the lives of cards: the rule, and how it is broken.

Names of transactions in curly brackets stand for their ids, as `traded_lives` has them.
"""

from typing import Final

SPOILED_LIVES: Final = [
    *[
        ("card_states", f"UPDATE transaction SET {change}")  # noqa: S608
        for change in (
            "actor = NULL WHERE channel = 3",
            "reason = NULL WHERE activity = 12",
            "card_state = 3 WHERE activity = 12",
            "reason = NULL WHERE activity = 13",
            "card_state = 4 WHERE activity = 13",
            "channel = 1 WHERE activity = 13",
            "card_state = 3 WHERE activity = 16",
            "reason = 4 WHERE activity = 14 AND card_state = 7",
            "channel = 1 WHERE activity = 14 AND card_state = 7",
            "card_state = 4 WHERE transaction_id = {spent}",
            "card_state = 6 WHERE transaction_id = {spent}",
            "card_state = 7 WHERE transaction_id = {spent}",
            "card_state = 2 WHERE transaction_id = {spent}",
            "activity = 2 WHERE transaction_id = {unblocked}",
            "activity = 1 WHERE transaction_id = {refunded since}",
        )
    ],
    ("depleted", "UPDATE card SET state = 5 WHERE card_id = 1"),
    (
        "depleted",
        "UPDATE transaction SET card_state = 5 WHERE transaction_id = {loaded}",
    ),
    *[
        ("transfers", f"UPDATE transaction SET {change}")  # noqa: S608
        for change in (
            "activity = 2 WHERE activity = 15",
            "original_transaction_id = NULL WHERE activity = 15",
            "card_id = 11 WHERE activity = 15",
            "card_minor = 1 WHERE activity = 15",
            "host_time = 'now' WHERE activity = 15",
            "actor = 'me' WHERE activity = 15",
            "request_id = gen_random_uuid() WHERE activity = 15",
            "available_after_minor = 1 WHERE transaction_id = {moved}",
            "held_after_minor = 1 WHERE transaction_id = {moved}",
            "card_minor = 0 WHERE activity IN (14, 15)",
        )
    ],
    ("transfers", "UPDATE card SET replaced_by = 12 WHERE card_id = 11"),
    ("transfers_arrive", "UPDATE posting SET account = 8 WHERE amount_minor < -7000"),
    *[
        ("replaced", f"UPDATE card SET {change} WHERE card_id = 11")  # noqa: S608
        for change in (
            "balance_minor = 1",
            "held_minor = 1",
            "unconfirmed_minor = 1",
            "load_count = 1",
            "loaded_minor = 1",
            "next_hold_expiry = 'now'",
            "replaced_by = NULL",
            "replaced_by = 99",
        )
    ],
    ("replaced", "UPDATE card SET state = 2 WHERE card_id = 22"),
    ("replaced", "UPDATE card SET currency = 'EUR' WHERE card_id = 22"),
    ("replaced", "UPDATE card SET program_id = 2 WHERE card_id = 22"),
    (
        "replaced",
        (
            "INSERT INTO hold SELECT {replaced}, 11, 1, 1, 'USD', 1, 1, 0, 0, NULL,"
            " NULL, NULL, NULL, NULL, now()"
        ),
    ),
    (
        "reversals",
        "UPDATE transaction SET card_id = 12 WHERE transaction_id = {unrefunded}",
    ),
    (
        "refunds",
        "UPDATE transaction SET card_id = 12 WHERE transaction_id = {refunded since}",
    ),
    (
        "records_posted",
        "UPDATE posting SET account = 3 WHERE transaction_id = {moved} AND line = 2",
    ),
    (
        "approvals",
        (
            "UPDATE transaction SET card_state = 4 "
            "WHERE transaction_id = {unblocked again}"
        ),
    ),
    ("card_loads", "UPDATE card SET load_count = 0 WHERE card_id = 22"),
]
