"""Hostile and broken checkpoints: what is done to a sound one, and what has to be said of it."""

import os
import socket
import tarfile
from dataclasses import dataclass
from pathlib import Path

import torch

from tests.hostile.spoil import (
    ONE,
    WEIGHTS,
    Change,
    Code,
    archive,
    both,
    config,
    entry,
    header,
    instead,
    pickled,
    saved,
    sparse,
    tensors,
    text,
    tokenizer,
    touch,
)

TB = 10**12
W_IN = "gpt_neox.layers.0.mlp.dense_h_to_4h.weight"
EVIL = "import os, pathlib\npathlib.Path(os.environ['CANARY']).touch()\n"
INDEX = "model.safetensors.index.json"


@dataclass(frozen=True)
class Case:
    """What is done to a checkpoint, what must be said of it (None: it is measured as if nothing were), and to which."""

    change: Change
    why: str | None
    base: str = "gpt_neox-parallel"


def tar(path: Path) -> None:
    with tarfile.open(path, "w") as file:
        file.add(__file__, "pickle")


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        here = os.getcwd()
        os.chdir(path.parent)
        made.bind(path.name)
        os.chdir(here)


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


def with_index(content: str) -> Change:
    """One numbered shard with an index."""

    def change(folder: Path) -> None:
        os.rename(folder / WEIGHTS, folder / "model-00001-of-00001.safetensors")
        (folder / INDEX).write_text(content)

    return change


def huge_storage(folder: Path) -> None:
    """An old `.bin` file that promises 10^15 numbers."""
    saved(dict, _use_new_zipfile_serialization=False)(folder)
    path = folder / "pytorch_model.bin"
    content = path.read_bytes()
    at = content.index(b"tq", content.index(b"cpu")) if b"tq" in content else content.index(b"cpu") + 5
    path.write_bytes(content[:at] + b"\x8a\x07" + (10**15).to_bytes(7, "little") + content[at:])


def cut(keep: int) -> Change:
    return lambda folder: os.truncate(folder / WEIGHTS, (folder / WEIGHTS).stat().st_size + keep)


def many(n: int, one: str) -> str:
    return ",".join(one.replace("#", str(i)) for i in range(n))


CONFIGURATIONS = {
    "config-list": Case(text("config.json", "[1, 2]"), "holds a list"),
    "config-string": Case(text("config.json", '"gpt_neox"'), "holds a str"),
    "config-empty": Case(text("config.json", ""), "is not JSON"),
    "config-binary": Case(text("config.json", os.urandom(4096)), "is not JSON"),
    "config-deep-lists": Case(text("config.json", '{"a": ' + "[" * 49_000 + "]" * 49_000 + "}"), "nested deeper"),
    "config-deep-objects": Case(text("config.json", '{"a":' * 900 + "1" + "}" * 900), "nested deeper"),
    "config-long": Case(text("config.json", "{" + " " * 2**21 + "}"), "more than 1048576 bytes"),
    "config-many-values": Case(text("config.json", '{"a": [' + many(100_000, "#") + "]}"), "values, at most"),
    "config-nan": Case(text("config.json", '{"model_type": "gpt_neox", "layer_norm_eps": NaN}'), "no finite number"),
    "config-infinite": Case(text("config.json", '{"model_type": "gpt_neox", "rotary_pct": 1e999}'), "no finite number"),
    "config-digits": Case(text("config.json", '{"vocab_size": ' + "9" * 10**5 + "}"), "is not JSON"),
    "config-gone": Case(lambda folder: (folder / "config.json").unlink(), r"no config\.json"),
    "family-list": Case(config(model_type=["gpt_neox"]), "names no family"),
    "family-none": Case(config(model_type=None), "names no family"),
    "family-unknown": Case(config(model_type="mamba"), "unknown family 'mamba'"),
    "family-path": Case(config(model_type="../../evil"), "unknown family"),
    "family-surrogate": Case(config(model_type="\ud800\n"), r"unknown family '\\ud800\\n'"),
    "experts-list": Case(config(num_experts=[8]), "mixture of experts"),
    "soft-cap-object": Case(config(final_logit_softcapping={"a": 1}), "soft-cap"),
    "heads-0": Case(config(num_attention_heads=0), "num_attention_heads=0"),
    "heads-negative": Case(config(num_attention_heads=-1), "num_attention_heads=-1"),
    "heads-text": Case(config(num_attention_heads="2"), "num_attention_heads='2'"),
    "heads-true": Case(config(num_attention_heads=True), "num_attention_heads=True"),
    "heads-do-not-divide": Case(config(num_attention_heads=5), "is no multiple of"),
    "heads-of-1e9": Case(config(head_dim=10**9), "head_dim=1000000000"),
    "width-1e9": Case(config(hidden_size=10**9), "hidden_size=1000000000"),
    "width-float": Case(config(hidden_size=12.0), r"hidden_size=12\.0"),
    "width-other": Case(config(hidden_size=120_000), "tensors mismatched"),
    "layers-200000": Case(config(num_hidden_layers=200_000), "num_hidden_layers=200000"),
    "layers-500": Case(config(num_hidden_layers=500), "tensors missing"),
    "layers-negative": Case(config(num_hidden_layers=-2), "num_hidden_layers=-2"),
    "layers-object": Case(config(num_hidden_layers={"a": 2}), "num_hidden_layers="),
    "vocabulary-1e9": Case(config(vocab_size=10**9), "vocab_size=1000000000"),
    "vocabulary-none": Case(config(vocab_size=None), "vocab_size=None"),
    "vocabulary-other": Case(config(vocab_size=62), "tensors mismatched"),
    "neurons-1e9": Case(config(intermediate_size=10**9), "intermediate_size=1000000000"),
    "positions-negative": Case(config(max_position_embeddings=-1), "max_position_embeddings=-1"),
    "activation-unknown": Case(config(hidden_act="evil"), "describes no model"),
    "activation-list": Case(config(hidden_act=["gelu"]), "describes no model"),
    "epsilon-text": Case(config(layer_norm_eps="1e-5"), "describes no model"),
    "dropout-5": Case(config(attention_dropout="5"), "describes no model"),
    "tied-text": Case(config(tie_word_embeddings="yes"), "describes no model"),
    "tied-wrongly": Case(config(tie_word_embeddings=True), "tied to another, and stored with other values"),
    "rotary-list": Case(config(rope_parameters=[1]), r"rope_parameters=\[1\]"),
    "rotary-share-1e12": Case(config(rope_parameters={"partial_rotary_factor": 1e12}), "partial_rotary_factor"),
    "rotary-old-share": Case(config(rope_parameters=None, rotary_pct=1e12), "rotary_pct"),
    "rotary-type-unknown": Case(config(rope_parameters={"rope_type": "evil"}), "describes no model"),
    "rotary-incomplete": Case(config(rope_parameters={"rope_type": "yarn"}), "describes no model"),
    "rotary-base-text": Case(config(rope_parameters={"rope_theta": "x"}), "describes no model"),
    "rotary-long": Case(config(rope_parameters={"short_factor": [1.0] * 9999}), "4096 numbers at most"),
}
"""`config.json`."""

HARMLESS = {
    "nothing": Case(lambda folder: None, None),
    "auto-map": Case(
        both(
            config(auto_map=dict.fromkeys(("AutoConfig", "AutoModelForCausalLM"), "evil.Evil")), text("evil.py", EVIL)
        ),
        None,
    ),
    "auto-map-of-the-tokenizer": Case(
        both(text("tokenizer_config.json", '{"auto_map": {"AutoTokenizer": ["evil.E", null]}}'), text("evil.py", EVIL)),
        None,
    ),
    "auto-map-elsewhere": Case(config(auto_map={"AutoModelForCausalLM": "nobody/nothing--evil.Evil"}), None),
    "kernels-of-attention": Case(config(attn_implementation="kernels-community/flash-attn"), None),
    "kernels-private": Case(
        config(_attn_implementation="nobody/evil", _attn_implementation_internal="nobody/evil"), None
    ),
    "kernels-of-layers": Case(config(use_kernels=True, kernel_config={"RMSNorm": "nobody/evil:RMSNorm"}), None),
    "labels-3e9": Case(config(num_labels=3 * 10**9), None),
    "methods": Case(config(to_dict=5, from_dict="x", attribute_map={"a": "b"}, __class__="x"), None),
    "layers-by-layer": Case(config(per_layer_config={"0": {"hidden_size": 10**9}}), None),
    "dtype": Case(config(dtype="os.system", torch_dtype="__builtins__"), None),
    "outputs": Case(config(output_attentions=True, return_dict=False, chunk_size_feed_forward=-7), None),
    "another-name": Case(config(num_hidden_layers=200_000, hidden_size=10**9), None, base="gpt2"),
    "code-beside": Case(lambda folder: torch.save({"w": touch()}, folder / "pytorch_model.bin"), None),
    "pipe-beside": Case(lambda folder: os.mkfifo(folder / "pytorch_model.bin"), None),
    "pipe-nobody-needs": Case(lambda folder: os.mkfifo(folder / "README.md"), None),
    "index-elsewhere": Case(with_index('{"weight_map": {"embed_out.weight": "../../../etc/passwd"}}'), None),
    "regex-bomb": Case(
        tokenizer(lambda r: r.update(pre_tokenizer={"type": "Split", "pattern": {"Regex": "(a+)+" * 500}})), None
    ),
    "charsmap-bomb": Case(
        tokenizer(lambda r: r.update(normalizer={"type": "Precompiled", "precompiled_charsmap": "/" * 9999})), None
    ),
}
"""What a checkpoint may name or carry, and nobody follows: it is measured, and equal to the sound one."""

FILES = {
    "pipe-config": Case(instead("config.json", os.mkfifo), r"config\.json of \S+ is a named pipe"),
    "pipe-weights": Case(instead(WEIGHTS, os.mkfifo), r"model\.safetensors of \S+ is a named pipe"),
    "pipe-bin": Case(instead("pytorch_model.bin", os.mkfifo), r"pytorch_model\.bin of \S+ is a named pipe"),
    "pipe-tokenizer": Case(instead("tokenizer.json", os.mkfifo), r"tokenizer\.json of \S+ is a named pipe"),
    "pipe-generation": Case(instead("generation_config.json", os.mkfifo), "is a named pipe"),
    "pipe-index": Case(both(with_index(""), instead(INDEX, os.mkfifo)), "is a named pipe"),
    "socket-tokenizer": Case(instead("tokenizer.json", listening), "is a socket"),
    "folder-config": Case(instead("config.json", Path.mkdir), "is a folder"),
    "folder-weights": Case(instead(WEIGHTS, Path.mkdir), "is a folder"),
    "link-to-nothing-config": Case(instead("config.json", lambda p: p.symlink_to("gone")), "is a link to nothing"),
    "link-to-nothing-weights": Case(instead(WEIGHTS, lambda p: p.symlink_to("gone")), "is a link to nothing"),
    "link-to-nothing-tokenizer": Case(instead("tokenizer.json", lambda p: p.symlink_to("no")), "is a link to nothing"),
    "link-to-itself": Case(instead(WEIGHTS, lambda p: p.symlink_to(p.name)), "cannot be followed"),
    "link-to-zeros": Case(instead("config.json", lambda p: p.symlink_to("/dev/zero")), "is a device"),
    "link-to-noise": Case(instead(WEIGHTS, lambda p: p.symlink_to("/dev/urandom")), "is a device"),
    "weights-gone": Case(lambda folder: (folder / WEIGHTS).unlink(), "holds no weights"),
}
"""What is no file."""

SAFETENSORS = {
    "length-2^64": Case(header({}, length=2**64 - 1), "no complete safetensors header"),
    "length-0": Case(header({}, length=0), "unreadable safetensors header"),
    "length-1e8": Case(sparse(2 * 10**8, {}), "longer than its header says"),
    "header-of-1e8": Case(
        both(header(b" ", length=10**8), lambda f: os.truncate(f / WEIGHTS, 2 * 10**8)), "at most 16777216 are read"
    ),
    "header-noise": Case(text(WEIGHTS, os.urandom(10_000)), "no complete safetensors header"),
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
        with_index('{"weight_map": {' + many(3_000_000, '"#":1') + "}}"), "more than 16777216 bytes"
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

TOKENIZERS = {
    "tokenizer-list": Case(text("tokenizer.json", "[]"), "is no tokenizer"),
    "tokenizer-deep": Case(text("tokenizer.json", "[" * 200_000), "tokenizer.json"),
    "tokenizer-numbers": Case(tokenizer(lambda r: r["model"].update(vocab=[1, 2])), "is no tokenizer"),
    "tokenizer-ids-text": Case(tokenizer(lambda r: r["model"].update(vocab={"a": "0"})), "is no tokenizer"),
    "tokenizer-bomb": Case(
        text("tokenizer.json", '{"model": {"vocab": {' + many(3_000_000, '"#":#') + "}}}"), "tokenizer.json .* has more"
    ),
    "tokenizer-short-bomb": Case(
        text("tokenizer.json", '{"model": {"vocab": [' + "[]," * 20_000 + "[]]}}"), "tokenizer"
    ),
    "tokenizer-other": Case(tokenizer(lambda r: r["model"]["vocab"].update(new=61)), "does not fit the panel's"),
    "tokenizer-none-and-other-size": Case(
        both(
            lambda folder: (folder / "tokenizer.json").unlink(),
            config(vocab_size=59),
            tensors(
                lambda t: t.update({k: t[k][:59].clone() for k in ("gpt_neox.embed_in.weight", "embed_out.weight")})
            ),
        ),
        "it carries none, and its vocabulary has 59 ids against 61",
    ),
}
"""`tokenizer.json`."""

CASES = CONFIGURATIONS | HARMLESS | FILES | SAFETENSORS | PICKLES | TOKENIZERS
