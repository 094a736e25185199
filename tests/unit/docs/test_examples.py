"""
Examples in the documents are run as they stand.
"""

import doctest
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, text_of, written_files

PAGES = [page for page in written_files(".md") if ">>> " in text_of(page)]


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_examples_give_what_they_show(page: Path) -> None:
    """
    Each line after a prompt prints what the page says it prints.
    """
    failed, attempted = doctest.testfile(
        str(ROOT / page),
        module_relative=False,
        optionflags=doctest.ELLIPSIS,
        encoding="utf-8",
    )

    assert attempted > 0
    assert failed == 0
