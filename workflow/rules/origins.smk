"""Where results come from: the configuration beside them, and files that another folder's runs have made.

Requires: everything above.
Makes: {results}/config.yaml when a run starts; {results}/.known.json, what was asked of each file when it was last seen.
"""

import json
from base64 import urlsafe_b64encode


def everything(wildcards) -> list[str]:
    """Every file of a run: one that is lost, or set aside as damaged, behind finished timelines would not be missed."""
    return [f"{RESULTS}/{path}" for path in paths_of(ASKED.keys)]


def recorded(path: str) -> tuple[float, float] | None:
    """When the job began and ended that Snakemake has on record for a file; None where it has none."""
    name = urlsafe_b64encode(path.encode()).decode()
    most = os.pathconf(".", "PC_NAME_MAX") - 1
    *folders, last = [name[i : i + most] for i in range(0, len(name), most)]
    record = Path(".snakemake/metadata", *(f"@{part}" for part in folders), last)
    try:
        found = json.loads(record.read_text())
        return found["starttime"], found["endtime"]
    except (
        OSError,
        ValueError,
        KeyError,
    ):  # Snakemake, too, takes a damaged record for none
        return None


def check_origins() -> None:
    """Refuse files of other parameters that no run here has made: Snakemake, without records, would take them."""
    # Here, so that the jobs of a cluster, which parse this file, import none of it.
    from rare_neurons.origins.elsewhere import refuse_foreign

    try:
        refuse_foreign(RESULTS, ASKED, recorded)
    except RequestError as error:
        raise WorkflowError(str(error)) from None


def note_configuration() -> None:
    """Write the whole configuration beside the results."""
    from rare_neurons.tables import atomic_path

    plain = json.loads(json.dumps(config))
    text = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)
    with atomic_path(f"{RESULTS}/config.yaml") as temporary:
        temporary.write_text(text, encoding="utf-8")


if workflow.is_main_process:
    check_origins()
