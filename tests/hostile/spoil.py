"""Ways to spoil one file of a checkpoint, and to write files that no library would write."""

import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file

CANARY = "CANARY"
"""Environment variable: the file that hostile code would make."""
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
Change = Callable[[Path], None]
ONE = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


class Code:
    """Pickled as a call; `print` stands for whatever would be called."""

    def __init__(self, call: Callable, *arguments: object) -> None:
        self.made = call, arguments

    def __reduce__(self) -> tuple:
        return self.made


def touch() -> Code:
    """What makes the canary when it is unpickled."""
    return Code(os.system, f"touch {os.environ[CANARY]}")


def config(**changes: object) -> Change:
    """Change keys of `config.json`; None removes one."""

    def change(folder: Path) -> None:
        known = json.loads((folder / "config.json").read_text()) | changes
        kept = {key: value for key, value in known.items() if key not in changes or value is not None}
        (folder / "config.json").write_text(json.dumps(kept))

    return change


def text(name: str, content: bytes | str | Callable[[], str]) -> Change:
    """Replace a file; safetensors give way to `.bin` files. What is long is made when it is written."""

    def change(folder: Path) -> None:
        if name.endswith(".bin"):
            (folder / WEIGHTS).unlink(missing_ok=True)
        made = content() if callable(content) else content
        (folder / name).write_bytes(made if isinstance(made, bytes) else made.encode())

    return change


def instead(name: str, make: Callable[[Path], object]) -> Change:
    """Put something in the place of a file."""

    def change(folder: Path) -> None:
        if name.endswith(".bin"):
            (folder / WEIGHTS).unlink()
        (folder / name).unlink(missing_ok=True)
        make(folder / name)

    return change


def header(entries: object, *, data: bytes = b"", length: int | None = None) -> Change:
    """A safetensors file of this header, and of a length that need not be its own."""
    content = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    return text(WEIGHTS, struct.pack("<Q", len(content) if length is None else length) + content + data)


def entry(**changes: object) -> Change:
    """A safetensors file of one tensor of eight bytes whose entry is changed."""
    return header({"w": {**ONE, **changes}}, data=bytes(8))


def tensors(edit: Callable[[dict[str, torch.Tensor]], object]) -> Change:
    """Change the tensors, and leave the file as sound as before."""

    def change(folder: Path) -> None:
        from safetensors.torch import save_file

        stored = load_file(folder / WEIGHTS)
        edit(stored)
        save_file(stored, folder / WEIGHTS, metadata={"format": "pt"})

    return change


def saved(state: Callable[[dict[str, torch.Tensor]], object], **options: object) -> Change:
    """A `.bin` file of what a function makes of the tensors."""

    def change(folder: Path) -> None:
        stored = load_file(folder / WEIGHTS)
        (folder / WEIGHTS).unlink()
        torch.save(state(stored), folder / "pytorch_model.bin", **options)

    return change


def archive(edit: Callable[[dict[str, bytes]], object], compression: int = zipfile.ZIP_STORED) -> Change:
    """A `.bin` file whose archive has other entries."""

    def change(folder: Path) -> None:
        saved(dict)(folder)
        path = folder / "pytorch_model.bin"
        with zipfile.ZipFile(path) as file:
            entries = {name: file.read(name) for name in file.namelist()}
        edit(entries)
        with zipfile.ZipFile(path, "w", compression) as file:
            for name, data in entries.items():
                file.writestr(name, data)

    return change


def tokenizer(edit: Callable[[dict], object]) -> Change:
    """Change the checkpoint's tokenizer."""

    def change(folder: Path) -> None:
        record = json.loads((folder / "tokenizer.json").read_text())
        edit(record)
        (folder / "tokenizer.json").write_text(json.dumps(record))

    return change


def both(*changes: Change) -> Change:
    """One change after another."""

    def change(folder: Path) -> None:
        for one in changes:
            one(folder)

    return change


def sparse(size: int, entries: Mapping[str, object]) -> Change:
    """A safetensors file that claims its size and takes no room."""

    def change(folder: Path) -> None:
        header(entries)(folder)
        os.truncate(folder / WEIGHTS, size)

    return change


def pickled(make: Callable[[], object], protocol: int = 2) -> Change:
    """A `.bin` file that is a bare pickle."""

    def change(folder: Path) -> None:
        text("pytorch_model.bin", pickle.dumps(make(), protocol))(folder)

    return change


@dataclass(frozen=True)
class Case:
    """What is done to a checkpoint, what must be said of it (None: it is measured as if nothing were), and to which."""

    change: Change
    why: str | None
    base: str = "gpt_neox-parallel"


def with_index(content: str | Callable[[], str]) -> Change:
    """One numbered shard with an index."""

    def change(folder: Path) -> None:
        os.rename(folder / WEIGHTS, folder / "model-00001-of-00001.safetensors")
        (folder / INDEX).write_text(content() if callable(content) else content)

    return change


def many(n: int, one: str) -> str:
    return ",".join(one.replace("#", str(i)) for i in range(n))
