"""
Compile the public contract to the typed Python that is kept beside it.

The generated code is committed, so that a reader and a type checker need no compiler;
`--check` proves that it still is what the compiler makes of the protos.
"""

import argparse
import importlib.util
import sys
import tempfile
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
PROTO_ROOT = ROOT / "proto"
GENERATED_ROOT = PROTO_ROOT / "gen"
PACKAGE_DOCSTRINGS = {
    "scrip": "Hold the code generated from the public contract, by version.",
    "scrip/v1": "Hold version 1 of the public contract, generated from proto/scrip/v1.",
}
REGENERATE = "make protos"


class CompileError(Exception):
    """
    The compiler refused the protos; it has said why on standard error.
    """


def main(arguments: list[str] | None = None) -> int:
    """
    Write the generated code, check it, or write one descriptor set for buf.
    """
    parser = argparse.ArgumentParser(description=main.__doc__)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument(
        "--check",
        action="store_true",
        help="write nothing; fail if the committed code is not what protoc makes",
    )
    mode.add_argument(
        "--image",
        type=Path,
        metavar="FILE",
        help="write one descriptor set with imports and comments, for buf",
    )
    options = parser.parse_args(arguments)
    try:
        if options.image is not None:
            write_image(options.image)
        elif options.check:
            return check()
        else:
            regenerate()
    except CompileError as error:
        print(f"gen_protos: {error}", file=sys.stderr)
        return 1
    return 0


def regenerate() -> None:
    """
    Make the generated tree what the compiler makes now.

    Only files that differ are written, so that nobody who imports them meanwhile
    finds them gone.
    """
    expected = generate()
    actual = read_tree(GENERATED_ROOT)
    for name in actual.keys() - expected.keys():
        (GENERATED_ROOT / name).unlink()
    changed = sorted(name for name in expected if actual.get(name) != expected[name])
    for name in changed:
        path = GENERATED_ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(expected[name])
        print(f"wrote {path.relative_to(ROOT)}")
    print(f"gen_protos: {len(expected)} files, {len(changed)} of them written anew")


def check() -> int:
    """
    Compare the committed tree with a fresh one, and name each file that differs.
    """
    expected = generate()
    actual = read_tree(GENERATED_ROOT)
    problems = [
        *(f"missing: {name}" for name in sorted(expected.keys() - actual.keys())),
        *(f"not generated: {name}" for name in sorted(actual.keys() - expected.keys())),
        *(
            f"differs: {name}"
            for name in sorted(expected.keys() & actual.keys())
            if expected[name] != actual[name]
        ),
    ]
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        folder_name = GENERATED_ROOT.relative_to(ROOT)
        print(
            f"{folder_name} is not what the protos say: run `{REGENERATE}` and commit.",
            file=sys.stderr,
        )
        return 1
    print(f"gen_protos: {len(expected)} generated files are up to date")
    return 0


def generate() -> dict[str, bytes]:
    """
    Compile into a temporary folder and read what came out.
    """
    with tempfile.TemporaryDirectory() as folder:
        compile_python(Path(folder))
        return read_tree(Path(folder))


def compile_python(target: Path) -> None:
    """
    Compile messages, services and the stubs of both into an empty folder.

    Args:
        target: Where the tree of packages is made.
    """
    run_protoc(
        f"--plugin=protoc-gen-mypy={plugin('protoc-gen-mypy')}",
        f"--plugin=protoc-gen-mypy_grpc={plugin('protoc-gen-mypy_grpc')}",
        f"--python_out={target}",
        f"--grpc_python_out={target}",
        f"--mypy_out=quiet:{target}",
        f"--mypy_grpc_out=quiet:{target}",
    )
    for package, docstring in PACKAGE_DOCSTRINGS.items():
        (target / package / "__init__.py").write_text(f'"""\n{docstring}\n"""\n')
    (target / "scrip" / "py.typed").write_text("")


def write_image(path: Path) -> None:
    """
    Write one descriptor set that buf can lint and compare.

    buf would fetch the imported Google protos from its own registry; compiled here,
    they come from the Python package that the gateway runs with.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    run_protoc(
        "--include_imports",
        "--include_source_info",
        f"--descriptor_set_out={path}",
    )


def run_protoc(*outputs: str) -> None:
    """
    Run the compiler over every proto of ours.

    Raises:
        CompileError: There are no protos, or the compiler refused them.
    """
    sources = sorted(
        str(path.relative_to(PROTO_ROOT))
        for path in PROTO_ROOT.glob("scrip/**/*.proto")
    )
    if not sources:
        raise CompileError("there is no .proto file under proto/scrip")
    includes = [PROTO_ROOT, google_protos(), well_known_protos()]
    status: int = protoc.main(
        ["protoc", *(f"--proto_path={path}" for path in includes), *outputs, *sources],
    )
    if status != 0:
        raise CompileError(f"protoc ended with status {status}")


def google_protos() -> Path:
    """
    Find the root under which googleapis-common-protos installs google/rpc.
    """
    return package_folder("google.rpc").parent.parent


def well_known_protos() -> Path:
    """
    Find the root under which grpcio-tools carries google/protobuf.
    """
    return package_folder("grpc_tools") / "_proto"


def package_folder(name: str) -> Path:
    """
    Find the folder of an installed package, whether or not it has an `__init__`.

    Raises:
        CompileError: The package is not installed.
    """
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise CompileError(f"the package {name} is not installed: run `make .venv`")
    return Path(next(iter(spec.submodule_search_locations)))


def plugin(name: str) -> Path:
    """
    Find a compiler plug-in beside the interpreter that runs this script.

    Raises:
        CompileError: The plug-in is not installed.
    """
    path = Path(sys.executable).parent / name
    if not path.exists():
        raise CompileError(f"{name} is not installed: run `make .venv`")
    return path


def read_tree(root: Path) -> dict[str, bytes]:
    """
    Read every file under a folder, but for what Python leaves there.
    """
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


if __name__ == "__main__":
    sys.exit(main())
