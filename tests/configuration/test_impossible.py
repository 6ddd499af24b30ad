"""Configurations that no run can carry out: each alone, each refused with its key, its value and what is allowed."""

import copy

import pytest

from rare_neurons.configuration import SECTIONS, check_config, dated_columns
from rare_neurons.errors import RequestError
from tools.configuration import SCHEMA, read_config

DEFAULT = read_config("config/config.yaml")
INF, NAN = float("inf"), float("nan")
MODEL, PANEL, RECIPE = "models/embedded-seed0", "panels/heldout", "recipes/tiny-pythia"
QUESTION = "evidence/questions/mean within-stratum influence on rare tokens"
HUB = {"source": "hub", "repo": "owner/name", "revision": "step{step}", "tokenizer": "stdlib-2048", "steps": [0, 1]}
FOLDER = {"source": "folder", "path": "runs/step{step}", "tokenizer": "stdlib-2048", "steps": [0, 1]}
SAVED = DEFAULT["recipes"]["tiny-pythia"]
NAME = "it must match ^[A-Za-z0-9][A-Za-z0-9._-]*$"

# What is changed ("a/b": section and key, and the value), how the sentence begins, and what it says is allowed.
IMPOSSIBLE = {
    # Numbers that are none.
    "infinite tolerance": ("probe/tolerance", INF, "probe.tolerance: inf", "a finite number"),
    "tolerance that is no number": ("probe/tolerance_se", NAN, "probe.tolerance_se: nan", "a finite number"),
    "infinite learning rate": (f"{RECIPE}/learning_rate", INF, "recipes.tiny-pythia.learning_rate: inf", "finite"),
    "infinite disk": ("cache/disk_gb", INF, "cache.disk_gb: inf", "a finite number"),
    "level that is no number": ("evidence/rule/level", NAN, "evidence.rule.level: nan", "a finite number"),
    "limit that is no number": ("integrity/max_detour", NAN, "integrity.max_detour: nan", "a finite number"),
    "stratum of no numbers": (
        f"{PANEL}/strata/rare",
        {"mass": [0.9, NAN]},
        "panels.heldout.strata.rare.mass.1: nan",
        "",
    ),
    "whole number with a point": (f"{RECIPE}/n_layers", 2.0, "recipes.tiny-pythia.n_layers: 2.0", "type integer"),
    "number as a text": (f"{RECIPE}/n_steps", "1e3", "recipes.tiny-pythia.n_steps: '1e3'", "type integer"),
    "truth as a number": (f"{MODEL}/seed", True, "models.embedded-seed0.seed: True", "type integer"),
    "seed that torch cannot take": (f"{MODEL}/seed", 2**64, f"models.embedded-seed0.seed: {2**64}", str(2**64 - 1)),
    # Folders.
    "empty results": ("results", "", "results: ''", "a folder of its own"),
    "root results": ("results", "/", "results: '/'", "a folder of its own"),
    "working directory as results": ("results", ".", "results: '.'", "a folder of its own"),
    "results with a newline": ("results", "results\n", "results: 'results\\n'", "a folder of its own"),
    "results with a wildcard": ("results", "out/{model}", "results: 'out/{model}'", "without braces"),
    "home as results": ("results", "~/results", "results: '~/results'", "~"),
    "empty cache": ("cache/folder", "", "cache.folder: ''", "a folder of its own"),
    "cache in the results": ("cache/folder", "results/", "cache.folder: 'results/'", "choose another"),
    # Names.
    "model with a newline": ("models/a\n", HUB, "models: 'a\\n'", NAME),
    "corpus with a newline": ("corpora/a\n", {"source": "stdlib"}, "corpora: 'a\\n'", NAME),
    "recipe with a newline": ("recipes/a\n", SAVED, "recipes: 'a\\n'", NAME),
    "subject with a newline": (f"{MODEL}/subject", "a\n", "models.embedded-seed0.subject: 'a\\n'", NAME),
    "stratum with a slash": (f"{PANEL}/strata/a\\/b", {"types": [0, 1]}, "panels.heldout.strata: 'a\\\\/b'", NAME),
    "repository with a newline": ("models/a", HUB | {"repo": "a/b\n"}, "models.a.repo: 'a/b\\n'", "owner/name"),
    "repository of three parts": ("models/a", HUB | {"repo": "a/b/c"}, "models.a.repo: 'a/b/c'", "owner/name"),
    "device with a newline": ("probe/device", "cuda\n", "probe.device: 'cuda\\n'", "cpu, cuda, cuda:1, xpu or mps"),
    "unknown device": ("probe/device", "gpu", "probe.device: 'gpu'", "cpu, cuda, cuda:1, xpu or mps"),
    "folder without a step": ("models/a", FOLDER | {"path": "runs/x"}, "models.a.path: 'runs/x'", "{step} once"),
    "folder with two steps": (
        "models/a",
        FOLDER | {"path": "{step}/step{step}"},
        "models.a.path: '{step}/step{step}'",
        "{step} once",
    ),
    "revision with two steps": (
        "models/a",
        HUB | {"revision": "{step}-{step}"},
        "models.a.revision: '{step}-{step}'",
        "{step} once",
    ),
    # Resolution.
    "few resamples": (
        "regimes",
        {"n_resamples": 30, "confidence": 0.99},
        "regimes.n_resamples: 30",
        "199 is the least",
    ),
    "few draws": ("evidence/rule/level", 0.001, "evidence.n_draws: 9999", "24999 is the least"),
    "few permutations": ("set_spectra/strata", [f"s{i}" for i in range(30)], "", "1199 is the least"),
    "few sets for a claim": ("activity/joint_draws", 150, "activity.joint_draws: 150", "at least 199"),
    "runs compared elsewhere": ("evidence/step", 256, "evidence.step: 256", "name it in both"),
    "few refits": ("spectra/refits", 5, "spectra.refits: 5", "0 (not computed) or at least 19"),
    "few synthetic samples": ("spectra/gof_refits", 3, "spectra.gof_refits: 3", "0 (not computed) or at least 9"),
    "step that no model has": ("evidence/step", 300, "evidence.step: 300", "they begin with 0, 1, 2"),
    "change held too long": ("evidence/rule/persistence", 13, "evidence.rule.persistence: 13", "12 checkpoints"),
    "projections of odd length": ("integrity/n_projections", 63, "integrity.n_projections: 63", "a power of two"),
    "few documents": ("corpora/stdlib/max_documents", 5, "corpora.stdlib.max_documents: 5", "12 is the least"),
    # What cannot be together.
    "contexts beyond the model's": (f"{PANEL}/context_length", 256, "panels.heldout.context_length: 256", "of 128"),
    "contexts without targets": (
        f"{PANEL}/min_position",
        127,
        "panels.heldout.context_length: 128",
        "129 is the least",
    ),
    "strata that overlap": (
        f"{PANEL}/strata/rare/mass",
        [0.4, 1.0],
        "panels.heldout.strata.rare: mass",
        "shares token",
    ),
    "question against itself": (f"{QUESTION}/against", "rare", f"{QUESTION}/against: 'rare'", "name another"),
    "stratum less itself": ("regimes/compare", [["rare", "rare"]], "regimes.compare.0: ['rare', 'rare']", "once"),
    "steps after the last": (f"{MODEL}/steps", [0, 2000], "models.embedded-seed0.steps: 2000", "ends at step 1000"),
    "heads that do not divide": (f"{RECIPE}/n_heads", 5, "recipes.tiny-pythia: hidden_size 64", "n_heads 5"),
    "control of itself": ("models/shuffled-seed10/control_of", "shuffled", "", "the model's own subject"),
    "double precision on mps": ("probe", {"device": "mps", "dtype": "float64"}, "probe.dtype: 'float64'", "float32"),
    "placement without the device": (
        "probe/placement",
        {"max_memory_gb": {"0": 8}},
        "probe.placement.max_memory_gb: 0",
        "'cpu' must be among the keys",
    ),
    "the power of the minimal effect": ("evidence/rule/power", 0.9, "evidence.rule: unknown key 'power'", "known: "),
}


def changed(place: str, value: object) -> dict:
    """The default configuration with one value put in place; a mapping beside what is there."""
    config = copy.deepcopy(DEFAULT)
    *sections, last = place.replace("\\/", "\0").split("/")
    part = config
    for name in sections:
        part = part[name]
    last = last.replace("\0", "\\/")
    old = part.get(last)
    part[last] = old | value if isinstance(old, dict) and isinstance(value, dict) else value
    if last == "strata" and isinstance(value, list):  # strata that the panel has
        config["panels"]["heldout"]["strata"] |= {
            name: {"types": [i / len(value), (i + 1) / len(value)]} for i, name in enumerate(value)
        }
    return config


def test_there_are_forty_and_the_default_is_none_of_them():
    assert len(IMPOSSIBLE) >= 40
    check_config(DEFAULT, SCHEMA, sections=SECTIONS, legal=dated_columns())


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_the_impossible_is_refused_with_key_value_and_what_is_allowed(name):
    place, value, begins, allowed = IMPOSSIBLE[name]
    with pytest.raises(RequestError) as caught:
        check_config(changed(place, value), SCHEMA, sections=SECTIONS, legal=dated_columns())
    head, *lines = str(caught.value).splitlines()
    assert head == "the configuration is wrong:"
    begins = begins.replace("/", ".") if begins.startswith("evidence/") else begins
    assert any(line.startswith(f"  - {begins}") and allowed in line for line in lines), lines
