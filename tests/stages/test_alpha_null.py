import numpy as np

from rare_neurons.numerics.spectra.gaussian_null import draw_alpha_null
from rare_neurons.stages.alpha_null import read_alpha_null, write_alpha_null
from rare_neurons.tables import read_metadata, read_table
from tests.stages.tables import BAD, put


def shard(root, model, shapes, about=None):
    rows = [{"layer": i, "matrix": "W_in", "rows": rows, "cols": cols} for i, (rows, cols) in enumerate(shapes)]
    place = {"model": model, "step": 0}
    return put(root, "spectra", place, rows) if about is None else put(root, "spectra", place, rows, about)


def test_every_shape_has_one_null_whatever_its_order_and_how_many_have_it(tmp_path):
    shards = [shard(tmp_path, "a", [(30, 20), (20, 30), (24, 24)]), shard(tmp_path, "b", [(24, 24)])]
    path = str(tmp_path / "null.parquet")
    write_alpha_null(path, spectra=shards, min_tail=2, seed=3)
    found = read_alpha_null(path)
    assert list(found) == [(24, 24), (30, 20)]
    for (long, short), null in found.items():
        drawn = draw_alpha_null(long, short, 999, np.random.default_rng([3, long, short]))
        assert null == drawn
    assert read_metadata(path)["params"]["n_draws"] == 999


def test_a_shape_has_the_same_draws_beside_others_and_a_bad_checkpoint_names_none(tmp_path):
    paths = [str(tmp_path / f"{name}.parquet") for name in ("one", "two", "none")]
    bad = shard(tmp_path, "bad", [], BAD)
    good, wider = shard(tmp_path, "good", [(24, 24)]), shard(tmp_path, "wider", [(24, 24), (21, 20)])
    for path, shards in zip(paths, ([bad, good], [wider], [bad]), strict=True):
        write_alpha_null(path, spectra=shards, min_tail=2, seed=0)
    assert read_alpha_null(paths[0])[24, 24] == read_alpha_null(paths[1])[24, 24]
    assert read_table(paths[2]).num_rows == 0


def test_many_matrices_take_more_draws(tmp_path):
    path = str(tmp_path / "null.parquet")
    write_alpha_null(path, spectra=[shard(tmp_path, "a", [(8, 4)] * 30)], min_tail=2, seed=0)
    assert read_table(path)["n_draws"].to_pylist() == [1200]
