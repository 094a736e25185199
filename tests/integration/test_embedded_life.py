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

from gateway.runtime.embedded import EmbeddedPostgres
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


def test_they_do_not_outlive_a_killed_gateway(data_folder: Path) -> None:
    """
    SIGKILL of the process that started them ends them; the next start has the rows.
    """
    with subprocess.Popen(
        [sys.executable, embedded_session.__file__, "hold", str(data_folder)],
        env=environment(),
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        pids = json.loads(holder.stdout.readline())
        assert pids["postgres"] == EmbeddedPostgres(data_folder).pid
        holder.send_signal(signal.SIGKILL)
    if sys.platform == "linux":
        assert are_gone(pids.values())
    with running_postgres(data_folder) as postgres, running_valkey(data_folder):
        assert read_rows(postgres) == 1
