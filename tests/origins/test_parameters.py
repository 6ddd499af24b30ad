import pytest

from rare_neurons.catalogue import VERSIONS
from rare_neurons.origins.asked import path_of
from rare_neurons.origins.parameters import differing, has_metadata
from rare_neurons.tables import read_metadata
from tests.origins.conftest import ask
from tests.workflow.project import CONFIG

pytestmark = pytest.mark.pipeline


def others(asked, results) -> dict[str, set[str]]:
    """Kinds of tables that differ, with the keys."""
    found = {}
    for key in filter(has_metadata, asked.keys):
        path = results / path_of(key)
        if path.is_file() and (keys := differing(asked, key, read_metadata(path))):
            found.setdefault(str(key[0]), set()).update(keys)
    return found


PROBED = ("influence", "cells", "behaviour", "moments", "activations", "gradients")
ACTIVITY = ("organisation", "sets", "overlap", "routing", "kinds", "readout", "examples")
PANEL = ("panel/contexts", "panel/targets", "panel/strata")
BPE = CONFIG["tokenizers"]["bpe"]


def test_a_finished_run_has_the_parameters_of_its_configuration(finished):
    """Also the reminder: a parameter that a stage records has to be known here."""
    assert others(ask(), finished.folder / "results") == {}


@pytest.mark.parametrize(
    ("sections", "differ"),
    [
        ({"probe": {"tolerance": 1e-5}}, {key: {"tolerance"} for key in PROBED}),
        ({"panels": {"heldout": {"seed": 3}}}, {key: {"seed"} for key in PANEL}),
        ({"regimes": {"n_bins": 9}}, {key: {"n_bins"} for key in ("regimes", "curves", "differences")}),
        ({"regimes": {"n_draws": 300}}, {"null_tables": {"n_draws"}}),
        ({"spectra": {"shuffles": 5}}, {"spectra": {"shuffles"}}),
        ({"integrity": {"max_detour": 5}}, {"integrity": {"max_detour"}}),
        ({"integrity": {"n_projections": 32}}, {"fingerprint": {"n_projections"}}),
        ({"lineage": {"share": 0.1}}, {f"timelines/{name}": {"share"} for name in ("lineage", "members", "changed")}),
        ({"set_spectra": {"seed": 4}}, {"set_spectra": {"seed"}}),
        ({"activity": {"rows": 90}}, {key: {"rows"} for key in ACTIVITY}),
        (
            {"tokenizers": {"bpe": BPE | {"vocab_size": 500}}},
            {key: {"vocab_size"} for key in ("corpus/tokens", "corpus/unigram")},
        ),
        ({"corpora": {"texts": {"smoothing": 2}}}, {key: {"smoothing"} for key in ("corpus/tokens", "corpus/unigram")}),
        ({"corpora": {"texts": {"paths": ["a.txt"]}}}, {"text": {"source.paths"}}),
    ],
    ids=str,
)
def test_a_changed_key_is_named_in_the_tables_that_it_makes_and_in_no_other(finished, sections, differ):
    assert others(ask(**sections), finished.folder / "results") == differ


def test_strata_and_questions_are_named_by_their_place(finished):
    strata = {"panels": {"heldout": {"strata": {"rare": {"mass": [0.8, 1.0]}, "mid": {"mass": [0.5, 0.8]}}}}}
    found = others(ask(**strata), finished.folder / "results")
    assert found["influence"] == {"strata.rare.mass", "strata.mid.mass"}
    rule = others(ask(evidence={"rule": {"level": 0.01}}), finished.folder / "results")
    assert rule["timelines/evidence"] == {"rule.level"}


def test_another_version_of_the_rule_is_named(asked):
    about = {"params": {"share": asked.config["lineage"]["share"]}, "rule_version": 0}
    ((name, (there, due)),) = differing(asked, ("timelines/lineage", "tiny-seed0"), about).items()
    assert (name, there) == ("rule_version", 0)
    assert due > 0


def test_another_recipe_seed_or_repository_is_named(asked):
    recipe = CONFIG["recipes"]["tiny"]
    record = {"recipe": recipe, "seed": 1, "text": "natural", "steps": [0, 2, 4], "version": VERSIONS["pretrain"]}
    assert differing(asked, ("pretrain", "tiny-seed0"), record) == {"seed": (1, 0)}
    hub = {"source": "hub", "repo": "a/b", "revision": "step{step}", "tokenizer": "bpe", "steps": [0]}
    far = ask(models={"far": hub})
    manifest = {"source": "hub", "location": "a/c"}
    assert differing(far, ("manifest", "far", 0), manifest) == {"location": ("a/c", "a/b")}
