"""How jobs of this computer start: forked from a process that has imported what they import (rare_neurons.warm).

Requires: `jobs.warm` of the configuration. Makes nothing; a job does the same, and writes the same, however it starts.
"""

from subprocess import CalledProcessError

from snakemake.script import PythonScript

from rare_neurons.warm import Warm

# As Snakemake sets them for a job's commands.
THREADS_OF_JOB = [
    *("OMP_NUM_THREADS", "GOTO_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"),
    *("VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS"),
]
SCRIPTS = str(Path(workflow.current_basedir).parent / "scripts")
PLACES_OF_JOB = ("TMPDIR", "TMP", "TEMPDIR", "TEMP")


def variables_of(script) -> dict[str, str]:
    """Environment that Snakemake gives the process of a script."""
    tmpdir = script.resources.get("tmpdir")
    return {
        **os.environ,
        **dict.fromkeys(THREADS_OF_JOB, str(script.threads)),
        **dict.fromkeys(PLACES_OF_JOB if tmpdir else (), tmpdir),
    }


def is_plain(script) -> bool:
    """Whether a script is one of this workflow's, and runs in Snakemake's own environment, on this computer."""
    path = os.path.normpath(script.path.get_path_or_uri(secret_free=True))
    elsewhere = (script.conda_env, script.container_img, script.env_modules)
    return (
        workflow.local_exec
        and os.path.dirname(path) == SCRIPTS
        and not any(elsewhere)
        and script.bench_record is None
        and "shell_exec" not in script.resources.keys()
    )


def start_warm(script, name, edit=False) -> None:
    """Run a job's script; in a process that Snakemake starts for it where it cannot be forked."""
    status = WARM.run(name, variables_of(script)) if is_plain(script) else None
    if status is None:
        start_cold(script, name, edit)
    elif status:
        raise CalledProcessError(status, f"{sys.executable} {name}")


start_cold = PythonScript.execute_script
WARM = Warm()

# A device's library must not be there before the fork. Whoever has put something in this place wants it (tools.inside).
if (
    config["jobs"]["warm"]
    and workflow.is_main_process
    and config["probe"]["device"] == "cpu"
    and start_cold.__module__ == PythonScript.__module__
):
    PythonScript.execute_script = start_warm
