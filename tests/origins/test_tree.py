import json
import shutil

import pyarrow.parquet as pq
import pytest

from rare_neurons.catalogue import VERSIONS
from rare_neurons.checkpoints.manifest import read_manifest, write_manifest
from rare_neurons.origins.tree import DAMAGED, MISSING, STALE, UNVERIFIED, check_tree
from tests.origins.conftest import ask

pytestmark = pytest.mark.pipeline
SHARD = "influence/heldout/tiny-seed0/step2.parquet"


def found(results, asked) -> dict[str, set[tuple[str, str]]]:
    by_path = {}
    for finding in check_tree(results, asked):
        by_path.setdefault(finding.path, set()).add((finding.state, finding.why))
    return by_path


def flip(path, byte):
    data = bytearray(path.read_bytes())
    data[byte] ^= 4
    path.write_bytes(data)


def test_a_finished_tree_is_as_asked_wherever_it_lies(results, asked):
    assert found(results, asked) == {}


def test_a_damaged_file_is_named_with_what_was_made_from_it(results, asked):
    flip(results / SHARD, 1000)
    everything = found(results, asked)
    assert everything[SHARD] == {(DAMAGED, "its pages do not have their digest")}
    assert everything["timelines/influence/tiny-seed0.parquet"] == {(STALE, "shards is another one now")}
    assert "moments/heldout/tiny-seed0/step2.parquet" not in everything


def test_damage_of_manifest_tokenizer_and_recipe_is_seen(results, asked):
    manifest = results / "manifest/tiny-seed0/step2.json"
    manifest.write_text(manifest.read_text().replace('"step": 2', '"step": 3'))
    flip(results / "tokenizer/bpe/tokenizer.json", 400)
    flip(results / "pretrain/tiny-seed0/recipe.json", 40)
    everything = found(results, asked)
    damaged = {path for path, states in everything.items() if DAMAGED in dict(states)}
    assert damaged == {f"{path.relative_to(results)}" for path in (manifest,)} | {
        "tokenizer/bpe/tokenizer.json",
        "pretrain/tiny-seed0/recipe.json",
    }


def test_weights_that_are_not_those_of_the_manifest_are_named(results, asked):
    weights = results / "pretrain/tiny-seed0/step4/model.safetensors"
    flip(weights, -9)
    path = "manifest/tiny-seed0/step4.json"
    assert found(results, asked) == {
        path: {(STALE, f"model.safetensors at {weights} does not have the sha256 of the manifest")}
    }
    assert not list(check_tree(results, asked, weights=False))


def test_a_shard_of_other_weights_is_named(results, asked):
    manifest = read_manifest(results / "manifest/tiny-seed0/step2.json")
    other = read_manifest(results / "manifest/tiny-seed0/step4.json")
    write_manifest(type(other)(**{**vars(manifest), "files": other.files}), results / "manifest/tiny-seed0/step2.json")
    whys = {why for _, why in found(results, asked)["spectra/tiny-seed0/step2.parquet"]}
    assert whys == {"manifest is another one now", "its weights are not those of the manifest"}


def test_what_is_missing_and_what_lacks_a_seal_is_named(results, asked):
    (results / "null_tables/64.parquet").unlink()
    unsealed = results / "alpha_null/tiny.parquet"
    pq.write_table(pq.read_table(unsealed), unsealed)
    (results / "tokenizer/bpe/tokenizer.json.sha256").unlink()
    everything = found(results, asked)
    assert everything["null_tables/64.parquet"] == {(MISSING, "no such file")}
    assert dict(everything["regimes/heldout/tiny-seed0/step0.parquet"]).keys() == {STALE}
    assert dict(everything["tokenizer/bpe/tokenizer.json"]) == {UNVERIFIED: "no checksum beside it"}
    assert {state for state, _ in everything["alpha_null/tiny.parquet"]} == {UNVERIFIED}


def test_another_configuration_names_file_and_key(results):
    everything = found(results, ask(regimes={"n_bins": 9}))
    assert everything["curves/heldout/tiny-seed0/step0.parquet"] == {(STALE, "n_bins: 12 in the file, 9 asked")}
    assert {path.split("/")[0] for path in everything} == {"regimes", "curves", "differences"}


def test_a_recipe_of_another_corpus_is_named(results, asked):
    shutil.copy(results / "corpus/texts/bpe/unigram.parquet", results / "corpus/texts/bpe/tokens.parquet")
    assert (STALE, "tokens is another one now") in found(results, asked)["pretrain/tiny-seed0/recipe.json"]
    recipe = json.loads((results / "pretrain/tiny-seed0/recipe.json").read_text())
    assert recipe["version"] == VERSIONS["pretrain"]
