"""A sweep to time Snakemake on: a copy of the workflow, what its finished run leaves behind, one cluster job."""

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import yaml

from rare_neurons.configuration import complete_config
from rare_neurons.origins.asked import Asked, steps_asked
from rare_neurons.origins.elsewhere import adopt
from tools.configuration import SCHEMA, read_yaml

ROOT = Path(__file__).parents[1]
PER_MODEL = 154
SEEDS = 10  # of one size, as in PolyPythias; runs of one subject

STAGE = """\
from time import time

first = time()
import json
from pathlib import Path

import psutil


def spent():
    seconds = 0.0
    for process in [psutil.Process(), *psutil.Process().parents()]:
        if any(word.endswith("programs/sbatch") for word in process.cmdline()):
            return seconds
        seconds += sum(process.cpu_times()[:4])


times = {"first line": first, "cpu at first line": spent()}
before = time()
from rare_neurons.stages.probe import write_probe

times |= {"imported": first + time() - before, "cpu at imported": spent()}
Path("started.json").write_text(json.dumps(times))
for path in snakemake.output:
    Path(path).touch()
"""
# Runs the job at once and then refuses it, so that the submitting Snakemake ends and leaves the queue alone.
SBATCH = """\
import json, os, resource, subprocess, sys, time
from pathlib import Path

command = next(a.removeprefix("--wrap=") for a in sys.argv if a.startswith("--wrap="))
start = time.time()
done = subprocess.run(["bash", "-c", command], env=os.environ | {"SLURM_JOB_ID": "1"}, capture_output=True, text=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
Path("job.json").write_text(json.dumps({
    "start": start, "wall": time.time() - start, "cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss / 1024,
    "status": done.returncode, "log": done.stdout + done.stderr, "command": command,
}))
sys.exit("not queued")
"""
SRUN = """#!/bin/sh
while [ "${1#-}" != "$1" ]; do shift; done
exec "$@"
"""


@dataclass(frozen=True)
class Cost:
    """What a command used: seconds of wall clock and of CPU, MiB at its peak; CPU seconds of its parts."""

    wall: float
    cpu: float
    peak: float
    parts: dict[str, float]
    output: str


def sweep(n_checkpoints: int) -> dict[str, dict]:
    """Models of the Hub with 154 checkpoints each, the last with what remains."""
    schedule = [0, *(2**k for k in range(10)), *range(1000, 144000, 1000)]
    models = {}
    for i in range(-(-n_checkpoints // PER_MODEL)):
        left = n_checkpoints - i * PER_MODEL
        models[f"size{i // SEEDS}-seed{i % SEEDS}"] = {
            "source": "hub",
            "repo": "owner/name",
            "revision": "step{step}",
            "n_neurons": 2048,
            "tokenizer": "pythia",
            "steps": "pythia-all" if left >= PER_MODEL else schedule[:left],
            "subject": f"size{i // SEEDS}",
        }
    return models


def make_sweep(folder: Path, n_checkpoints: int, each: int = 1) -> None:
    """Copy the workflow and configure the sweep by config/pythia.yaml, `each` checkpoints a job."""
    for name in ("workflow", "profiles", "src"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", folder / "Snakefile")
    config = read_yaml("config/pythia.yaml") | {"models": sweep(n_checkpoints), "jobs": {"checkpoints": each}}
    (folder / "config").mkdir()
    shutil.copy(ROOT / "config/analysis.yaml", folder / "config/analysis.yaml")
    (folder / "config/config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))


def environment(folder: Path) -> dict[str, str]:
    """Variables with which the project's own copy of the package is imported."""
    return {**os.environ, "PYTHONPATH": f"{folder / 'src'}:{ROOT}"}


def run(folder: Path, *arguments: str, how: str = "times.json") -> Cost:
    """Run Snakemake in the project and measure it."""
    times = folder / "times.json"
    times.unlink(missing_ok=True)
    command = [sys.executable, "-m", "benchmarks.snakemake_inside", how, *arguments]
    with (folder / "output.txt").open("w") as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environment(folder), stdout=output, stderr=output)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    text = (folder / "output.txt").read_text()
    if process.returncode:
        raise RuntimeError(f"snakemake {' '.join(arguments)} failed in {folder}:\n{text[-3000:]}")
    parts = json.loads(times.read_text()) if times.exists() else {}
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, parts, text)


def finish_sweep(folder: Path, *arguments: str) -> Cost:
    """Make every output and record of the sweep, and what a second run finds: what was asked of each file."""
    cost = run(folder, "--cores", "1", "--touch", "--no-hooks", "--quiet", "all", *arguments, how="--record")
    whole = complete_config(SCHEMA, read_yaml("config/analysis.yaml"), read_yaml(folder / "config/config.yaml"))
    adopt(folder / "results", Asked(whole, steps_asked(whole)))
    return cost


def start_job(folder: Path) -> dict[str, float]:
    """Have one probe submitted by the SLURM profile to programs that run it here, and time it to its first line."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    contents = {"sbatch": f"#!{sys.executable}\n{SBATCH}", "srun": SRUN}
    for name in ("sbatch", "srun", "squeue", "sacct", "sacctmgr", "sshare", "sinfo", "scontrol", "scancel"):
        (programs / name).write_text(contents.get(name, "#!/bin/sh\nexit 1\n"))
        (programs / name).chmod(0o755)
    profile = folder / "profiles/slurm/config.yaml"
    text = profile.read_text().replace("# slurm_partition: main", "slurm_partition: main")
    profile.write_text(text.replace("retries: 2", "retries: 0"))
    (folder / "workflow/scripts/probe.py").write_text(STAGE)
    target = "results/influence/c4-heldout/size0-seed0/step0.parquet"
    (folder / target).unlink()
    submitted = subprocess.run(
        [sys.executable, "-m", "snakemake", "--workflow-profile", "profiles/slurm", "--jobs", "1", "--", target],
        cwd=folder,
        env=environment(folder) | {"PATH": f"{programs}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if not (folder / "job.json").exists():
        raise RuntimeError(f"nothing was submitted:\n{submitted.stdout[-3000:]}")
    job = json.loads((folder / "job.json").read_text())
    if job["status"]:
        raise RuntimeError(f"the job failed:\n{job['log'][-3000:]}")
    started = json.loads((folder / "started.json").read_text())
    return {name: value - (0 if name.startswith("cpu") else job["start"]) for name, value in started.items()}
