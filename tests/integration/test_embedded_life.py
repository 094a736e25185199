"""
Both embedded stores in processes that are another user's, or are killed.
"""

import json
import os
import pwd
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from gateway.runtime import embedded_server
from gateway.runtime.embedded import (
    EmbeddedPostgres,
    EmbeddedServerError,
    EmbeddedValkey,
)
from tests.support import embedded_session
from tests.support.alive import are_gone
from tests.support.embedded_session import read_rows
from tests.support.stores import running_postgres, running_valkey

_TIMEOUT_S = 60
_NEEDED = "import psycopg, gateway.runtime.embedded"
_ROOT = Path(embedded_session.__file__).parents[2]


def environment() -> dict[str, str]:
    """
    Let any interpreter of this release find our code and what it needs.
    """
    packages = Path(psycopg.__file__).parents[1]
    return {"PYTHONPATH": f"{_ROOT}{os.pathsep}{packages}", "PATH": os.defpath}


def ordinary_user() -> tuple[str, dict[str, Any]]:
    """
    Find an interpreter and a user that is not root to run it.

    Root may have installed both where nobody else can read; then it is ourselves.
    """
    if os.geteuid() != 0:
        return sys.executable, {}
    nobody = pwd.getpwnam("nobody")
    user: dict[str, Any] = {
        "user": nobody.pw_uid,
        "group": nobody.pw_gid,
        "extra_groups": [],
    }
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    names = (f"/usr/bin/python{version}", f"/usr/local/bin/python{version}")
    for interpreter in (sys.executable, *names):
        try:
            probe = subprocess.run(
                [interpreter, "-c", _NEEDED],
                env=environment(),
                cwd="/",
                check=False,
                capture_output=True,
                **user,
            )
        except OSError:
            continue
        if probe.returncode == 0:
            return interpreter, user
    return sys.executable, {}


def test_an_ordinary_user_runs_them_as_himself(data_folder: Path) -> None:
    """
    Without any rights: start, crash, come back with the rows, and stop.
    """
    interpreter, user = ordinary_user()
    if user:
        os.chown(data_folder, user["user"], user["group"])
    result = subprocess.run(
        [interpreter, embedded_session.__file__, "life", str(data_folder)],
        env=environment(),
        cwd="/",
        check=False,
        capture_output=True,
        timeout=_TIMEOUT_S,
        text=True,
        **user,
    )

    assert result.stderr == ""
    assert json.loads(result.stdout) == {
        "uid": user.get("user", os.geteuid()),
        "rows": 1,
        "valkey": True,
    }


def test_they_do_not_outlive_a_killed_gateway(seeded_folder: Path) -> None:
    """
    SIGKILL of the process that started them ends them; the next start has the rows.
    """
    with subprocess.Popen(
        [sys.executable, embedded_session.__file__, "hold", str(seeded_folder)],
        env=environment(),
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        pids = json.loads(holder.stdout.readline())
        assert pids["postgres"] == EmbeddedPostgres(seeded_folder).pid
        holder.send_signal(signal.SIGKILL)
    if sys.platform == "linux":
        assert are_gone(pids.values())
    with running_postgres(seeded_folder) as postgres, running_valkey(seeded_folder):
        assert read_rows(postgres) == 1


@pytest.mark.parametrize("kind", [EmbeddedPostgres, EmbeddedValkey])
@pytest.mark.parametrize("below", ["", "a-folder-with-a-long-name/" * 5])
def test_where_the_kernel_does_not_say_the_arguments_tell(
    data_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: type[EmbeddedPostgres | EmbeddedValkey],
    below: str,
) -> None:
    """
    Systems without /proc find a running server by what `ps` shows.
    """
    monkeypatch.setattr(embedded_server, "IS_LINUX", False)
    if sys.platform == "linux":
        # Small images have no ps.
        script = data_folder / "ps"
        script.write_text("#!/bin/sh\ntr '\\0' ' ' < /proc/$5/cmdline\n")
        script.chmod(0o755)
        monkeypatch.setattr(embedded_server, "PS", str(script))
    server, other = kind(data_folder / below), kind(data_folder / below)
    server.start()
    try:
        assert server.pid == other.pid
    finally:
        server.stop()
    with pytest.raises(EmbeddedServerError, match="no embedded"):
        _ = other.pid


def test_a_server_that_ignores_every_request_is_killed(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A frozen server, ours or an earlier gateway's, does not hold up the stop.
    """
    monkeypatch.setattr(embedded_server, "STOP_TIMEOUT_S", 0.05)
    server, second = EmbeddedValkey(data_folder), EmbeddedValkey(data_folder)
    server.start()
    os.kill(server.pid, signal.SIGSTOP)
    server.stop()
    server.start()
    os.kill(server.pid, signal.SIGSTOP)
    # As if its gateway had been killed, where the kernel ends no orphans.
    assert server._lock is not None
    server._lock.release()
    second.start()
    second.stop()

    assert not server.is_running()
    assert not second.is_running()
