"""
Modules are named after what they do.
"""

import ast

from tests.architecture.tree import (
    SHIPPED,
    refuse,
    repository_files,
    syntax_of,
    written_files,
)

# Names that say nothing gather everything.
BANNED_WORDS = {
    "common",
    "helper",
    "helpers",
    "manager",
    "managers",
    "misc",
    "util",
    "utils",
}
DOCSTRING_LINES = range(2, 13)


def words_of(name: str) -> set[str]:
    """
    Split a file or folder name into its words.
    """
    return set(name.lower().replace("-", "_").split("_"))


def test_module_names_say_what_is_inside() -> None:
    """
    No module or package is called utils, helpers, common or the like.
    """
    problems = [
        f"{path}: {word}"
        for path in written_files(".py", ".sql", ".lua", ".proto")
        for part in (*path.parent.parts, path.stem)
        for word in sorted(words_of(part) & BANNED_WORDS)
    ]

    refuse(problems, "Name the module after what it decides or holds.")


def test_every_package_is_one() -> None:
    """
    Each shipped folder with modules has an `__init__.py`.
    """
    known = set(repository_files())
    folders = {path.parent for path in written_files(".py", under=SHIPPED)}
    problems = [
        str(folder) for folder in sorted(folders) if folder / "__init__.py" not in known
    ]

    refuse(problems, "Add an __init__.py that says what the package owns.")


def test_every_package_says_what_it_owns() -> None:
    """
    The `__init__` of a package tells what it owns, in a few lines.

    One level down, where the direction of imports is fixed, it also tells what the
    package must not import.
    """
    problems = []
    for path in written_files(".py", under=SHIPPED):
        if path.name != "__init__.py":
            continue
        docstring = ast.get_docstring(syntax_of(path)) or ""
        lines = [line for line in docstring.splitlines() if line.strip()]
        depth = len(path.parent.parts)
        if len(lines) not in DOCSTRING_LINES:
            problems.append(f"{path}: {len(lines)} lines of docstring, 3 to 6 are good")
        elif depth <= 2 and "import" not in docstring.lower():
            problems.append(f"{path}: does not say what the package must not import")

    refuse(problems, "Say in 3 to 6 lines what the package owns and must not import.")


def test_words_of_a_name_are_compared_not_letters() -> None:
    """
    `card_utils` is refused; `baseline` and `helpful` are no banned words.
    """
    assert {"utils"} == words_of("card_utils") & BANNED_WORDS
    assert set() == words_of("baseline") & BANNED_WORDS
    assert set() == words_of("helpful") & BANNED_WORDS
