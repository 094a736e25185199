"""
`scrip serve`: the whole system under one supervisor.
"""

import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, Final

import typer

from gateway.books.migrate import MigrationError, migrate, pending_migrations
from gateway.bootstrap.server_files import ServerPaths, ready_server_files
from gateway.console.faults import EXIT_BAD_INPUT, EXIT_FAILED, CommandRefusedError
from gateway.console.listening import reserve_port
from gateway.console.screen import answer, warn
from gateway.console.session import Session, session_of
from gateway.runtime.embedded import (
    OWNER_ROLE,
    DataFolder,
    EmbeddedPostgres,
    EmbeddedServer,
    EmbeddedValkey,
)
from gateway.runtime.logging import configure_logging, get_logger
from gateway.runtime.processes import ExitCode, Supervisor, WorkerProgram
from gateway.runtime.settings import Settings
from gateway.runtime.settings_view import child_environment
from gateway.vault.errors import VaultError
from gateway.vault.keyring import LocalKeyring

# Written when all workers serve, removed when they stop: how programs find the gateway.
SERVING_FILE: Final = "serving.json"

# What a shell makes of a program that a signal ended.
_SIGNALLED: Final = 128
_RENEWAL_CHECK_S: Final = 3_600.0
_EXIT_CODES: Final = {
    ExitCode.STOPPED: 0,
    ExitCode.GAVE_UP: EXIT_FAILED,
    ExitCode.KILLED_WORKERS: EXIT_FAILED,
    ExitCode.WRONG_CONFIGURATION: EXIT_BAD_INPUT,
}


def serve(
    context: typer.Context,
    *,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, max=64, metavar="N", help="Gateway processes (SCRIP_WORKERS)."
        ),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(metavar="HOST", help="Address to listen on (SCRIP_GRPC__HOST)."),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65_535,
            metavar="PORT",
            help="Port; 0 picks a free one (SCRIP_GRPC__PORT).",
        ),
    ] = None,
    demo: Annotated[
        bool,
        typer.Option(
            "--demo",
            help="Mark a new data folder for a demo or tests: play money, and a clock "
            "that may be shifted.",
        ),
    ] = False,
) -> None:
    """
    Run the gateway until Ctrl-C or SIGTERM, with stores of its own if none are set.

    Books without SCRIP_POSTGRES__URL, and Redis without SCRIP_REDIS__URL, are started
    from the data folder and migrated. When all of them serve, serving.json in the data
    folder says where; it is removed at the end.
    """
    session = session_of(context)
    session.override(workers=workers, grpc__host=host, grpc__port=port)
    _use_one_worker_where_ports_are_not_shared(session)
    configure_logging(session.settings.logging, worker="supervisor")
    if demo:
        _require_stores_of_its_own(session.settings)
        _mark(session.folder)
    with ExitStack() as stack:
        stack.enter_context(_ending_in_order())
        reserved = stack.enter_context(
            reserve_port(session.settings.grpc.host, session.settings.grpc.port)
        )
        session.override(grpc__port=reserved)
        settings = session.settings
        session.folder.ensure()
        stores = _start_stores(settings, stack)
        _bring_books_up_to_date(settings, stores)
        LocalKeyring.open_or_create(session.key_ring_path())
        paths = ready_server_files(settings)
        stack.enter_context(_renewing_certificates(settings))
        serving = _Serving(settings, session.folder.path / SERVING_FILE, paths, stores)
        # One that was killed left its file.
        serving.forget()
        stack.callback(serving.forget)
        supervisor = Supervisor(
            _programs(settings),
            settings.supervisor,
            companions=stores,
            when_ready=serving.announce,
        )
        code = supervisor.run()
    raise typer.Exit(_EXIT_CODES[code])


class _Serving:
    """
    Tell people and programs where the gateway is.
    """

    def __init__(
        self,
        settings: Settings,
        path: Path,
        paths: ServerPaths,
        stores: list[EmbeddedServer],
    ) -> None:
        self._settings = settings
        self._path = path
        self._paths = paths
        self._stores = stores

    def announce(self) -> None:
        grpc = self._settings.grpc
        host = grpc.host.strip("[]")
        address = f"[{host}]:{grpc.port}" if ":" in host else f"{host}:{grpc.port}"
        facts = {
            "address": address,
            "authority_file": str(self._paths.client_ca),
            "data_folder": str(self._path.parent),
            "pid": os.getpid(),
            "workers": self._settings.workers,
        }
        draft = self._path.with_suffix(".draft")
        draft.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
        draft.replace(self._path)
        embedded = ", ".join(store.name for store in self._stores) or "none"
        lines = {
            "Scrip serves": f"{address}, {self._settings.workers} workers, mutual TLS",
            "data folder": str(self._path.parent),
            "own stores": embedded,
            "authority": str(self._paths.client_ca),
            "add a till": "scrip terminal create MERCHANT/STORE/TERMINAL --out FOLDER",
            "use it": f"scrip till balance --address {address} --cert … --key … --ca …",
            "stop": f"Ctrl-C, or kill {os.getpid()}",
        }
        for name, value in lines.items():
            answer(f"{name:<13} {value}")
        sys.stdout.flush()

    def forget(self) -> None:
        """
        Take the file away: nobody serves any more.
        """
        self._path.unlink(missing_ok=True)


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """
    Let SIGTERM end what has begun also while stores start, as Ctrl-C does.

    The supervisor has its own way; this is for the time before and after.
    """

    def end(number: int, frame: FrameType | None) -> None:
        del frame
        raise SystemExit(_SIGNALLED + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _use_one_worker_where_ports_are_not_shared(session: Session) -> None:
    """
    Only Linux spreads connections over the processes on one port.
    """
    if sys.platform != "linux" and session.settings.workers > 1:
        warn("this system does not share a port among processes: one worker serves")
        session.override(workers=1)


def _require_stores_of_its_own(settings: Settings) -> None:
    """
    Refuse a demo on stores that the environment names: real money may be in them.
    """
    stores = {"POSTGRES": settings.postgres.url, "REDIS": settings.redis.url}
    named = [f"SCRIP_{name}__URL" for name, url in stores.items() if url is not None]
    if named:
        raise CommandRefusedError(
            f"--demo: a demo runs on stores of its own: unset {' and '.join(named)}"
        )


def _mark(folder: DataFolder) -> None:
    """
    Mark a folder for tests, unless real money may be in it.
    """
    if folder.is_marked_for_tests():
        return
    if (folder.path / EmbeddedPostgres.name).exists() or folder.key_ring_path.exists():
        raise CommandRefusedError(
            f"--demo: {folder.path} holds books that are not marked for a demo: choose "
            "a new folder by --data-folder"
        )
    folder.mark_for_tests()


def _start_stores(settings: Settings, stack: ExitStack) -> list[EmbeddedServer]:
    """
    Start the stores that the settings do not name; the stack stops them.
    """
    stores: list[EmbeddedServer] = []
    if settings.postgres.url is None:
        timeout_s = settings.postgres.embedded_start_timeout_s
        stores.append(EmbeddedPostgres(settings.data_folder, start_timeout_s=timeout_s))
    if settings.redis.url is None:
        stores.append(
            EmbeddedValkey(
                settings.data_folder,
                start_timeout_s=settings.redis.embedded_start_timeout_s,
                memory_bytes=settings.redis.embedded_memory_bytes,
            )
        )
    for store in stores:
        stack.callback(store.stop)
        store.start()
    return stores


def _bring_books_up_to_date(settings: Settings, stores: list[EmbeddedServer]) -> None:
    """
    Migrate books of our own; with others, say what is missing before a worker fails.
    """
    log = get_logger("serve")
    owner_url = settings.postgres.owner_url
    try:
        for store in stores:
            if isinstance(store, EmbeddedPostgres):
                for name in asyncio.run(migrate(store.dsn(OWNER_ROLE))):
                    log.info("migrated", migration=name)
        if owner_url is not None:
            pending = asyncio.run(pending_migrations(owner_url.get_secret_value()))
            if pending:
                raise CommandRefusedError(
                    "the books lack tables of this release: run `scrip migrate`",
                    pending,
                )
    except MigrationError as error:
        raise CommandRefusedError(str(error)) from error


def _programs(settings: Settings) -> list[WorkerProgram]:
    # Workers act as the gateway's role: the owner's password is not theirs to know.
    postgres = settings.postgres.model_copy(update={"owner_url": None})
    environment = child_environment(settings.model_copy(update={"postgres": postgres}))
    programs = [
        WorkerProgram(
            name=f"worker-{number}",
            command=[sys.executable, "-m", "gateway.worker", "--number", str(number)],
            environment=environment,
        )
        for number in range(1, settings.workers + 1)
    ]
    if settings.clerk.enabled:
        command = [sys.executable, "-m", "gateway.clerk"]
        clerk = WorkerProgram(name="clerk", command=command, environment=environment)
        programs.append(clerk)
    return programs


@contextmanager
def _renewing_certificates(settings: Settings) -> Iterator[None]:
    """
    Look every hour whether the server's certificate must be issued anew.

    Workers take a new one up at their next handshake.
    """
    stop = threading.Event()

    def renew() -> None:
        while not stop.wait(_RENEWAL_CHECK_S):
            try:
                ready_server_files(settings)
            except (VaultError, OSError) as error:
                get_logger("serve").error("certificate not renewed", why=str(error))

    thread = threading.Thread(target=renew, name="certificates", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


APPS = {"serve": serve}
