import re

from rare_neurons.checkpoints.manifest import Manifest, ManifestFile
from rare_neurons.stages.plan_work import estimate_work

PANEL = {
    "tokenizer": "bpe",
    "targets_per_stratum": 100,
    "strata": {"common": {}, "rare": {}},
    "max_contexts": 10,
    "context_length": 40,
}
MODELS = {"m": {"tokenizer": "bpe"}}
GOOD = Manifest("m", 0, "hub", "lab/m", files=(ManifestFile("model.safetensors", 2_000_000, "a"),))


def test_the_work_is_two_flop_per_parameter_and_token():
    # 10⁶ parameters in half precision; 10 contexts of 40 tokens, and three tokens' worth for each of 200 targets.
    missing = Manifest("m", 1, "hub", "lab/m", status="missing", reason="no revision")
    text = estimate_work([GOOD, GOOD, missing], MODELS, {"p": PANEL, "other": PANEL | {"tokenizer": "t"}}, "cuda:0")
    assert text.startswith(f"Work of the probes: {2 * 2 * 1e6 * (400 + 600) / 1e15:.3g} PFLOP")
    assert "divide by the speed that cuda:0 reaches" in text


def test_as_many_targets_as_there_are_count_as_the_most():
    found, most = (PANEL | {"targets_per_stratum": n} for n in ("found", 8000))
    assert estimate_work([GOOD], MODELS, {"p": found}, "cuda") == estimate_work([GOOD], MODELS, {"p": most}, "cuda")


def test_on_a_processor_the_time_follows_from_its_speed():
    text = estimate_work([GOOD], MODELS, {"p": PANEL}, "cpu")
    assert re.match(r"Time of the probes: about 0\.0 minutes on one core at \d+ GFLOP/s", text)
    large = Manifest("m", 0, "hub", "lab/m", files=(ManifestFile("model.safetensors", 2 * 10**13, "a"),))
    assert re.search(r"about \d+\.\d hours", estimate_work([large], MODELS, {"p": PANEL}, "cpu"))


def test_a_panel_without_a_limit_cannot_be_estimated():
    panel = {k: v for k, v in PANEL.items() if k != "max_contexts"}
    assert estimate_work([GOOD], MODELS, {"p": panel}, "cpu") == (
        "Time: not estimated, panel p takes all its corpus (no max_contexts)."
    )
