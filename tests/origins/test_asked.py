import json

import pytest

from rare_neurons.catalogue import TABLES, TIMELINES
from rare_neurons.errors import RequestError
from rare_neurons.origins.asked import OTHERS, Asked, path_of, paths_of, steps_asked
from rare_neurons.tables import key_of
from tests.origins.conftest import ask
from tests.workflow.project import CONFIG


def test_every_kind_of_file_is_asked_for(asked):
    assert {key[0] for key in asked.keys} == {*TABLES, *TIMELINES, *OTHERS}
    assert len(set(asked.keys)) == len(asked.keys)


def test_paths_are_those_of_the_catalogue(asked):
    tables = [key for key in asked.keys if key[0] not in OTHERS]
    assert [key_of(f"results/{path_of(key)}") for key in tables] == tables
    assert path_of(("manifest", "tiny-seed0", 2)) == "manifest/tiny-seed0/step2.json"
    assert "tokenizer/bpe/tokenizer.json" in paths_of(asked.keys)


def test_what_no_model_uses_is_not_asked_for():
    unused = {"corpora": {"other": CONFIG["corpora"]["texts"]}, "tokenizers": {"other": CONFIG["tokenizers"]["bpe"]}}
    assert ask(**unused).keys == ask().keys


def test_subjects_controls_and_families():
    own = CONFIG["models"]["tiny-seed0"]
    shuffled = {**own, "seed": 7, "text": "unigram_shuffled", "subject": "shuffled", "control_of": "tiny"}
    found = ask(models={"tiny-seed1": {**own, "seed": 1}, "control": shuffled})
    assert found.subjects == ["tiny", "shuffled"]
    assert found.judged("tiny") == ["tiny-seed0", "tiny-seed1", "control"]
    assert found.family_of("control") == "tiny"
    assert ("alpha_null", "tiny") in found.keys
    assert ("alpha_null", "shuffled") not in found.keys
    assert {key[1] for key in found.keys if key[0] == "timelines/evidence"} == {"tiny", "shuffled"}


def test_tokens_per_step_and_neurons_of_a_hub_model_are_what_the_configuration_knows(asked):
    assert (asked.tokens_per_step("tiny-seed0"), asked.n_neurons("tiny-seed0")) == (8 * 32, 64)
    hub = {"source": "hub", "repo": "a/b", "revision": "step{step}", "tokenizer": "bpe", "steps": [0, 1]}
    other = Asked({**asked.config, "models": {"far": hub}}, {"far": [0, 1]})
    assert (other.tokens_per_step("far"), other.n_neurons("far")) == (None, None)
    assert not [key for key in other.keys if key[0] in ("null_tables", "pretrain")]


def test_layers_and_intervals_are_those_of_the_declared_checkpoints(asked):
    assert asked.declared_steps("layers", "tiny-seed0") == [0, 4]
    assert asked.declared_steps("activity", "tiny-seed0") == [4]
    assert asked.intervals("tiny-seed0") == ["0-4"]
    assert ("allocation", "heldout", "tiny-seed0", "0-4") in asked.keys
    assert path_of(("allocation", "heldout", "tiny-seed0", "0-4")) == "allocation/heldout/tiny-seed0/step0-4.parquet"
    everything = ask(layers={**asked.config["layers"], "steps": "all"})
    assert everything.declared_steps("layers", "tiny-seed0") == [0, 2, 4]


def test_panels_without_a_stratum_of_a_declared_section_are_not_measured_there(asked):
    halves = {**asked.config["panels"]["heldout"], "strata": {"upper": {"types": [0.0, 0.5]}}}
    found = ask(panels={"halves": halves})
    (model,) = found.steps
    assert found.panels_of(model) == found.panels_at("probe", model) == ["heldout", "halves"]
    for table in ("layer_influence", "allocation", "organisation"):
        assert {key[1] for key in found.of_checkpoints(table, model)} == {"heldout"}
    assert {key[1] for key in found.of_checkpoints("influence", model)} == {"heldout", "halves"}


def test_what_has_no_checkpoints_of_its_own_is_not_asked_for(asked):
    none = ask(**{name: {"steps": "none"} for name in ("layers", "allocation", "activity")})
    kinds = {key[0] for key in none.keys}
    assert not [kind for kind in kinds if "layer" in str(kind) or "allocation" in str(kind) or kind == "heads"]
    assert not kinds & {"organisation", "kinds", "timelines/organisation", "timelines/kinds"}
    assert not none.does("layers")
    assert not none.does("activity")
    assert not none.does("layer_evidence")
    assert not none.does("activity_evidence")
    assert asked.does("layer_evidence")
    assert asked.does("activity_evidence")
    assert "layer_audit" in asked.quantities
    assert "layer_audit" not in none.quantities


def test_the_checkpoint_between_is_the_middle_one_where_it_is_asked_for(asked):
    assert asked.between("tiny-seed0", "0-4") is None
    path = ask(allocation={**asked.config["allocation"], "path": True})
    assert path.between("tiny-seed0", "0-4") == 2
    assert path.between("tiny-seed0", "0-2") is None


def test_steps_that_cannot_be_listed_are_refused():
    entry = {"source": "folder", "path": "runs/step{step}", "steps": "found"}
    with pytest.raises(RequestError, match=r"model own: steps: found, but runs/.* lies in storage"):
        steps_asked({"models": {"own": entry}}, listing=False)
    assert steps_asked({"models": {"own": {**entry, "steps": [0, 4]}}}, listing=False) == {"own": [0, 4]}


def test_neurons_of_a_local_model_are_those_of_its_first_checkpoint_that_tells_them(tmp_path):
    shape = {"model_type": "gpt2", "n_embd": 8, "n_head": 2, "n_layer": 1, "vocab_size": 400}
    for step, config in ((0, "no JSON"), (5, json.dumps({"model_type": "mamba"})), (10, json.dumps(shape))):
        (tmp_path / f"step{step}").mkdir()
        (tmp_path / f"step{step}/config.json").write_text(config)
    local = {"source": "folder", "path": f"{tmp_path}/step{{step}}", "tokenizer": "bpe"}
    found = ask(models={"tiny-seed0": None, "local": local, "said": {**local, "n_neurons": 7}})
    assert (found.n_neurons("local"), found.n_neurons("said")) == (32, 7)
    assert ("null_tables", "32") in found.keys
    assert ask(models={"local": {**local, "steps": [0, 5]}}).n_neurons("local") is None


def test_a_configuration_of_an_earlier_version_asks_for_none_of_the_later_rules(asked):
    earlier = {name: entry for name, entry in asked.config.items() if name not in ("layers", "allocation", "activity")}
    found = Asked(earlier, asked.steps)
    assert {"influence", "spectra"} <= {key[0] for key in found.keys}
    assert not {"layer_influence", "allocation", "organisation"} & {key[0] for key in found.keys}
