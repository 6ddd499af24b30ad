"""The plan: what is equal, faulty, reported and to be fetched, from manifests alone."""

import json

from rare_neurons.checkpoints.manifest import Manifest, ManifestFile
from rare_neurons.checkpoints.plan import plan_run
from rare_neurons.checkpoints.sources import Source, resolve_steps
from tests.hub.server import serve


def manifest(step, content, *, model="m", source="hub", size=100, repo="lab/run", **fields):
    files = (ManifestFile("config.json", 10, None, "c0ffee"), ManifestFile("model.safetensors", size, content))
    return Manifest(model, step, source, repo, f"step{step}", "commit", files, **fields)


def test_a_plan_tells_equal_faulty_and_reported_steps_and_bytes():
    missing = Manifest("m", 9, "hub", "lab/run", "step9", None, (), "missing", "no revision step9")
    run = [manifest(step, content) for step, content in ((0, "a"), (1, "a"), (2, "b"), (4, "c"), (8, "b"))]
    pythia = [
        manifest(step, f"p{step}", model="big", repo="EleutherAI/pythia-12b", size=900) for step in (50000, 51000)
    ]
    plan = plan_run([*run, missing, *pythia], budget_bytes=600, cached={"c"})
    small, big = plan.models
    assert (small.n_checkpoints, small.n_faulty, small.faulty) == (6, 1, ((9, "no revision step9"),))
    assert (small.unchanged, small.duplicates) == (((0, 1),), ((2, 8),))
    assert (small.total_bytes, small.fetch_bytes, small.largest_bytes) == (550, 210, 110)
    assert [step for step, _ in big.reported] == [50000]
    assert plan.fetch_bytes == 210 + 1800  # the configuration is shared between models
    assert plan.peak_disk_bytes == 600
    assert plan.too_large == (("big", 910),)


def test_local_folders_fetch_nothing():
    plan = plan_run([manifest(0, "a", source="folder"), manifest(1, "b", source="folder")], budget_bytes=10)
    assert (plan.fetch_bytes, plan.peak_disk_bytes, plan.too_large) == (0, 0, ())
    assert plan.models[0].total_bytes == 220


def test_462_manifests_are_resolved_from_metadata_with_one_request_each(tmp_path):
    steps = [0, *(2**k for k in range(10)), *range(1000, 144000, 1000)]
    models = ["a", "b", "c"]
    for model in models:
        for step in steps:
            folder = tmp_path / "lab" / model / f"step{step}"
            folder.mkdir(parents=True)
            (folder / "config.json").write_text("{}")
            (folder / "model.safetensors").write_text(json.dumps([model, step]))
    with serve(tmp_path) as hub:
        found = [
            manifest
            for model in models
            for manifest in resolve_steps(model, steps, Source("hub", f"lab/{model}", endpoint=hub.url))
        ]
        assert len(found) == 462
        assert {manifest.status for manifest in found} == {"ok"}
        assert len(hub.log) == 462
        assert hub.downloads() == []
    plan = plan_run(found, budget_bytes=10**9)
    assert [row.n_checkpoints for row in plan.models] == [154] * 3
