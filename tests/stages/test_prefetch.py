from rare_neurons.checkpoints.manifest import Manifest, write_manifest
from rare_neurons.checkpoints.sources import Source, resolve
from rare_neurons.stages.prefetch import fetch_weights
from tests.checkpoints.conftest import save_checkpoint
from tests.hub.server import serve


def test_what_fits_is_fetched_and_the_rest_is_named(tmp_path, capsys):
    for step in (0, 2):
        save_checkpoint(tmp_path / f"served/lab/run/step{step}", float(step))
    missing = Manifest("mine", 9, "hub", "lab/run", "step9", status="missing", reason="no revision step9")
    cache = {"folder": str(tmp_path / "cache"), "disk_gb": 2e-5}  # 20 kB; a checkpoint takes 16
    with serve(tmp_path / "served") as hub:
        found = [resolve("mine", step, Source("hub", "lab/run", endpoint=hub.url)) for step in (0, 2)]
        paths = [tmp_path / f"{k}.json" for k in range(3)]
        for manifest, path in zip([*found, missing], paths, strict=True):
            write_manifest(manifest, path)
        fetch_weights([str(path) for path in paths], cache=cache)
    lines = capsys.readouterr().err.splitlines()
    assert lines[-3] == f"1 checkpoints are in {tmp_path / 'cache'}"
    assert lines[-2].startswith("1 do not fit cache.disk_gb = 2e-05: mine step 2")
    assert lines[-1] == "mine step 9: no revision step9"
    kept = {path.stat().st_size for path in (tmp_path / "cache/blobs").iterdir()}
    assert {file.size for file in found[0].files} <= kept
