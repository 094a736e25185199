"""
What worker processes and servers are given, and what they leave behind.
"""

import subprocess
import sys
from pathlib import Path

from pydantic import SecretStr

from gateway.console.serve import _programs
from gateway.runtime.leash import Program, start_leashed
from gateway.runtime.settings import Settings
from gateway.runtime.settings_groups import PostgresSettings
from tests.support.server import ROOT

CORES = "import resource; print(resource.getrlimit(resource.RLIMIT_CORE))"


def test_a_worker_does_not_get_the_owners_password() -> None:
    """
    Its role may not change the tables; so may not who reads its environment.
    """
    settings = Settings(
        postgres=PostgresSettings(
            url=SecretStr("postgresql://gateway:one@host/db"),
            owner_url=SecretStr("postgresql://owner:two@host/db"),
        )
    )
    worker, clerk = _programs(settings)

    for program in (worker, clerk):
        address = program.environment["SCRIP_POSTGRES__URL"]
        assert address.startswith("postgresql://gateway")
        assert "two" not in " ".join(program.environment.values())


def test_what_is_on_a_leash_dumps_no_core(tmp_path: Path) -> None:
    """
    Neither servers nor workers write an image of keys and numbers, nor may allow it.
    """
    path = tmp_path / "said"
    with path.open("wb") as output:
        process = start_leashed(
            Program(
                command=[sys.executable, "-I", "-S", "-c", CORES],
                environment={},
                folder=tmp_path,
                output=output.fileno(),
            )
        )
        assert process.wait(10) == 0

    assert path.read_text() == "(0, 0)\n"


def test_a_command_dumps_no_core() -> None:
    """
    Nor do commands, which see numbers and keys as well.
    """
    program = f"""
from gateway.console import root
root.app = lambda **_: None
root.main()
{CORES}
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'proto' / 'gen'}"},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )

    assert done.stdout == "(0, 0)\n"
