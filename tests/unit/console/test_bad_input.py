"""
Wrong options end with 2 before anything is opened: no books run in these tests.
"""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.console.root import app

PROGRAM = "program create --code gift --name Gift --time-zone"
STORE = "store create nile/one --country EG --time-zone Africa/Cairo"
PRODUCT = "product create gift/standard --currency USD"
CARDS = "card create --product gift/standard --out cards.csv --count"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "serve --workers 0",
            "'--workers': Input should be greater than or equal to 1",
        ),
        ("serve --port 65536", "'--port'"),
        ("serve --port http", "'--port': Input should be a valid integer"),
        ("program create --name Gift --time-zone UTC", "Missing option '--code'"),
        (f"{PROGRAM} Dubai", "'--time-zone': 'Dubai' is no time zone"),
        ("program create --code G --name G --time-zone UTC", "'--code': 'G' is no"),
        ("merchant create --code nile", "Missing option '--name'"),
        ("merchant create --code nile --name N --program G", "'--program': 'G' is no"),
        ("merchant accept nile", "Missing argument 'PROGRAM'"),
        ("merchant import none.csv", "none.csv cannot be read"),
        ("store create nile --country EG --time-zone UTC", "write MERCHANT/STORE"),
        (f"{STORE} --cut-off 4", "'--cut-off': '4' is no time of day"),
        (f"{STORE} --currency EG", "'--currency': 'EG' is not a currency"),
        ("store create a/b --country PS --time-zone UTC", "--currency: PS has"),
        ("store import none.csv", "none.csv cannot be read"),
        ("terminal create nile/one --out x", "write MERCHANT/STORE/TERMINAL"),
        ("terminal create nile/one/till-1", "Missing option '--out'"),
        ("terminal import none.csv --out x", "none.csv cannot be read"),
        (
            "device create nile/one/box --out x --kind till",
            "'till' is not one of 'controller', 'terminal'",
        ),
        ("device create a/b/c --out x --kind terminal", "--terminal: give it with"),
        ("device renew --out x", "Missing argument 'MERCHANT/STORE/DEVICE...'"),
        ("device revoke nile", "write MERCHANT/STORE/DEVICE"),
        ("product create standard --currency USD", "write PROGRAM/PRODUCT"),
        (f"{PRODUCT} --max-load 10", "--max-load: '10' has 0 digits"),
        (f"{PRODUCT} --max-balance=-1.00", "--max-balance: '-1.00'"),
        (f"{PRODUCT} --validity-days 40000", "'--validity-days'"),
        (f"{CARDS} many", "'--count': Input should be a valid integer"),
        (f"{CARDS} 10000001", "'--count'"),
        (f"{CARDS} 5 --length 20", "'--length'"),
        ("card show 12", "LAST4: write the last four digits alone"),
        ("card show 6035710000000000014", "LAST4: write the last four digits alone"),
        ("rates import none.csv", "cannot read none.csv"),
        ("rates import none.csv --currency KWD", "--day, --currency: are for files"),
        ("rates official --effective-from today", "'--effective-from': 'today' is no"),
        ("rates history --currency TRY --first 2025-01-01", "Missing option '--last'"),
        ("rates rule --currency KWD --max-age week", "'--max-age': 'week' is no"),
        ("rates list --currency KWX", "'--currency': 'KWX' is not a currency"),
        ("clock shift", "--to, --by: give one of the two"),
        ("clock shift --to 2025-01-01T00:00:00", "has no zone"),
        ("books chek", "No such command 'chek'"),
    ],
)
def test_a_wrong_option_is_named_with_the_remedy(
    words: str, said: str, tmp_path: Path
) -> None:
    """
    Exit code 2, the option or argument, no traceback, nothing in the data folder.
    """
    folder = tmp_path / "data"
    result = CliRunner().invoke(app, ["--data-folder", str(folder), *words.split()])

    assert 2 == result.exit_code, result.output
    assert said in result.stderr
    assert "Traceback" not in result.output
    assert "6035710000" not in result.output
    assert not folder.exists()
