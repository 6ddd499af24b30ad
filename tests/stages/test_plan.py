import numpy as np
from safetensors.numpy import save_file

from rare_neurons.stages.plan import Request, print_plan

PANEL = {
    "corpus": "texts",
    "tokenizer": "bpe",
    "strata": {"common": {"mass": [0, 0.5]}, "rare": {"mass": [0.5, 1]}},
    "targets_per_stratum": 10,
    "max_contexts": 4,
    "context_length": 8,
}


def request(folder, models):
    cache = {"folder": str(folder / "cache"), "disk_gb": 1}
    return Request(models, {"p": PANEL}, {"texts": {}}, cache, {"device": "cuda:0"}, {})


def checkpoint(folder, step, value):
    place = folder / f"run/step{step}"
    place.mkdir(parents=True)
    save_file({"w": np.full(100, value, np.float32)}, place / "model.safetensors")
    (place / "config.json").write_text("{}")


def test_a_plan_tells_equal_and_faulty_checkpoints_of_a_folder(tmp_path, capsys):
    for step, value in ((0, 1.0), (2, 1.0), (4, 2.0)):
        checkpoint(tmp_path, step, value)
    (tmp_path / "run/step8").mkdir()
    models = {"mine": {"source": "folder", "path": str(tmp_path / "run/step{step}"), "tokenizer": "bpe"}}
    print_plan(request(tmp_path, models), steps={"mine": [0, 2, 4, 8]})
    shown = capsys.readouterr().err
    (row,) = (line for line in shown.splitlines() if line.startswith("│ mine"))
    assert [cell.strip() for cell in row.split("│")[1:-1]] == ["mine", "4", "1", "unchanged 0, 2", "0", "0.00 MB"]
    assert "To fetch: 0.00 MB. Disk at peak: 0.00 MB (cache.disk_gb: 1)." in shown
    assert "mine step 8: " in shown
    assert "Work of the probes:" in shown


def test_a_model_that_is_trained_here_is_counted(tmp_path, capsys):
    models = {"tiny": {"source": "pretrain"}}
    print_plan(request(tmp_path, models), steps={"tiny": [0, 2, 4]})
    assert capsys.readouterr().err == "tiny: 3 checkpoints, trained here\n"
