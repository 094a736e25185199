"""
What every command stands on: the settings, the data folder, and the way to the books.

Nothing is read or opened before a command asks, so that `scrip version` needs nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import typer

from gateway.books.admin import (
    ADMIN_ROLE,
    AdminConnection,
    admin_connection,
    one_transaction,
)
from gateway.console.faults import CommandRefusedError
from gateway.console.wording import Wording
from gateway.runtime.embedded import (
    OWNER_ROLE,
    DataFolder,
    EmbeddedPostgres,
    EmbeddedServerError,
)
from gateway.runtime.settings import Settings, load_settings
from gateway.vault.keyring import LocalKeyring
from gateway.vault.pki import LocalAuthority


class Session:
    """
    One call of the `scrip` command.
    """

    def __init__(self, data_folder: Path | None = None) -> None:
        """
        Take what stands before the command's name.
        """
        self._overrides: dict[str, object] = {}
        if data_folder is not None:
            self._overrides["data_folder"] = data_folder

    @cached_property
    def settings(self) -> Settings:
        """
        Read the settings, or raise SettingsError with all that is wrong.
        """
        return load_settings(overrides=self._overrides)

    def override(self, **values: object) -> None:
        """
        Let options of a command win over the environment; None leaves a setting alone.

        A name's double underscore stands for the point of a dotted path.
        """
        self._overrides |= {
            name.replace("__", "."): value
            for name, value in values.items()
            if value is not None
        }
        self.__dict__.pop("settings", None)

    @cached_property
    def wording(self) -> Wording:
        """
        Give the language of the settings.
        """
        return Wording(self.settings.locale)

    @property
    def folder(self) -> DataFolder:
        """
        Give the data folder.
        """
        return DataFolder(self.settings.data_folder)

    def key_ring_path(self) -> Path:
        """
        Name the file of the key ring.
        """
        return self.settings.key_ring_file or self.folder.key_ring_path

    def key_ring(self) -> LocalKeyring:
        """
        Open the key ring that the gateway uses; one is made by `scrip serve` alone.

        A second ring would give numbers that no worker finds.
        """
        path = self.key_ring_path()
        if not path.exists():
            raise CommandRefusedError(
                f"there is no key ring at {path}: start `scrip serve` once, or name it "
                "by SCRIP_KEY_RING_FILE"
            )
        return LocalKeyring.open(path)

    def authority(self) -> LocalAuthority:
        """
        Open the local authority, or make it; refuse where its devices get no entry.
        """
        self.folder.ensure()
        authority = LocalAuthority.open_or_create(self.folder.authority_folder)
        grpc = self.settings.grpc
        given = (grpc.certificate_file, grpc.private_key_file, grpc.client_ca_file)
        # Without all three, workers take the local authority's word.
        if None in given or grpc.client_ca_file is None:
            return authority
        try:
            accepted = grpc.client_ca_file.read_bytes()
        except OSError as error:
            raise CommandRefusedError(
                f"SCRIP_GRPC__CLIENT_CA_FILE cannot be read: {error}"
            ) from error
        if authority.certificate_pem.strip() not in accepted:
            raise CommandRefusedError(
                f"{grpc.client_ca_file} does not hold {authority.certificate_path}, so "
                "the gateway would let no device in that gets its certificate here: "
                "add that authority to the file"
            )
        return authority

    def books_address(self, *, to_read: bool = False) -> str:
        """
        Find the books: those of the settings, else the embedded ones that run.

        The gateway's role may read them; to change them takes the owner's address.
        """
        postgres = self.settings.postgres
        if postgres.owner_url is not None:
            return postgres.owner_url.get_secret_value()
        if postgres.url is not None and to_read:
            return postgres.url.get_secret_value()
        if postgres.url is not None:
            raise CommandRefusedError(
                "SCRIP_POSTGRES__OWNER_URL is not set: SCRIP_POSTGRES__URL is for the "
                "gateway's role, which may not change what this command changes"
            )
        try:
            return EmbeddedPostgres(self.settings.data_folder).dsn(OWNER_ROLE)
        except EmbeddedServerError as error:
            raise CommandRefusedError(
                f"{error}; or name books of your own by SCRIP_POSTGRES__URL and "
                "SCRIP_POSTGRES__OWNER_URL"
            ) from error

    @contextmanager
    def books(self, role: str = ADMIN_ROLE) -> Iterator[AdminConnection]:
        """
        Connect to the books under a role; each transaction is the caller's.
        """
        timeout_s = -(-self.settings.postgres.connect_timeout_ms // 1_000)
        with admin_connection(
            self.books_address(), role=role, connect_timeout_s=timeout_s
        ) as connection:
            yield connection

    @contextmanager
    def change(self, role: str = ADMIN_ROLE) -> Iterator[AdminConnection]:
        """
        Connect and make one change: one transaction, all of it or nothing.
        """
        with self.books(role) as connection, one_transaction(connection):
            yield connection


def session_of(context: typer.Context) -> Session:
    """
    Give the session of the command that runs.
    """
    found = context.find_object(Session)
    return found if found is not None else context.ensure_object(Session)
