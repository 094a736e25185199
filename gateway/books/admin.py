"""
A connection for the operator's console: one change, one transaction.

The console's role may change what is decided about cards and create them; it moves no
money and cannot touch the journal. Only the clock takes the owner.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from psycopg.rows import DictRow, dict_row

from gateway.books.queries import QUERIES

ADMIN_ROLE: Final = "scrip_admin"
OWNER_ROLE: Final = "scrip_owner"
READER_ROLE: Final = "scrip_reader"

LOCK_TIMEOUT_MS: Final = 10_000
# Long enough for a person's machine to encrypt a batch of cards in between.
IDLE_TIMEOUT_MS: Final = 120_000

AdminConnection = psycopg.Connection[DictRow]
Row = DictRow


class AdminError(Exception):
    """
    The books did not do what the console asked. Nothing of it was committed.
    """


class BooksUnreachableError(AdminError):
    """
    No books answer at the address, or they let us not in.
    """


class BooksNotReadyError(AdminError):
    """
    The database has not the tables or the roles of this program.
    """


class ConflictError(AdminError):
    """
    A rule of the database refuses the change.

    `constraint` is its name, where the server told it.
    """

    def __init__(self, message: str, *, constraint: str) -> None:
        super().__init__(message)
        self.constraint = constraint


@contextmanager
def admin_connection(
    address: str, *, role: str = ADMIN_ROLE, connect_timeout_s: int
) -> Iterator[AdminConnection]:
    """
    Connect and take a role; close at the end. Transactions are the caller's to open.

    Raises:
        AdminError: the books are unreachable or not ready, or refuse a change.

    """
    with _translated():
        connection = AdminConnection.connect(
            address,
            autocommit=True,
            connect_timeout=connect_timeout_s,
            row_factory=dict_row,
            application_name="scrip console",
        )
        with connection:
            run(
                connection,
                "admin_settings",
                role=role,
                lock_timeout=f"{LOCK_TIMEOUT_MS}ms",
                idle_timeout=f"{IDLE_TIMEOUT_MS}ms",
            )
            yield connection


@contextmanager
def one_transaction(connection: AdminConnection) -> Iterator[None]:
    """
    Commit what is done inside, all of it or nothing.
    """
    with _translated(), connection.transaction():
        yield


def run(connection: AdminConnection, query: str, **parameters: object) -> list[Row]:
    """
    Run a query by its name; give its rows, none when it gives none.
    """
    cursor = connection.execute(QUERIES[query].text, parameters)
    return cursor.fetchall() if cursor.description is not None else []


def run_for_count(connection: AdminConnection, query: str, **parameters: object) -> int:
    """
    Run a change by its name; give how many rows it changed.
    """
    return connection.execute(QUERIES[query].text, parameters).rowcount


@contextmanager
def _translated() -> Iterator[None]:
    """
    Let no exception of the driver out.
    """
    try:
        yield
    except psycopg.IntegrityError as error:
        raise ConflictError(
            _sentence(error), constraint=error.diag.constraint_name or ""
        ) from error
    except (
        psycopg.errors.UndefinedTable,
        psycopg.errors.UndefinedFunction,
        psycopg.errors.UndefinedColumn,
        psycopg.errors.InvalidParameterValue,
    ) as error:
        raise BooksNotReadyError(
            f"{_sentence(error)}: the books are of another release; run `scrip migrate`"
        ) from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise AdminError(
            f"{_sentence(error)}: the address must be of a role that may act as "
            f"{ADMIN_ROLE}, as {OWNER_ROLE} may"
        ) from error
    except psycopg.errors.LockNotAvailable as error:
        raise AdminError(
            f"another change is under way for more than {LOCK_TIMEOUT_MS} ms: try again"
        ) from error
    except psycopg.OperationalError as error:
        raise BooksUnreachableError(str(error).strip()) from error
    except psycopg.Error as error:
        raise AdminError(_sentence(error)) from error


def _sentence(error: psycopg.Error) -> str:
    """
    Give what the server said, without the rows that it may quote in its details.
    """
    return error.diag.message_primary or str(error).strip()
