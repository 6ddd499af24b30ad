"""Hostile and broken weights: headers, shards, indices, pickles."""

import os
import random
import tarfile
from pathlib import Path

import torch

from tests.hostile.spoil import (
    ONE,
    WEIGHTS,
    Case,
    Change,
    Code,
    archive,
    both,
    entry,
    header,
    instead,
    many,
    pickled,
    saved,
    sparse,
    tensors,
    text,
    touch,
    with_index,
)

TB = 10**12
W_IN = "gpt_neox.layers.0.mlp.dense_h_to_4h.weight"
EVIL = "import os, pathlib\npathlib.Path(os.environ['CANARY']).touch()\n"


def tar(path: Path) -> None:
    with tarfile.open(path, "w") as file:
        file.add(__file__, "pickle")


def shards(folder: Path) -> None:
    os.rename(folder / WEIGHTS, folder / "model-00001-of-3000000.safetensors")


def numberings(folder: Path) -> None:
    for n in range(2, 3000):
        (folder / f"model-1-of-{n}.safetensors").touch()
    (folder / WEIGHTS).unlink()


def twice(folder: Path) -> None:
    for part in (1, 2):
        os.link(folder / WEIGHTS, folder / f"model-0000{part}-of-00002.safetensors")
    (folder / WEIGHTS).unlink()


def huge_storage(folder: Path) -> None:
    """An old `.bin` file that promises 10^15 numbers."""
    saved(dict, _use_new_zipfile_serialization=False)(folder)
    path = folder / "pytorch_model.bin"
    content = path.read_bytes()
    at = content.index(b"tq", content.index(b"cpu")) if b"tq" in content else content.index(b"cpu") + 5
    path.write_bytes(content[:at] + b"\x8a\x07" + (10**15).to_bytes(7, "little") + content[at:])


def cut(keep: int) -> Change:
    return lambda folder: os.truncate(folder / WEIGHTS, (folder / WEIGHTS).stat().st_size + keep)


SAFETENSORS = {
    "length-2^64": Case(header({}, length=2**64 - 1), "no complete safetensors header"),
    "length-0": Case(header({}, length=0), "unreadable safetensors header"),
    "length-1e8": Case(sparse(2 * 10**8, {}), "longer than its header says"),
    "header-of-1e8": Case(
        both(header(b" ", length=10**8), lambda f: os.truncate(f / WEIGHTS, 2 * 10**8)), "at most 16777216 are read"
    ),
    "header-noise": Case(text(WEIGHTS, random.Random(0).randbytes(10_000)), "no complete safetensors header"),
    "header-list": Case(header([1]), "a list, not an object"),
    "header-deep": Case(header(b'{"w":' + b"[" * 90_000), "nested deeper|safetensors header"),
    "header-many": Case(
        header(("{" + many(60_000, '"#":{"dtype":"F32","shape":[],"data_offsets":[0,0]}') + "}").encode()),
        "values, at most",
    ),
    "offsets-overlap": Case(
        header({"v": ONE, "w": {**ONE, "data_offsets": [4, 12]}}, data=bytes(12)), "overlaps the tensor before it"
    ),
    "offsets-same": Case(header({"v": ONE, "w": ONE}, data=bytes(8)), "overlaps the tensor before it"),
    "offsets-hole": Case(
        header({"v": ONE, "w": {**ONE, "data_offsets": [12, 20]}}, data=bytes(20)), "leaves a hole before it"
    ),
    "offsets-negative": Case(entry(data_offsets=[-8, 0]), "has offsets"),
    "offsets-backwards": Case(entry(data_offsets=[8, 0]), "has offsets"),
    "offsets-2^70": Case(entry(data_offsets=[2**70, 2**70 + 8]), "has offsets"),
    "offsets-text": Case(entry(data_offsets=["0", "8"]), "has offsets"),
    "shape-negative": Case(entry(shape=[-2]), "has shape"),
    "shape-1e18": Case(entry(shape=[10**9, 10**9]), "needs 4000000000000000000 bytes"),
    "shape-floats": Case(entry(shape=[2.0]), "has shape"),
    "shape-long": Case(entry(shape=[1] * 5000), "has shape"),
    "shape-0": Case(tensors(lambda t: t.update({W_IN: torch.zeros(0, 12)})), "tensors mismatched"),
    "dtype-float8": Case(entry(dtype="F8_E4M3"), "has dtype 'F8_E4M3'"),
    "dtype-object": Case(entry(dtype="object"), "has dtype 'object'"),
    "dtype-none": Case(entry(dtype=None), "has dtype None"),
    "dtype-whole-numbers": Case(tensors(lambda t: t.update({W_IN: t[W_IN].long()})), "mismatched"),
    "name-twice": Case(header(b'{"w": {}, "w": {}}'), "a name twice"),
    "name-lines": Case(header({"a\nb\ud800": ONE}, data=bytes(8)), r"is no name of a tensor"),
    "name-long": Case(header({"a" * 10**6: ONE}, data=bytes(8)), "is no name of a tensor"),
    "9-terabytes": Case(
        sparse(9 * TB, {"w": {"dtype": "U8", "shape": [9 * TB - 70], "data_offsets": [0, 9 * TB - 70]}}),
        "at most 8796093",
    ),
    "cut-off": Case(cut(-1), "is truncated"),
    "too-long": Case(cut(1), "longer than its header says"),
    "not-finite": Case(tensors(lambda t: t[W_IN].fill_(torch.nan)), "tensors not finite"),
    "tensor-missing": Case(tensors(lambda t: t.pop(W_IN)), "tensors missing"),
    "tensors-extra": Case(
        tensors(lambda t: t.update(stray=torch.zeros(2), other=torch.zeros(2))),
        "2 tensors unexpected .*'other', 'stray",
    ),
    "unembedding-twice": Case(tensors(lambda t: t.update({"lm_head.weight": t["embed_out.weight"] + 1})), "are both"),
    "shards-3000000": Case(shards, "names 3000000 shards"),
    "shards-numbered-in-3000-ways": Case(numberings, "numbers its shards in"),
    "shards-the-same": Case(twice, "is in both"),
    "index-of-3000000": Case(
        with_index(lambda: '{"weight_map": {' + many(3_000_000, '"#":1') + "}}"), "more than 16777216 bytes"
    ),
    "index-list": Case(with_index("[]"), "is no shard index"),
    "index-of-a-list": Case(with_index('{"weight_map": ["w"]}'), "is no shard index"),
    "index-of-others": Case(with_index('{"weight_map": {"w\\ud800": "x"}}'), r"lacks 1 tensors .*'w\\ud800'"),
}
"""Headers, shards and indices."""

PICKLES = {
    "code": Case(saved(lambda t: {**t, "x": touch()}), "a pickle that names '(posix|nt) system'"),
    "code-old": Case(
        saved(lambda t: {**t, "x": touch()}, _use_new_zipfile_serialization=False),
        "a pickle that names '(posix|nt) system'",
    ),
    "code-newer-protocol": Case(saved(lambda t: {"x": touch()}, pickle_protocol=4), "STACK_GLOBAL"),
    "code-bare": Case(pickled(touch), "a pickle that names|pickle exhausted"),
    "code-bare-0": Case(pickled(touch, 0), "a pickle that names|pickle exhausted"),
    "code-eval": Case(saved(lambda t: {"x": Code(eval, EVIL)}), "names '(__builtin__|builtins) eval'"),
    "code-instance": Case(text("pytorch_model.bin", b"(S'touch x'\nios\nsystem\n."), "a pickle|pickle exhausted"),
    "torchscript": Case(archive(lambda e: e.update({"archive/constants.pkl": b""})), "TorchScript"),
    "memory": Case(saved(lambda t: {"x": Code(bytearray, TB)}), "names '(__builtin__|builtins) bytearray'"),
    "memory-old": Case(huge_storage, "truncated or no torch weight file"),
    "tensor-of-1e12": Case(saved(lambda t: {**t, W_IN: torch.ones(1).expand(TB)}), "tensors of 4000000"),
    "archive-bomb": Case(
        archive(lambda e: e.update({"archive/data/x": bytes(10**8)}), compression=8), "entries are compressed"
    ),
    "pickle-of-5-megabytes": Case(
        archive(lambda e: e.update({k: v + bytes(5 * 10**6) for k, v in e.items() if "data.pkl" in k})),
        "at most 4194304",
    ),
    "nested": Case(saved(lambda t: {"model": t}), "not a dense tensor"),
    "list": Case(saved(lambda t: list(t.values())), "holds a list"),
    "sparse-tensor": Case(saved(lambda t: {**t, W_IN: t[W_IN].to_sparse()}), "names 'torch._utils _rebuild_sparse"),
    "tar": Case(instead("pytorch_model.bin", tar), "truncated or no torch weight file"),
    "text": Case(text("pytorch_model.bin", "not weights"), "truncated or no torch weight file"),
    "nothing-in-it": Case(text("pytorch_model.bin", ""), "truncated or no torch weight file"),
    "half": Case(
        both(saved(dict), lambda f: os.truncate(f / "pytorch_model.bin", 9000)), "truncated or no torch weight file"
    ),
}
"""`.bin` files."""
