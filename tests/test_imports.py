"""Imports point one way (docs: the layout's import direction); each line is checked in a process of its own."""

import ast
import graphlib
import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import rare_neurons

HEAVY = ("torch", "transformers", "datasets", "matplotlib", "pandas", "snakemake", "weightwatcher")
OURS = tuple(f"rare_neurons.{part}" for part in ("stages", "models", "results", "figures", "replication"))
RULES = {
    "numerics": (*HEAVY, "pyarrow", *OURS, "rare_neurons.tables", "rare_neurons.checkpoints"),
    "checkpoints": (*HEAVY, "pyarrow", *OURS, "rare_neurons.tables", "rare_neurons.numerics"),
    "families": (*HEAVY, "pyarrow", *OURS, "rare_neurons.checkpoints"),
    "tables": (*HEAVY, *OURS, "rare_neurons.numerics", "rare_neurons.checkpoints"),
    "catalogue": (*HEAVY, "numpy", "pyarrow", *OURS),
    "columns": (*HEAVY, "numpy", "pyarrow", *OURS),
    "origins": (*HEAVY, *OURS, "rare_neurons.numerics"),
    "origins.asked": (*HEAVY, "pyarrow", *OURS),
    "results": (*HEAVY, "scipy", "rare_neurons.models", "rare_neurons.stages", "rare_neurons.numerics"),
    "selection": (*HEAVY, "scipy", *OURS, "rare_neurons.numerics"),
    "figures": ("torch", "transformers", "snakemake", "rare_neurons.models", "rare_neurons.stages"),
    "atlas": ("torch", "transformers", "snakemake", "rare_neurons.models", "rare_neurons.stages"),
    "atlas.registry": (*HEAVY, "numpy", "pyarrow", "altair", "rare_neurons.results"),
    "figures.registry": (*HEAVY, "numpy", "pyarrow", "rare_neurons.results"),
    "api": ("snakemake", "weightwatcher", "datasets"),
    "replication": ("torch", "transformers", "snakemake", "rare_neurons.models", "rare_neurons.stages"),
    "models": ("snakemake", "matplotlib", "rare_neurons.stages", "rare_neurons.tables"),
    "stages.spectra": ("torch", "transformers", "snakemake", "matplotlib"),
    "stages.resolve": ("torch", "transformers", "snakemake", "pyarrow"),
    "stages.metric": ("torch", "transformers", "snakemake", "matplotlib"),
    "configuration": (*HEAVY, *OURS),
    "cli": (*HEAVY, *OURS, "rare_neurons.numerics"),
    "house": (*HEAVY, "numpy", "pyarrow", *OURS),
}

TOPICS = {
    "panel": {"grid"},
    "influence": {"grid"},
    "spectra": set(),
    "regimes": {"grid", "influence", "spectra"},
    "integrity": set(),
    "organisation": set(),
    "kinds": set(),
    "grid": set(),
    "evidence": {"grid"},
    "layers": {"evidence", "grid", "panel"},
    "allocation": {"grid", "panel"},
    "claims": {"evidence"},
    "wording": {"claims", "evidence", "layers"},
}
"""Topics of numerics, and those that each may import."""


def modules_of(name: str) -> list[str]:
    """A module and, where it is a package, all that is in it."""
    path = Path(rare_neurons.__file__).parent.joinpath(*name.split("."))
    full = f"rare_neurons.{name}"
    return [full] + [m.name for m in pkgutil.walk_packages([str(path)], f"{full}.")] if path.is_dir() else [full]


FORKS = """
import importlib, json, os, sys
cases, levels, path = json.load(sys.stdin)
sys.path[:0] = path
def loaded(name):
    return any(m == name or m.startswith(name + ".") for m in sys.modules)
def fits(forbidden):
    return not any(map(loaded, forbidden))
for level, warm in enumerate(levels):
    for name in warm:
        importlib.import_module(name)
    for part, modules, forbidden, due in cases:
        if due == level:
            assert fits(forbidden), (part, "is forbidden what is imported before it")
            if not os.fork():
                for name in modules:
                    importlib.import_module(name)
                print(json.dumps([part, [f for f in forbidden if loaded(f)]]), flush=True)
                os._exit(0)
            assert os.wait()[1] == 0, part
"""
LEVELS = (
    [],
    ["numpy"],
    ["scipy.linalg", "scipy.optimize", "scipy.special", "scipy.stats"],
    ["torch", "transformers.modeling_utils"],
)
"""What an interpreter has imported before it forks: what is cheap to forbid comes first, what costs seconds once."""


def level_of(forbidden: tuple[str, ...]) -> int:
    """Highest level of which nothing is forbidden; NumPy alone brings in neither Arrow nor SciPy."""
    named = {name.split(".")[0] for name in forbidden}
    known = [level for level, warm in enumerate(LEVELS) if not {name.split(".")[0] for name in warm} & named]
    return next(level for level in reversed(range(len(LEVELS))) if {*range(level + 1)} <= {*known})


def imported_against(cases: dict[str, tuple[list[str], tuple[str, ...]]], path: Path | None = None) -> dict[str, list]:
    """Forbidden modules that are loaded after importing the given ones, each case in a process of its own."""
    listed = [[part, modules, forbidden, level_of(forbidden)] for part, (modules, forbidden) in cases.items()]
    asked = json.dumps([listed, LEVELS[: max(one[-1] for one in listed) + 1], [str(path)] if path else []])
    done = subprocess.run([sys.executable, "-c", FORKS], input=asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found = dict(map(json.loads, done.stdout.splitlines()))
    assert found.keys() == cases.keys()
    return found


def test_imports_point_one_way():
    found = imported_against({part: (modules_of(part), RULES[part]) for part in RULES})
    assert {part: wrong for part, wrong in found.items() if wrong} == {}


def test_the_check_sees_a_wrong_import(tmp_path):
    (tmp_path / "planted.py").write_text("import rare_neurons.numerics.panel.strata\nimport torch\n")
    assert imported_against({"it": (["planted"], RULES["numerics"])}, tmp_path) == {"it": ["torch"]}


def lines_importing(names: tuple[str, ...]) -> dict[str, list[str]]:
    """Import lines of the package that name one of these modules, by file."""
    root = Path(rare_neurons.__file__).parent
    starts = tuple(f"{word} {name}" for name in names for word in ("import", "from"))
    return {
        path.relative_to(root).as_posix(): found
        for path in sorted(root.rglob("*.py"))
        if (found := [line.strip() for line in path.read_text().splitlines() if line.strip().startswith(starts)])
    }


def test_nothing_here_reads_yaml_or_knows_snakemake():
    """But for the command that checks results: it is a program of its own, and reads what a user names."""
    assert lines_importing(("yaml", "snakemake")) == {"check.py": ["import yaml"]}


def test_torch_is_named_by_models_the_stages_that_run_them_the_calls_in_memory_and_the_bin_reader():
    places = set(lines_importing(("torch", "transformers")))
    assert {p for p in places if not p.startswith(("models/", "api/"))} == {
        "checkpoints/bin_file.py",
        "stages/activity.py",
        "stages/allocation.py",
        "stages/layers.py",
        "stages/pretrain.py",
        "stages/probe.py",
    }


def topics_imported(source: str) -> set[str]:
    """Topics of numerics that a module's text imports."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        names |= {node.module} if isinstance(node, ast.ImportFrom) else set()
        names |= {alias.name for alias in node.names} if isinstance(node, ast.Import) else set()
    parts = [name.split(".") for name in names if name and name.startswith("rare_neurons.numerics.")]
    return {part[2] for part in parts} & TOPICS.keys()


def topic_imports(topic: str) -> set[str]:
    folder = Path(rare_neurons.__file__).parent / "numerics" / topic
    return set().union(*(topics_imported(path.read_text()) for path in folder.glob("*.py"))) - {topic}


def test_every_topic_is_in_the_map():
    folder = Path(rare_neurons.__file__).parent / "numerics"
    assert {path.name for path in folder.iterdir() if (path / "__init__.py").is_file()} == set(TOPICS)


@pytest.mark.parametrize("topic", TOPICS)
def test_topics_import_one_way(topic):
    assert topic_imports(topic) <= TOPICS[topic]


def test_the_map_of_topics_has_no_circle():
    assert tuple(graphlib.TopologicalSorter(TOPICS).static_order())


def test_the_topic_check_sees_a_wrong_import():
    assert topics_imported("from rare_neurons.numerics.grid.cells import count_cells\nimport numpy\n") == {"grid"}
