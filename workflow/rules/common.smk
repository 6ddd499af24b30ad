"""What all rules share: the complete configuration, names of models, panels and steps, wildcard constraints.

Requires: what is measured, in config/config.yaml or the files of --configfile (of the outer workflow, as a module); how it
is measured stands in config/analysis.yaml beneath. Nothing here imports torch: every cluster job parses it again.
"""

import atexit
import gc
import os
import re
import sys
from glob import glob
from pathlib import Path

import yaml

# The package is the workflow's own, whether or not it is installed beside Snakemake; jobs inherit it.
SOURCE = str(Path(workflow.current_basedir).parents[1] / "src")
if Path(SOURCE).is_dir() and SOURCE not in sys.path:
    sys.path.insert(0, SOURCE)
    others = filter(None, os.environ.setdefault("PYTHONPATH", "").split(os.pathsep))
    os.environ.update(PYTHONPATH=os.pathsep.join([SOURCE, *others]))

from rare_neurons.catalogue import JUDGED_ACTIVITY, METRICS, RULES, TABLES, VERSIONS
from rare_neurons.checkpoints.sources import regular_files
from rare_neurons.configuration import (
    SECTIONS,
    check_config,
    complete_config,
    dated_columns,
)
from rare_neurons.configuration.batches import batches, sizes_of, trainings
from rare_neurons.errors import RequestError
from rare_neurons.figures.registry import FIGURES
from rare_neurons.origins.asked import OTHERS, Asked, paths_of, steps_asked
from rare_neurons.stages.resolve import source_of

# The DAG of a large sweep is millions of objects without garbage: looking for it less often saves a quarter of the CPU.
gc.set_threshold(20_000, 50, 50)
# Nor do they have to be taken apart one by one at the end, which is a fifth of a large re-run.
atexit.register(gc.freeze)

# glibc gives large blocks back at once and asks for them again in every step; keeping them is worth 1.2-1.6x.
os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", "4000000000")
os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", "8000000000")
os.environ.setdefault("MALLOC_TOP_PAD_", "268435456")


def beside(path: str) -> dict:
    """A YAML file of this repository: as a module of another workflow, this one runs in that one's folder."""
    return yaml.safe_load(Path(workflow.source_path(path)).read_text(encoding="utf-8"))


def completed(configuration: dict) -> dict:
    """The configuration on top of how things are measured, with defaults, checked."""
    schema = beside("../schemas/config.schema.yaml")
    whole = complete_config(schema, beside("../../config/analysis.yaml"), configuration)
    try:
        check_config(whole, schema, sections=SECTIONS, legal=dated_columns())
    except RequestError as error:
        raise WorkflowError(str(error)) from None
    return whole


# A new mapping: that of an outer workflow is its own.
config = completed(config)
RESULTS = config["results"].rstrip("/")
PRETRAINED = [
    name for name, entry in config["models"].items() if entry["source"] == "pretrain"
]
# Inputs and outputs are kept where only Snakemake's plugin can look, and every job has copies of its own.
FAR = workflow.storage_settings.default_storage_provider is not None


try:
    STEPS = steps_asked(config, listing=not FAR)
except RequestError as error:
    raise WorkflowError(str(error)) from None


ASKED = Asked(config, STEPS)
# Figures all of whose tables are asked for.
DRAWN = [one for one in FIGURES if all(map(ASKED.is_asked, one.tables))]
# Words of the rules for what is asked.
panels_of, members, controls = ASKED.panels_of, ASKED.members, ASKED.controls
judged_models = ASKED.judged


def per_checkpoint(pattern: str, model: str) -> list[str]:
    """Paths of one kind of shard for all checkpoints (and panels, where the pattern has them) of a model."""
    panels = panels_of(model) if "{panel}" in pattern else [None]
    return [
        pattern.format(panel=p, model=model, step=s, results=RESULTS)
        for p in panels
        for s in STEPS[model]
    ]


def shards_of(name: str, model: str) -> list[str]:
    """All shards of one table of a model, at the checkpoints, or intervals, at which it is measured."""
    return [f"{RESULTS}/{path}" for path in paths_of(ASKED.of_checkpoints(name, model))]


PATH = {name: f"{RESULTS}/{table.path}" for name, table in TABLES.items()}
TIMELINE = f"{RESULTS}/timelines/{{quantity}}/{{model}}.parquet"


MANIFEST, TOKENIZER, RECIPE = (
    f"{RESULTS}/{OTHERS[name]}" for name in ("manifest", "tokenizer", "pretrain")
)
TRAINED = f"{RESULTS}/pretrain/{{model}}/step{{step}}"
TRAININGS = trainings({name: STEPS[name] for name in PRETRAINED})
BATCHES = batches(STEPS, sizes_of(config["models"], config["jobs"]["checkpoints"]))


def ask_for_batches(found=(*BATCHES, *TRAININGS)) -> None:
    """What a profile asks for a rule (`set-resources`, `set-threads`) holds for the rules of all its batches."""
    settings = workflow.resource_settings
    for asked in (
        settings._parsed_overwrite_resources,
        settings._parsed_overwrite_threads,
    ):
        for name in tuple(asked):
            for batch in found:
                asked.setdefault(batch.rule(name), asked[name])


ask_for_batches()


def one_of(models) -> str:
    """Constraint of a wildcard to these names; without any it fits nothing."""
    return "|".join(map(re.escape, models)) or "[^/]{0}"


def tables_of(name: str, batch=None) -> dict:
    """Outputs by the catalogue under the last part of each table's name: a path, or one for each step of a batch."""
    (entry,) = (entry for entry in RULES if entry.name == name)
    paths = {table.name.split("/")[-1]: PATH[table.name] for table in entry.tables}
    if batch is None:
        return paths
    return {k: paths_of_job(batch, v) for k, v in paths.items()}


def paths_of_job(batch, pattern: str) -> str | list[str]:
    """Paths of one kind of file for a job: one where each job measures one, as Snakemake keeps a list for each list."""
    paths = batch.paths(pattern)
    return paths[0] if batch.one_by_one else paths


def named(**inputs) -> dict:
    """Inputs without those of which there are none: Snakemake keeps a list of each job for each."""
    return {name: paths for name, paths in inputs.items() if paths != []}


def local_files(wildcards) -> list[str]:
    """Local text files of a corpus: an edit of one is an edit of the corpus."""
    patterns = config["corpora"][wildcards.corpus].get("paths", [])
    return [
        beside_workflow(path)
        for path in sorted(path for pattern in patterns for path in glob(pattern))
    ]


def beside_workflow(path: str) -> str:
    """A file that lies where the workflow was started, wherever results are kept: what reads it runs there too."""
    return local(path) if FAR else path


def corpus_path(entry: dict, name: str) -> str:
    """Path of a corpus table for the corpus and tokenizer of a panel, or of a model that is trained here."""
    return PATH[f"corpus/{name}"].format(
        corpus=entry["corpus"], tokenizer=entry["tokenizer"]
    )


def corpus_table(name: str):
    """Path of a corpus table by a rule's panel."""
    return lambda w: corpus_path(config["panels"][w.panel], name)


def training_table(name: str):
    """Path of a corpus table by a rule's model."""
    return lambda w: corpus_path(config["models"][w.model], name)


def of_hub(batch) -> bool:
    """Whether all checkpoints of a batch come from the Hub."""
    return all(config["models"][model]["source"] == "hub" for model in batch.models)


def files_of_checkpoints(batch):
    """Input of a batch's `resolve`: local files of its checkpoints."""
    # A function of wildcards is called for every job, also where there is nothing to say.
    if of_hub(batch):
        return []
    return lambda w: [
        path for m, step in batch.pairs_of(w) for path in checkpoint_files(m, int(step))
    ]


def folders_of_checkpoints(batch):
    """Input of what opens weights: folders of a batch's checkpoints that a job must be given, as it shares no disk."""
    if not FAR:
        return []
    return lambda w: [
        path
        for m, step in batch.pairs_of(w)
        for path in checkpoint_folder(m, int(step))
    ]


def checkpoint_folder(model: str, step: int) -> list[str]:
    """Folder of a checkpoint, as an input; weights of the Hub come through the cache."""
    entry = config["models"][model]
    if entry["source"] == "hub":
        return []
    return [str(source_of(entry, f"{RESULTS}/pretrain/{model}").folder(step))]


def ends_of(batch, side: int):
    """Manifests of the checkpoints before (0) or after (1) the intervals of a batch."""
    return lambda w: [
        MANIFEST.format(model=m, step=interval.split("-")[side])
        for m, interval in batch.pairs_of(w)
    ]


def folders_of_intervals(batch, side: int):
    """Folders of those checkpoints that a job must be given, as it shares no disk."""
    if not FAR:
        return []
    return lambda w: [
        path
        for m, interval in batch.pairs_of(w)
        for path in checkpoint_folder(m, int(interval.split("-")[side]))
    ]


def folders_between(batch):
    """The same of checkpoints inside intervals."""
    if not FAR:
        return []
    return lambda w: [
        path
        for m, interval in batch.pairs_of(w)
        if (step := ASKED.between(m, interval)) is not None
        for path in checkpoint_folder(m, step)
    ]


def between_of(batch):
    """Manifest of the checkpoint inside each interval of a batch; None where none is asked for."""
    return lambda w: [
        None if step is None else MANIFEST.format(model=m, step=step)
        for m, step in ((m, ASKED.between(m, one)) for m, one in batch.pairs_of(w))
    ]


def checkpoint_files(model: str, step: int) -> list[str]:
    """Local files of a checkpoint; one that is repaired or replaced is looked at again."""
    entry = config["models"][model]
    if entry["source"] == "hub" or FAR:
        return []
    if entry["source"] == "pretrain":
        return [RECIPE.format(model=model)]
    folder = source_of(entry, "").folder(step)
    return [str(folder / name) for name in regular_files(folder)]


def null_tables_of(wildcards) -> list[str] | str:
    """Null tables of the regime test, where the number of neurons is known beforehand."""
    n = ASKED.n_neurons(wildcards.model)
    return [] if n is None else PATH["null_tables"].format(n_neurons=n)


def contrasted_strata(panel: str) -> list[str]:
    """The stratum that a question is about and the one it goes against; without any, the last and the first."""
    known = list(config["panels"][panel]["strata"])
    asked = [
        [question["stratum"], question["against"]]
        for question in config["evidence"]["questions"].values()
        if {question["stratum"], question.get("against")} <= set(known)
    ]
    return [*asked, [known[-1], known[0]]][0]


def tokens_per_step(wildcards) -> int | None:
    """Training tokens per step, where they are known."""
    return ASKED.tokens_per_step(wildcards.model)


wildcard_constraints:
    corpus="[^/]+",
    tokenizer="[^/]+",
    panel="[^/]+",
    model="[^/]+",
    step=r"\d+",
    interval=r"\d+-\d+",
