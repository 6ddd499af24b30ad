import shutil

import pytest

from rare_neurons.catalogue import RULES
from rare_neurons.origins.asked import path_of
from rare_neurons.origins.inputs import Inputs, changed_inputs
from rare_neurons.origins.parameters import has_metadata
from rare_neurons.tables import digest_of, read_metadata

pytestmark = pytest.mark.pipeline


def changed(asked, results) -> dict[str, set[str]]:
    """Kinds of tables whose inputs are others, with the inputs' names."""
    inputs, found = Inputs(results, asked), {}
    for key in filter(has_metadata, asked.keys):
        names = changed_inputs(inputs.digests(key), read_metadata(results / path_of(key)))
        if names:
            found.setdefault(str(key[0]), set()).update(names)
    return found


def test_a_finished_run_was_made_from_what_lies_there(asked, results):
    assert changed(asked, results) == {}


def test_a_shard_of_another_step_is_named_where_it_went_in(asked, results):
    shards = results / "influence/heldout/tiny-seed0"
    shutil.copy(shards / "step2.parquet", shards / "step4.parquet")
    of_metric = {name: {"influence"} for name in ("inequality", "regimes", "curves", "differences", "set_spectra")}
    of_metric |= {table.name: {"influence"} for rule in RULES if rule.name == "activity" for table in rule.tables}
    joined = {f"timelines/{name}": {"influence"} for name in ("lineage", "members", "changed")}
    joined |= {"timelines/influence": {"shards"}}
    own = {"influence": {"manifest"}}
    assert changed(asked, results) == own | of_metric | joined


def test_another_tokenizer_or_panel_is_named(asked, results):
    tokenizer = results / "tokenizer/bpe/tokenizer.json"
    tokenizer.write_text(tokenizer.read_text() + " ")
    found = changed(asked, results)
    assert found == {name: {"tokenizer"} for name in ("corpus/tokens", "corpus/unigram")}
    shutil.copy(results / "panel/heldout/strata.parquet", results / "panel/heldout/targets.parquet")
    assert changed(asked, results)["influence"] == {"targets"}


def test_of_an_earlier_version_all_inputs_are_named_where_one_has_changed():
    due = {"tokens": "1", "unigram": "2"}
    assert changed_inputs(due, {"inputs_sha256": digest_of(due)}) == []
    assert changed_inputs(due, {"inputs_sha256": digest_of({"tokens": "1"})}) == ["tokens", "unigram"]
    more = {"tokens": "1", "unigram": "2", "counts": "3"}
    assert changed_inputs(due, {"inputs": more, "inputs_sha256": digest_of(more)}) == ["counts"]


def test_an_input_that_is_not_there_is_an_error_with_its_name(asked, results):
    (results / "integrity/tiny-seed0.parquet").unlink()
    with pytest.raises(FileNotFoundError) as error:
        Inputs(results, asked).digests(("timelines/lineage", "tiny-seed0"))
    assert error.value.filename == str(results / "integrity/tiny-seed0.parquet")
