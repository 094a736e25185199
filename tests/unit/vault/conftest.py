import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.vault.keyring import LocalKeyring, RootSecret
from gateway.vault.pki import KeyPair, LocalAuthority

FIXED_ROOT = bytes(range(32))

Failing = Callable[[], object]


@pytest.fixture
def keyring(tmp_path: Path) -> LocalKeyring:
    """
    A key ring whose root secret is 00 01 02 ... 1f, for values that never drift.
    """
    return LocalKeyring.create(tmp_path / "keyring.json", root=RootSecret(FIXED_ROOT))


@pytest.fixture
def device_of() -> Callable[[LocalAuthority], KeyPair]:
    """
    Issue the certificate of one and the same till.
    """

    def issue(authority: LocalAuthority) -> KeyPair:
        return authority.issue_device(
            trust_domain="scrip.test",
            merchant="m-1",
            store="s042",
            device="till-7",
            kind="TERMINAL",
        )

    return issue


@pytest.fixture
def told_by() -> Callable[[Failing], str]:
    """
    Give all that a failing call tells: messages, attributes, frames' variables.

    Whole chains are followed, also contexts that a plain traceback leaves out.
    Frames outside the vault are left out: they belong to the test.
    """

    def told(failing: Failing) -> str:
        with pytest.raises(Exception) as caught:  # noqa: PT011 (any failure)
            failing()
        return "\n".join(_all_that(caught.value))

    return told


def _all_that(error: BaseException) -> list[str]:
    frames = traceback.StackSummary.extract(
        traceback.walk_tb(error.__traceback__), capture_locals=True
    )
    told = [str(error), repr(error), repr(vars(error))]
    told += [repr(frame.locals) for frame in frames if "gateway" in frame.filename]
    for linked in (error.__cause__, error.__context__):
        if linked is not None:
            told += _all_that(linked)
    return told
