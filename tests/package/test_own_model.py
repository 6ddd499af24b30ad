"""The page about one's own model, followed: the Trainer trains, `init` configures, one run is dated and has its atlas.

Four runs stand for eight: each pair of family, number format and file format occurs once among them.
"""

import itertools
import json
import re

import pytest
import torch
import yaml
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM

from rare_neurons import load_integrity, load_shards, load_timeline
from rare_neurons.cli.own import Wanted, written_config
from tests.workflow.project import ROOT, Project, make_project

pytestmark = [pytest.mark.package, pytest.mark.pipeline]

PAGE = (ROOT / "docs/own-model.md").read_text()
GPT2 = "GPT2Config(vocab_size=len(tokenizer), n_positions=64, n_embd=24, n_layer=1, n_head=2)"
NEOX = (
    "GPTNeoXConfig(vocab_size=len(tokenizer), max_position_embeddings=64, hidden_size=24, num_hidden_layers=1, "
    "num_attention_heads=2, intermediate_size=40)"
)
STEPS = list(range(8, 80, 8))  # nine even ones
EIGHT = STEPS[:8]
ENDS = [STEPS[0], STEPS[-2]]
# Name: the run of the Trainer, which writes float32 and safetensors; number format, file format, steps.
RUNS = {
    "my-model": ("my-model", "float", "safetensors", STEPS),
    "gpt2-half-saved": ("my-model", "half", "bin", EIGHT),
    "neox-saved": ("neox", "float", "bin", EIGHT),
    "neox-half": ("neox", "half", "safetensors", EIGHT),
}
# The same weights as a run above, in the other file format.
TWINS = {
    "my-model": ("gpt2-saved", "my-model", "float", "bin"),
    "gpt2-half-saved": ("gpt2-half", "my-model", "half", "safetensors"),
    "neox-saved": ("neox", "neox", "float", "safetensors"),
    "neox-half": ("neox-half-saved", "neox", "half", "bin"),
}
TESTED = {"behaviour": ["step", "stratum", "loss"], "spectra": ["step", "layer", "matrix", "alpha"]}
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
    if target.exists():  # the Trainer's own
        return
    target.mkdir(parents=True)
    model = getattr(AutoModelForCausalLM.from_pretrained(source), number)()
    if kind == "safetensors":
        model.save_pretrained(target)
    else:
        model.config.save_pretrained(target)
        torch.save(model.state_dict(), target / "pytorch_model.bin")


def configurations(folder) -> dict[str, str]:
    """What `init` writes for each run."""
    with pytest.MonkeyPatch.context() as here:
        here.chdir(folder)
        return {name: written_config(Wanted(f"runs/{name}", tokenizer="tokenizer")) for name in RUNS}


def write_layers(folder, texts: dict[str, str]) -> None:
    """The first run's configuration, and the other runs beside it, on the same panel."""
    (folder / "own.yaml").write_text(texts["my-model"])
    (folder / "quick.yaml").write_text(json.dumps(QUICK))
    entries = {name: yaml.safe_load(text)["models"][name] | {"tokenizer": "my-model"} for name, text in texts.items()}
    (folder / "more.yaml").write_text(json.dumps({"models": entries}))
    twins = {one[0]: entries[name] | {"path": f"runs/{one[0]}/checkpoint-{{step}}"} for name, one in TWINS.items()}
    (folder / "twins.yaml").write_text(json.dumps({"models": {n: e | {"steps": ENDS} for n, e in twins.items()}}))


@pytest.fixture(scope="module")
def measured(tmp_path_factory) -> Project:
    """A folder with texts and a tokenizer in which the page was followed, for each of the four runs."""
    project = make_project(tmp_path_factory.mktemp("own") / "project")
    (project.folder / "tokenizer").mkdir()
    make_tokenizer(project.folder)
    (project.folder / "train").symlink_to("texts")
    train_as_the_page_does(project)
    runs = project.folder / "runs"
    for name, (model, number, kind, steps) in RUNS.items():
        for step in steps:
            convert(runs / f"{model}/checkpoint-{step}", runs / f"{name}/checkpoint-{step}", number, kind)
    for name, model, number, kind in TWINS.values():
        for step in ENDS:
            convert(runs / f"{model}/checkpoint-{step}", runs / f"{name}/checkpoint-{step}", number, kind)
    write_layers(project.folder, configurations(project.folder))
    project.run("--configfile", "own.yaml", "quick.yaml", "more.yaml", "--", "results/atlas.html")
    twins = [f"{one[0]}/step{step}.parquet" for one in TWINS.values() for step in ENDS]
    shards = [f"results/{table}/{twin}" for table in ("behaviour/heldout", "spectra") for twin in twins]
    project.run("--configfile", "own.yaml", "quick.yaml", "twins.yaml", "--", *shards)
    return project


def test_the_configuration_has_at_most_ten_lines_and_no_checkpoint_a_tokenizer(measured):
    for text in configurations(measured.folder).values():
        assert len([line for line in text.splitlines() if not line.startswith("#")]) <= 10
    names = {path.name for path in measured.folder.glob("runs/*/checkpoint-*/*")}
    assert {"config.json", "model.safetensors", "pytorch_model.bin"} <= names
    assert "tokenizer.json" not in names


def test_each_pair_of_family_number_format_and_file_format_is_among_the_runs(measured):
    found = {}
    for name, (model, number, kind, _) in RUNS.items():
        folder = measured.folder / f"runs/{name}/checkpoint-{ENDS[0]}"
        config = json.loads((folder / "config.json").read_text())
        assert config["model_type"] == {"my-model": "gpt2", "neox": "gpt_neox"}[model]
        assert (folder / "model.safetensors").is_file() == (kind == "safetensors")
        (dtype,) = {value.dtype for value in AutoModelForCausalLM.from_pretrained(folder).state_dict().values()}
        assert dtype == {"half": torch.float16, "float": torch.float32}[number]
        found[name] = (model, number, kind)
    for i, j in itertools.combinations(range(3), 2):
        assert len({(levels[i], levels[j]) for levels in found.values()}) == 4


@pytest.mark.parametrize("model", RUNS)
def test_one_run_is_dated_at_the_tier_of_one_run(measured, model):
    results, steps = measured.folder / "results", RUNS[model][-1]
    verdicts = load_integrity(results, models=model, format="arrow").to_pylist()
    assert [verdict["step"] for verdict in verdicts] == steps
    assert not any(verdict["quarantined"] for verdict in verdicts)
    evidence = load_timeline(results, "evidence", models=model, format="arrow").to_pylist()
    assert {row["tier"] for row in evidence if row["holds"]} == {"run"}
    dated = [
        row
        for row in load_timeline(results, "onsets", models=model, format="arrow").to_pylist()
        if row["status"] == "dated"
    ]
    assert "loss on rare tokens" in {row["question"] for row in dated}
    assert all(steps[0] <= row["after"] < row["by"] <= steps[-1] for row in dated)


def test_the_atlas_shows_what_was_measured_and_says_what_was_not(measured):
    page = (measured.folder / "results/atlas.html").read_text()
    verdict = page[page.index('id="view-verdict"') : page.index('id="view-claims"')]
    for model in RUNS:
        assert re.search(rf"{model}.{{0,200}}[Ll]oss on rare tokens falls", verdict, flags=re.DOTALL), model
    for view in ("claims", "timelines", "neurons", "portrait", "matrices"):
        assert f'data-view="{view}"' in page
    for view, section in (("layers", "layers"), ("account", "allocation")):
        shown = page[page.index(f'id="view-{view}"') :].split("</section>")[0]
        assert 'class="nothing"' in shown
        assert f"the section &#x27;{section}&#x27; of the configuration asks for it" in shown


@pytest.mark.parametrize("model", RUNS)
def test_neurons_come_from_the_checkpoint_and_regimes_are_tested(measured, model):
    n_neurons = 40 if model.startswith("neox") else 96
    assert (measured.folder / f"results/null_tables/{n_neurons}.parquet").is_file()
    rows = load_timeline(measured.folder / "results", "regimes", models=model, format="arrow").to_pylist()
    assert rows
    assert "no_null_table" not in {row["status"] for row in rows}


@pytest.mark.parametrize("name", RUNS)
def test_the_same_weights_give_the_same_results_however_they_were_saved(measured, name):
    """`torch.save` names a tied embedding twice, and GPT-NeoX's unembedding otherwise than its own checkpoints."""
    for table, columns in TESTED.items():
        one, other = (
            load_shards(measured.folder / "results", table, models=model, steps=ENDS, columns=columns, format="arrow")
            for model in (name, TWINS[name][0])
        )
        assert one.num_rows
        assert set(one["step"].to_pylist()) == set(ENDS)
        assert one.to_pydict() == other.to_pydict()
