"""Hostile and broken checkpoints: what is done to a sound one, and what has to be said of it."""

import os
import random
import socket
from pathlib import Path

import torch

from tests.hostile.spoil import (
    INDEX,
    WEIGHTS,
    Case,
    both,
    config,
    instead,
    many,
    tensors,
    text,
    tokenizer,
    touch,
    with_index,
)
from tests.hostile.weights import EVIL, PICKLES, SAFETENSORS


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        here = os.getcwd()
        os.chdir(path.parent)
        made.bind(path.name)
        os.chdir(here)


CONFIGURATIONS = {
    "config-list": Case(text("config.json", "[1, 2]"), "holds a list"),
    "config-string": Case(text("config.json", '"gpt_neox"'), "holds a str"),
    "config-empty": Case(text("config.json", ""), "is not JSON"),
    "config-binary": Case(text("config.json", random.Random(0).randbytes(4096)), "is not JSON"),
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
    "positions-4": Case(
        both(
            config(n_positions=4),
            tensors(lambda t: t.update({"transformer.wpe.weight": t["transformer.wpe.weight"][:4].clone()})),
        ),
        "contexts of 14 tokens, but the model has 4 positions",
        base="gpt2",
    ),
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

TOKENIZERS = {
    "tokenizer-list": Case(text("tokenizer.json", "[]"), "is no tokenizer"),
    "tokenizer-deep": Case(text("tokenizer.json", "[" * 200_000), "tokenizer.json"),
    "tokenizer-numbers": Case(tokenizer(lambda r: r["model"].update(vocab=[1, 2])), "is no tokenizer"),
    "tokenizer-ids-text": Case(tokenizer(lambda r: r["model"].update(vocab={"a": "0"})), "is no tokenizer"),
    "tokenizer-bomb": Case(
        text("tokenizer.json", lambda: '{"model": {"vocab": {' + many(3_000_000, '"#":#') + "}}}"),
        "tokenizer.json .* has more",
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
