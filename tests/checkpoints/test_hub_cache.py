"""The Hub client's own cache: read in place, left alone, and enough where the client is offline."""

from huggingface_hub import hf_hub_download

from rare_neurons.checkpoints.cache import open_weights
from tests.checkpoints.tiny import IMPATIENT, manifests_on_disk, start
from tests.hub.server import Fault


def warm(hub, cache, *, step=2):
    for name in ("config.json", "model.safetensors"):
        hf_hub_download("lab/pythia", name, revision=f"step{step}", cache_dir=cache, endpoint=hub.url)


OFFLINE = """
import sys
from pathlib import Path
from rare_neurons.checkpoints.cache import open_weights
from rare_neurons.checkpoints.retry import HubUnreachable
from rare_neurons.checkpoints.sources import Source, resolve
source = Source("hub", "lab/pythia")
manifest = resolve("m", 2, source)
print(manifest.digest)
with open_weights(manifest, cache_dir=Path(sys.argv[1]), budget_bytes=1) as folder:
    print(len((folder / "model.safetensors").read_bytes()))
for attempt in (lambda: resolve("m", 2, Source("hub", "lab/other")), lambda: resolve("m", 4, source)):
    try:
        print(attempt().reason)
    except HubUnreachable as error:
        print(error)
"""


def test_a_revision_in_the_hubs_own_cache_is_read_in_place_and_left_alone(hub, tmp_path):
    warm(hub, tmp_path / "theirs")
    (manifest,) = manifests_on_disk(hub, tmp_path, [2])
    where = {"cache_dir": tmp_path / "ours", "budget_bytes": 1, "hub_cache": tmp_path / "theirs", "network": IMPATIENT}
    before = sorted((tmp_path / "theirs").rglob("*"))
    asked = len(hub.log)
    with open_weights(manifest, **where) as folder:
        assert folder.is_relative_to(tmp_path / "theirs")
    assert sorted((tmp_path / "theirs").rglob("*")) == before
    assert len(hub.log) == asked


def test_a_bad_file_in_the_hubs_own_cache_is_not_used(hub, tmp_path):
    hub.faults.append(Fault(r"GET /cdn/.*step2/model", flip=True))
    warm(hub, tmp_path / "theirs")  # the Hub's client accepts it: the size is right
    (manifest,) = manifests_on_disk(hub, tmp_path, [2])
    where = {"cache_dir": tmp_path / "ours", "budget_bytes": 10**7, "hub_cache": tmp_path / "theirs"}
    with open_weights(manifest, network=IMPATIENT, **where) as folder:
        assert folder.is_relative_to(tmp_path / "ours")
        assert (folder / "model.safetensors").read_bytes() == (
            hub.root / "lab/pythia/step2/model.safetensors"
        ).read_bytes()


def test_offline_with_the_hubs_own_cache_warm(hub, tmp_path):
    warm(hub, tmp_path / "home" / "hub")
    (manifest,) = manifests_on_disk(hub, tmp_path, [2])
    asked = len(hub.log)
    process = start(OFFLINE, tmp_path / "ours", HF_HOME=str(tmp_path / "home"), HF_HUB_OFFLINE="1", HF_ENDPOINT=hub.url)
    out, err = process.communicate()
    assert process.returncode == 0, err.decode()
    digest, size, other, absent = out.decode().splitlines()
    assert digest == manifest.digest
    assert int(size) == manifest.files[1].size
    assert other.startswith("HF_HUB_OFFLINE is set and the Hub's cache holds no revision of lab/other; unset it")
    assert absent.startswith("HF_HUB_OFFLINE is set and the Hub's cache holds no weights of lab/pythia at step4")
    assert len(hub.log) == asked
