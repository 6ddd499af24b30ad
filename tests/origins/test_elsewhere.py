import os
import shutil

import pytest

from rare_neurons.errors import RequestError
from rare_neurons.origins.elsewhere import KNOWN, adopt, find_foreign, refuse_foreign
from tests.origins.conftest import ask

pytestmark = pytest.mark.pipeline

BINS = {"regimes": {"n_bins": 9}}
REGIMES = {f"{t}/heldout/tiny-seed0/step{s}.parquet" for t in ("regimes", "curves", "differences") for s in (0, 2, 4)}


def nowhere(path):
    return None


def ever(path):
    """Of a run that has lasted since files have times."""
    return 0.0, 1e12


def long_ago(path):
    return 0.0, 1.0


def foreign(results, asked, records=nowhere) -> dict[str, str]:
    return {one.path: "; ".join(one.why) for one in find_foreign(results, asked, records)}


def test_a_copied_tree_of_the_same_configuration_is_taken(results, asked):
    refuse_foreign(results, asked, nowhere)


def test_a_copied_tree_of_other_parameters_is_refused_with_the_keys(results):
    with pytest.raises(RequestError) as refused:
        refuse_foreign(results, ask(**BINS), nowhere)
    words = str(refused.value)
    assert "9 files in" in words
    assert "regimes/heldout/tiny-seed0/step0.parquet: n_bins: 12 in the file, 9 asked; " in words
    assert "and 4 more). " in words
    assert f"python -m rare_neurons.check {results} --config FILE" in words


def test_what_a_run_on_record_has_made_is_left_to_snakemake(results):
    """Its parameters are in the record, and the change of them runs the rule again."""
    assert foreign(results, ask(**BINS), ever) == {}


def test_what_was_copied_over_a_file_on_record_is_refused(results):
    """The record is of another file under the same name: this one has another time."""
    assert foreign(results, ask(**BINS), long_ago).keys() == REGIMES
    one = results / "regimes/heldout/tiny-seed0/step2.parquet"
    os.utime(one, (1e9, 1e9))
    assert foreign(results, ask(**BINS), lambda path: (1.7e9, 1e12)) == {
        "regimes/heldout/tiny-seed0/step2.parquet": "n_bins: 12 in the file, 9 asked"
    }


def test_shards_of_another_run_among_ones_own_are_refused(results, asked):
    shutil.copy(results / "spectra/tiny-seed0/step2.parquet", results / "spectra/tiny-seed0/step4.parquet")
    found = foreign(results, asked)
    assert found["spectra/tiny-seed0/step4.parquet"] == (
        "manifest is another one now; its weights are not those of the manifest"
    )


def test_what_is_not_there_is_made_and_nothing_is_refused_for_it(results, asked):
    (results / "integrity/tiny-seed0.parquet").unlink()
    shutil.rmtree(results / "panel")
    assert foreign(results, asked) == {}
    assert foreign(results / "nothing", asked) == {}


def test_files_are_opened_once(results, asked, monkeypatch):
    refuse_foreign(results, asked, nowhere)
    assert (results / KNOWN).is_file()
    monkeypatch.setattr("rare_neurons.origins.elsewhere.read_metadata", None)
    refuse_foreign(results, asked, nowhere)
    monkeypatch.undo()
    other = ask(**BINS)
    assert foreign(results, other).keys() == REGIMES
    assert foreign(results, asked) == {}  # what was good for another configuration is looked at again


def test_what_is_adopted_is_taken_until_it_or_the_configuration_changes(results):
    other = ask(**BINS)
    assert adopt(results, other) > len(REGIMES)
    refuse_foreign(results, other, nowhere)
    one = results / "regimes/heldout/tiny-seed0/step2.parquet"
    os.utime(one, (1e9, 1e9))
    assert foreign(results, other).keys() == {"regimes/heldout/tiny-seed0/step2.parquet"}
    assert foreign(results, ask(regimes={"n_bins": 10})).keys() == REGIMES


def test_a_damaged_file_or_note_is_no_crash(results, asked):
    (results / KNOWN).write_text("{")
    (results / "behaviour/heldout/tiny-seed0/step2.parquet").write_bytes(b"PAR1")
    (results / "pretrain/tiny-seed0/recipe.json").write_text("{")
    found = foreign(results, asked)
    assert "no end of a Parquet file" in found["behaviour/heldout/tiny-seed0/step2.parquet"]
    assert "pretrain/tiny-seed0/recipe.json" in found
