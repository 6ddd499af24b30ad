"""A copy of the workflow in a folder of its own, with a model that trains in seconds."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from rare_neurons.configuration import complete_config
from tests.workflow.warm import LIMIT_S, Done, warm
from tools.configuration import SCHEMA, read_yaml

ROOT = Path(__file__).parents[2]
RULE = re.compile(r"^(?:local)?rule (\w+?)(?:_\d+_\d+)?:", re.MULTILINE)
"""Names of rules; those of a batch of checkpoints without its steps."""
NO_FIGURES = ("--omit-from", "figures", "atlas")
"""Arguments of a run that makes all tables; figures and the atlas, and what waits for them, are most of its cost."""
OF_TEXT = ("text", "tokenizer", "corpus", "panel", "null_tables")
"""Folders of results that no checkpoint enters."""
TEXTS = (
    *("base64", "bdb", "calendar", "cmd", "contextlib", "copy", "csv", "fileinput", "fractions", "gettext", "gzip"),
    *("heapq", "mimetypes", "plistlib", "pprint", "pstats", "random", "selectors", "shlex", "socketserver", "string"),
    *("tempfile", "textwrap", "tokenize", "trace", "uuid", "weakref"),
)
"""Modules of the standard library whose text is the corpus: of like size, so that a panel fills its twelve folds."""

CONFIG = {
    "cache": {"disk_gb": 1},
    "corpora": {"texts": {"source": "text", "paths": ["texts/*.txt"]}},
    "tokenizers": {"bpe": {"source": "train", "corpus": "texts", "vocab_size": 400}},
    "recipes": {
        "tiny": {
            "hidden_size": 32,
            "n_layers": 1,
            "n_heads": 2,
            "mlp_size": 64,
            "context_length": 32,
            "batch_size": 8,
            "n_steps": 4,
            "learning_rate": 0.005,
            "weight_decay": 0.01,
        }
    },
    "models": {
        "tiny-seed0": {
            "source": "pretrain",
            "tokenizer": "bpe",
            "corpus": "texts",
            "recipe": "tiny",
            "seed": 0,
            "steps": [0, 2, 4],
            "subject": "tiny",
        }
    },
    "layers": {"steps": [0, "last"], "contexts": 24, "n_top": 2, "n_random": 9, "target_draws": 1},
    "activity": {
        "steps": ["last"],
        "rows": 100,
        "targets": 40,
        "n_permutations": 99,
        "joint_draws": 0,
        "candidates": 2,
        "example_neurons": 1,
        "examples": 2,
    },
    "allocation": {"steps": [0, "last"], "contexts": 24, "strata": ["rare"]},
    "regimes": {"n_draws": 100, "n_bins": 12, "n_resamples": 50},
    "panels": {
        "heldout": {
            "corpus": "texts",
            "tokenizer": "bpe",
            "strata": {"common": {"mass": [0.0, 0.5]}, "mid": {"mass": [0.5, 0.9]}, "rare": {"mass": [0.9, 1.0]}},
            "context_length": 32,
            "max_contexts": 256,
            "max_contexts_per_document": 10,
            "targets_per_stratum": 150,
            "max_targets_per_type": 20,
            "max_targets_per_document": 12,
            "min_position": 4,
            "token_role": "target",
            "seed": 0,
        }
    },
}


@dataclass
class Project:
    """A checkout's workflow, run by the real Snakemake."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    own_processes: bool = False
    """Whether `run` starts a process for every job, as users do; most of what a tiny job costs are its imports."""

    def configure(self, **sections: object) -> dict:
        """Write config/config.yaml from `CONFIG` and the given sections; return what is complete (unchecked)."""
        upper = CONFIG | sections
        (self.folder / "config/config.yaml").write_text(yaml.safe_dump(upper, sort_keys=False))
        return complete_config(SCHEMA, read_yaml("config/analysis.yaml"), upper)

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]

    def environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(self.folder / "src"), "PYTHONUNBUFFERED": "1", **self.variables}

    def run(
        self, *arguments: str, expect: int | None = 0, own_processes: bool | None = None
    ) -> subprocess.CompletedProcess | Done:
        if self.own_processes if own_processes is None else own_processes:
            done = subprocess.run(
                self.command(*arguments),
                cwd=self.folder,
                env=self.environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=LIMIT_S,
            )
        else:
            done = self.start_warm("tools.inside", "--cores", "1", *arguments)
        if expect is not None:
            assert done.returncode == expect, done.stdout[-6000:]
        return done

    def start_warm(self, *arguments: str) -> Done:
        """Run a module in this folder, on this folder's package."""
        environment = self.environment()
        environment["PYTHONPATH"] += f"{os.pathsep}{ROOT}"
        return warm().run([*arguments], self.folder, environment)

    def rules_run(self, *arguments: str) -> Counter:
        """Run, and count the jobs of each rule."""
        return Counter(RULE.findall(self.run(*arguments).stdout))

    def check(self, *arguments: str) -> Done:
        """Check the results as a user does."""
        return self.start_warm("rare_neurons.check", "results", *arguments)

    def rewrite(self, path: str, old: str, new: str) -> None:
        file = self.folder / path
        text = file.read_text()
        assert old in text, f"{old!r} is not in {path}"
        file.write_text(text.replace(old, new))

    def hurry(self) -> None:
        """Try the network again after moments; the waits themselves are in `tests/checkpoints/test_retry.py`."""
        self.rewrite("src/rare_neurons/checkpoints/retry.py", "first_wait_s: float = 1.0", "first_wait_s: float = 0.05")

    def raise_version(self, rule: str) -> None:
        """Say that a rule computes something else than before."""
        file = self.folder / "src/rare_neurons/catalogue.py"
        entry = rf'(Rule\(\s*"{rule}",\s*version=)(\d+)'
        text, n = re.subn(entry, lambda m: f"{m[1]}{int(m[2]) + 1}", file.read_text())
        assert n == 1, f"no version of {rule} in {file}"
        file.write_text(text)

    def tables(self) -> dict[str, bytes]:
        """Bytes of every Parquet file of the results."""
        root = self.folder / "results"
        return {p.relative_to(root).as_posix(): p.read_bytes() for p in sorted(root.glob("[!.]*/**/*.parquet"))}


def make_project(folder: Path, **sections: object) -> Project:
    """Copy the workflow and write a small corpus from the standard library's own text."""
    for name in ("workflow", "profiles", "config", "src"):  # with the bytecode, which is valid for files of equal times
        # Bytecode that is being written has such a name until it is whole.
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.pyc.*"))
    shutil.copy(ROOT / "Snakefile", folder / "Snakefile")
    (folder / "texts").mkdir()
    library = Path(os.__file__).parent
    for name in TEXTS:
        shutil.copy(library / f"{name}.py", folder / "texts" / f"{name}.txt")
    project = Project(folder)
    project.configure(**sections)
    return project


def copy_project(project: Project, folder: Path) -> Project:
    """Copy a project with its results and Snakemake's records, times of files included."""
    shutil.copytree(project.folder, folder, symlinks=True)
    return Project(folder)
