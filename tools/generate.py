"""Builds `generated/` from `protos/`: `python tools/generate.py [--output DIR | --check]`.

Three things come out, the same bytes on every machine that has the pinned tools:

- `symphony/`: the Python messages, gRPC stubs and their types;
- `buf/validate/`: the messages behind the rule annotations. They are needed at run time and no
  installed package offers them to `google.protobuf`. `buf/` stays a namespace package (without an
  `__init__.py`), so that other distributions may put their share of it beside ours;
- `symphony.binpb`: a descriptor set that stands alone, with imports, comments and the messages
  that errors are told in, for `grpcurl -protoset`, buf, and any other language's compiler.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import google.rpc.code_pb2
import grpc_tools
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

# Private, and the only place the definitions are installed: they are not copied into this
# repository, so that the rules the contract names are always those the validator knows.
from protovalidate._gen.buf.validate import validate_pb

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"
GENERATED = ROOT / "generated"

VALIDATE_PROTO = "buf/validate/validate.proto"
DESCRIPTOR_SET = "symphony.binpb"
STATUS_PROTOS = ("google/rpc/error_details.proto", "google/rpc/status.proto")
"""What a refusal's `grpc-status-details-bin` is made of. No file of the contract imports it."""

# What is written besides the compilers' output.
PACKAGE_FILES = {
    "symphony/__init__.py": '"""The contract, compiled by `make generate`; never edited."""\n',
    "symphony/v1/__init__.py": '"""Version 1: `*_pb2` messages, `*_pb2_grpc` stubs."""\n',
    "symphony/py.typed": "",
    "buf/validate/py.typed": "",
}


def main() -> int:
    """Returns the exit status: 1 if `--check` found a difference."""
    parser = argparse.ArgumentParser(description="Builds generated/ from protos/.")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--output", type=Path, default=GENERATED, metavar="DIR")
    what.add_argument("--check", action="store_true", help="only say what would change")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "generated"
        build(fresh)
        if arguments.check:
            return report_differences(GENERATED, fresh)
        replace(arguments.output, fresh)
    return 0


def build(output: Path) -> None:
    """Fills the new folder `output`."""
    output.mkdir()
    contract = sorted(path.relative_to(PROTOS).as_posix() for path in PROTOS.rglob("*.proto"))
    if not contract:
        raise SystemExit(f"no .proto file in {PROTOS}")

    with tempfile.TemporaryDirectory() as folder:
        validate_set = Path(folder) / "validate.binpb"
        validate_set.write_bytes(validate_descriptor_set())

        descriptor_set = output / DESCRIPTOR_SET
        protoc(
            validate_set,
            "--include_imports",
            "--include_source_info",
            f"--descriptor_set_out={descriptor_set}",
            *contract,
            *STATUS_PROTOS,
        )
        protoc(
            validate_set,
            f"--python_out={output}",
            f"--mypy_out=quiet:{output}",
            VALIDATE_PROTO,
            *contract,
        )
        # Concrete servicers, as they are at run time: a method that is not overridden answers
        # UNIMPLEMENTED, it does not keep the class from being instantiated.
        protoc(
            validate_set,
            f"--grpc_python_out={output}",
            f"--mypy_grpc_out=quiet,generate_concrete_servicer_stubs:{output}",
            *files_with_services(descriptor_set, contract),
        )

    for name, text in PACKAGE_FILES.items():
        (output / name).write_text(text, encoding="utf-8")


def protoc(validate_set: Path, *arguments: str) -> None:
    """Runs the pinned compiler on `arguments`, with all the imports of the contract in reach."""
    plugins = Path(sysconfig.get_path("scripts"))
    googleapis = Path(google.rpc.code_pb2.__file__).parents[2]
    well_known_types = Path(next(iter(grpc_tools.__path__))) / "_proto"
    command = [
        *(sys.executable, "-m", "grpc_tools.protoc"),
        f"--descriptor_set_in={validate_set}",
        *(f"-I{folder}" for folder in (PROTOS, googleapis, well_known_types)),
        *(f"--plugin={plugins / name}" for name in ("protoc-gen-mypy", "protoc-gen-mypy_grpc")),
        *arguments,
    ]
    if subprocess.run(command, check=False, cwd=PROTOS).returncode:
        raise SystemExit("protoc failed; generated/ is as it was")


def validate_descriptor_set() -> bytes:
    """Returns a descriptor set with the rule annotations; protoc finds its imports on its path."""
    validate = FileDescriptorProto.FromString(validate_pb._DESC.proto.to_binary())
    if validate.name != VALIDATE_PROTO:
        raise SystemExit(f"protovalidate describes {validate.name}, not {VALIDATE_PROTO}")
    return FileDescriptorSet(file=[validate]).SerializeToString(deterministic=True)


def files_with_services(descriptor_set: Path, names: list[str]) -> list[str]:
    """Returns those of `names` that define a service; the others have no stubs."""
    files = FileDescriptorSet.FromString(descriptor_set.read_bytes()).file
    return [file.name for file in files if file.service and file.name in names]


def replace(output: Path, fresh: Path) -> None:
    """Puts what is `fresh` into `output`, and takes out what is no longer generated there."""
    output.mkdir(parents=True, exist_ok=True)
    for new in sorted(fresh.iterdir()):
        old = output / new.name
        if old.is_dir():
            shutil.rmtree(old)
        if new.is_dir():
            shutil.copytree(new, old)
        else:
            shutil.copyfile(new, old)


def report_differences(committed: Path, fresh: Path) -> int:
    """Prints each file that is not as `fresh` has it; returns 1 if there is one."""
    old, new = contents(committed), contents(fresh)
    differing = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    for name in differing:
        state = "missing" if name not in old else "left over" if name not in new else "outdated"
        print(f"{committed.name}/{name}: {state}")
    if differing:
        print("generated/ does not match protos/: run `make generate` and commit what it writes")
    return 1 if differing else 0


def contents(folder: Path) -> dict[str, bytes]:
    """Returns the bytes of each file below `folder`, Python's caches left out."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


if __name__ == "__main__":
    sys.exit(main())
