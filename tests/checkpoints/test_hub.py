"""Manifests from the Hub's listing: nothing is downloaded, and what is wrong is told."""

import pytest

from rare_neurons.checkpoints.sources import Source, resolve, resolve_steps
from rare_neurons.errors import RequestError
from tests.checkpoints.tiny import listing, save_checkpoint


def test_manifests_come_from_metadata_and_identical_branches_are_known_beforehand(hub):
    source = Source("hub", "lab/pythia", endpoint=hub.url)
    zero, one, two, missing = resolve_steps("m", [0, 1, 2, 7], source)
    assert (zero.status, zero.revision, zero.commit) == ("ok", "step0", hub.commit("lab/pythia", "step0"))
    assert [file.name for file in zero.files] == ["config.json", "model.safetensors"]
    config, weights = zero.files
    assert weights.sha256 == hub.digest(hub.root / "lab/pythia/step0/model.safetensors")
    assert (config.sha256, config.blob_id) == (None, hub.digest(hub.root / "lab/pythia/step0/config.json"))
    assert zero.weights_digest == one.weights_digest != two.weights_digest
    assert (missing.status, missing.reason) == ("missing", "no revision step7 among the 6 of lab/pythia")
    assert hub.downloads() == []
    assert sum("refs" in entry.path for entry in hub.log) == 1
    assert resolve("m", 0, source) == zero
    assert listing(hub).steps() == (0, 1, 2, 4, 8)


def test_patterns_are_resolved_among_the_references(hub):
    for name in ("stage1-step100-tokens1B", "stage1-step1000-tokens9B", "stage2-step100-tokens1B"):
        save_checkpoint(hub.root / "lab" / "olmo" / name, 1.0)
    olmo = listing(hub, "stage1-step{step}-*", "lab/olmo")
    assert olmo.manifest("m", 100).revision == "stage1-step100-tokens1B"
    assert olmo.steps() == (100, 1000)
    with pytest.raises(RequestError, match=r"2 revisions of lab/olmo fit 'stage\*-step\{step\}-\*' at step 100"):
        listing(hub, "stage*-step{step}-*", "lab/olmo").manifest("m", 100)


def test_one_request_per_step_and_one_more_where_the_name_is_a_pattern(hub):
    for step in (0, 2, 4):
        resolve("m", step, Source("hub", "lab/pythia", endpoint=hub.url))
    assert [entry.path.split("?")[0].split("/")[-1] for entry in hub.log] == ["step0", "step2", "step4"]
    resolve_steps("m", (0, 2, 7), Source("hub", "lab/pythia", revision="*p{step}", endpoint=hub.url))
    assert sum(entry.path.endswith("/refs") for entry in hub.log) == 1


def test_wrong_requests_are_named(hub):
    with pytest.raises(RequestError, match=r"no repository lab/phythia at http.*hf auth login"):
        listing(hub, repo="lab/phythia").manifest("m", 0)
    with pytest.raises(RequestError, match=r"no revision of lab/pythia fits 'iter_\{step\}' \(6 revisions: main"):
        listing(hub, "iter_{step}").manifest("m", 0)


def test_revisions_without_weights_or_with_a_shard_short_are_missing(hub):
    for name, keep in (("step0", []), ("step1", ["model-00001-of-00002.safetensors"])):
        folder = hub.root / "lab" / "odd" / name
        save_checkpoint(folder, 1.0)
        (folder / "pytorch_model.bin").unlink()
        (folder / "model.safetensors").rename(folder / keep[0]) if keep else (folder / "model.safetensors").unlink()
    none, short = (listing(hub, repo="lab/odd").manifest("m", step) for step in (0, 1))
    assert (none.status, short.status) == ("missing", "missing")
    assert none.reason.startswith("revision step0 holds no weights")
    assert short.reason == "revision step1 lacks 1 of its shards: model-00002-of-00002.safetensors"


def test_a_digest_that_is_none_is_a_fault_of_the_data_and_no_file_name(hub, monkeypatch):
    monkeypatch.setattr(hub, "digest", lambda _path: "../../etc/passwd")
    found = listing(hub).manifest("m", 2)
    assert (found.status, found.files) == ("corrupt", ())
    assert "digest '../../etc/passwd'" in found.reason
