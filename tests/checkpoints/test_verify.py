"""A folder in place: what has changed since its manifest was written is found."""

import pytest

from rare_neurons.checkpoints.sources import resolve
from rare_neurons.errors import DataFault
from tests.checkpoints.tiny import make_run, opened


@pytest.mark.parametrize("late", [False, True])
def test_truncated_weights_are_a_data_fault_at_resolving_or_at_opening(tmp_path, late):
    source = make_run(tmp_path / "run", [5])
    manifest = resolve("m", 5, source)
    weights = tmp_path / "run" / "step5" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-7])
    if not late:
        manifest = resolve("m", 5, source)
        assert manifest.status == "corrupt"
    with pytest.raises(DataFault, match=r"model.safetensors (is|was) truncated.* bytes"), opened(manifest, tmp_path):
        pass


def test_a_changed_byte_is_a_data_fault_and_a_good_file_is_hashed_once(tmp_path, monkeypatch):
    manifest = resolve("m", 5, make_run(tmp_path / "run", [5]))
    with opened(manifest, tmp_path):
        pass
    with monkeypatch.context() as patch:
        patch.setattr("rare_neurons.checkpoints.verify.matches", lambda *_: pytest.fail("hashed again"))
        with opened(manifest, tmp_path):
            pass
    weights = tmp_path / "run" / "step5" / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(DataFault, match="sha256 differs"), opened(manifest, tmp_path):
        pass
    weights.unlink()
    with pytest.raises(DataFault, match="gone since the manifest of m step 5"), opened(manifest, tmp_path):
        pass
