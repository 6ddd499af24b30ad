"""The page about one's own model, followed: the Trainer trains, `init` configures, one run is dated.

Also the same in the other family, in float16, and as `torch.save` writes weights.
"""

import json
import re

import pytest
import torch
import yaml
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM

from rare_neurons import load_integrity, load_timeline
from rare_neurons.cli.own import Wanted, written_config
from tests.workflow.project import ROOT, Project, make_project

pytestmark = pytest.mark.pipeline

PAGE = (ROOT / "docs/own-model.md").read_text()
GPT2 = "GPT2Config(vocab_size=len(tokenizer), n_positions=64, n_embd=24, n_layer=1, n_head=2)"
NEOX = (
    "GPTNeoXConfig(vocab_size=len(tokenizer), max_position_embeddings=64, hidden_size=24, num_hidden_layers=1, "
    "num_attention_heads=2, intermediate_size=40)"
)
STEPS = list(range(8, 80, 8))  # nine even ones
DATED = ("my-model", "neox-half-saved")
ENDS = [STEPS[0], STEPS[-1]]
# Name: source, number format, file format, steps.
VARIANTS = {
    "neox-half-saved": ("neox", "half", "bin", STEPS),
    "neox-half": ("neox", "half", "safetensors", ENDS),
    "gpt2-saved": ("my-model", "float", "bin", ENDS),
}
# What is left out of the defaults is time, not a quantity.
QUICK = {
    "jobs": {"checkpoints": 9},
    "regimes": {"n_draws": 100, "n_bins": 12, "n_resamples": 50},
    "spectra": {"refits": 0, "likelihood_ratios": False, "farms_windows": 0, "shuffles": 0},
    "panels": {"heldout": {"max_contexts": 160}},
    "probe": {"placebo_draws": 2},
}


def make_tokenizer(folder) -> None:
    """A tokenizer of a vocabulary that no other test has."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    texts = [path.read_text() for path in sorted((folder / "texts").iterdir())]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=512, special_tokens=["</s>"], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.save(str(folder / "tokenizer/tokenizer.json"))


def train_as_the_page_does(project: Project) -> None:
    """Run the page's code, smaller, and once more for the other family."""
    (code,) = [text for text in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL) if "Trainer(" in text]
    assert "max_steps=400, save_steps=50" in code
    assert re.search(r"GPT2Config\(vocab_size=len\(tokenizer\), n_positions=64", code)
    code = code.replace("max_steps=400, save_steps=50", "max_steps=72, save_steps=8, report_to=[], use_cpu=True")
    code = re.sub(r"GPT2Config\(.*\)", GPT2, code.replace("learning_rate=5e-3", "learning_rate=2e-2"))
    other = (
        code.replace(GPT2, NEOX)
        .replace("GPT2LMHeadModel", "GPTNeoXForCausalLM")
        .replace("GPT2", "GPTNeoX")
        .replace("my-model", "neox")
    )
    (project.folder / "training.py").write_text(f"{code}\n{other}")
    done = project.start_warm("training")
    assert done.returncode == 0, done.stdout[-3000:]


def convert(source, target, number: str, kind: str) -> None:
    """Save a checkpoint once more, in another number format and another file format."""
    model = getattr(AutoModelForCausalLM.from_pretrained(source), number)()
    if kind == "safetensors":
        model.save_pretrained(target)
    else:
        model.config.save_pretrained(target)
        torch.save(model.state_dict(), target / "pytorch_model.bin")


@pytest.fixture(scope="module")
def measured(tmp_path_factory) -> Project:
    """A folder with texts and a tokenizer in which the page was followed, and the variants measured too."""
    project = make_project(tmp_path_factory.mktemp("own") / "project")
    (project.folder / "tokenizer").mkdir()
    make_tokenizer(project.folder)
    (project.folder / "train").symlink_to("texts")
    train_as_the_page_does(project)
    with pytest.MonkeyPatch.context() as here:
        here.chdir(project.folder)
        (project.folder / "own.yaml").write_text(written_config(Wanted("runs/my-model", tokenizer="tokenizer")))
    for name, (model, number, kind, steps) in VARIANTS.items():
        for step in steps:
            at = project.folder / f"runs/{name}/checkpoint-{step}"
            at.mkdir(parents=True)
            convert(project.folder / f"runs/{model}/checkpoint-{step}", at, number, kind)
    entry = yaml.safe_load((project.folder / "own.yaml").read_text())["models"]["my-model"]
    more = {name: {**entry, "path": f"runs/{name}/checkpoint-{{step}}"} for name in VARIANTS}
    (project.folder / "quick.yaml").write_text(json.dumps(QUICK))
    (project.folder / "more.yaml").write_text(json.dumps({"models": more}))
    tables = [f"results/timelines/evidence/{name}.parquet" for name in DATED]
    tables += [f"results/timelines/{table}/{name}.parquet" for name in VARIANTS for table in ("regimes", "spectra")]
    tables.append("results/timelines/regimes/my-model.parquet")
    project.run("--configfile", "own.yaml", "quick.yaml", "more.yaml", "--", *tables)
    project.run("--configfile", "own.yaml", "quick.yaml", "--", "results/atlas.html")
    return project


def test_the_configuration_has_at_most_ten_lines_and_no_checkpoint_a_tokenizer(measured):
    lines = [line for line in (measured.folder / "own.yaml").read_text().splitlines() if not line.startswith("#")]
    assert len(lines) <= 10
    names = {path.name for path in measured.folder.glob("runs/*/checkpoint-*/*")}
    assert {"config.json", "model.safetensors", "pytorch_model.bin"} <= names
    assert "tokenizer.json" not in names


@pytest.mark.parametrize("model", DATED)
def test_one_run_is_dated_at_the_tier_of_one_run(measured, model):
    results = measured.folder / "results"
    verdicts = load_integrity(results, models=model, format="arrow").to_pylist()
    assert [verdict["step"] for verdict in verdicts] == STEPS
    assert not any(verdict["quarantined"] for verdict in verdicts)
    evidence = load_timeline(results, "evidence", models=model, format="arrow").to_pylist()
    assert {row["tier"] for row in evidence if row["holds"]} == {"run"}
    dated = [
        row
        for row in load_timeline(results, "onsets", models=model, format="arrow").to_pylist()
        if row["status"] == "dated"
    ]
    assert "loss on rare tokens" in {row["question"] for row in dated}
    assert all(STEPS[0] <= row["after"] < row["by"] <= STEPS[-1] for row in dated)


def test_the_atlas_shows_what_was_measured_and_says_what_was_not(measured):
    page = (measured.folder / "results/atlas.html").read_text()
    assert "<h1>Atlas of my-model</h1>" in page
    verdict = page[page.index('id="view-verdict"') : page.index('id="view-claims"')]
    assert re.search(r"[Ll]oss on rare tokens falls", verdict)
    for view in ("claims", "timelines", "neurons", "portrait", "matrices"):
        assert f'data-view="{view}"' in page
    for view, section in (("layers", "layers"), ("account", "allocation")):
        shown = page[page.index(f'id="view-{view}"') :].split("</section>")[0]
        assert 'class="nothing"' in shown
        assert f"the section &#x27;{section}&#x27; of the configuration asks for it" in shown


@pytest.mark.parametrize(("model", "n_neurons"), [("my-model", 96), ("neox-half-saved", 40)])
def test_neurons_come_from_the_checkpoint_and_regimes_are_tested(measured, model, n_neurons):
    assert (measured.folder / f"results/null_tables/{n_neurons}.parquet").is_file()
    rows = load_timeline(measured.folder / "results", "regimes", models=model, format="arrow").to_pylist()
    assert "no_null_table" not in {row["status"] for row in rows}


@pytest.mark.parametrize("pair", [("neox-half-saved", "neox-half"), ("my-model", "gpt2-saved")])
def test_the_same_weights_give_the_same_results_however_they_were_saved(measured, pair):
    """`torch.save` names a tied embedding twice, and GPT-NeoX's unembedding otherwise than its own checkpoints."""
    results = measured.folder / "results"
    for table, keys in (("behaviour", ["step", "stratum"]), ("spectra", ["step", "layer", "matrix"])):
        column = {"behaviour": "loss", "spectra": "alpha"}[table]
        one, other = (
            load_timeline(results, table, models=name, steps=ENDS, columns=[*keys, column], format="arrow").to_pydict()
            for name in pair
        )
        assert one == other
        assert set(one["step"]) == set(ENDS)
