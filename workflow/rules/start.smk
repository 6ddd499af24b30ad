"""What happens before the first job: whatever cannot work is refused, and what is asked is written down.

Requires: the words of common.smk.
Makes: {results}/config.yaml when a run starts; {results}/.known.json, what was asked of each file when it was last seen.
"""

import inspect
import json
from tempfile import TemporaryFile

from rare_neurons.checkpoints.sources import check_local
from rare_neurons.configuration import check_machine
from rare_neurons.origins.asked import MANIFEST as MANIFEST_KEY

RULE_OF = {table.name: rule for rule in RULES for table in rule.tables}


def check_local_steps() -> None:
    for name, entry in config["models"].items():
        if entry["source"] == "folder":
            try:
                check_local(source_of(entry, ""), STEPS[name])
            except RequestError as error:
                raise WorkflowError(f"model {name}: {error}") from None


def check_what_is_named() -> None:
    """Files and devices; only once, and devices only where jobs run here (`nodes` is set for clusters)."""
    folders = {
        name: str(source_of(entry, "").folder(STEPS[name][0]))
        for name, entry in config["models"].items()
        if entry["source"] == "folder" and not FAR
    }
    try:
        check_machine(
            config,
            runs_here=workflow.resource_settings.nodes is None,
            folders=folders,
        )
    except RequestError as error:
        raise WorkflowError(str(error)) from None


def check_writable() -> None:
    try:
        Path(RESULTS).mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=RESULTS).close()
    except OSError as error:
        raise WorkflowError(
            f"the results folder {RESULTS} cannot be written to ({error.strerror}); set `results` in the configuration"
        ) from None


def everything(wildcards) -> list[str]:
    """Every file of a run: one that is lost, or set aside as damaged, behind finished timelines would not be missed.

    Shards that are there, and that timelines are made of, are seen to by these: a third of a large DAG would be to name
    them twice.
    """
    if FAR:
        return [stored(f"{RESULTS}/{path}") for path in paths_of(ASKED.keys)]
    joined = [key for key in ASKED.keys if is_joined(key)]
    others = [key for key in ASKED.keys if not is_joined(key)]
    shards = [f"{RESULTS}/{path}" for path in paths_of(joined)]
    return [
        *(f"{RESULTS}/{path}" for path in paths_of(others)),
        *(path for path in shards if not os.path.exists(path)),
    ]


def is_joined(key) -> bool:
    """Whether a file is of one checkpoint, and its rule makes something that a model's timelines are made of."""
    return isinstance(key[-1], int) and (
        key[0] == MANIFEST_KEY
        or any(table.name in ASKED.quantities for table in RULE_OF[key[0]].tables)
    )


def stored(path: str) -> str:
    """A file that must be in storage, but need not be brought here."""
    settings = workflow.storage_settings
    prefix = settings.default_storage_prefix.rstrip("/")
    provider = getattr(storage, settings.default_storage_provider)
    return provider(f"{prefix}/{path}", retrieve=False)


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


def heed_force() -> None:
    """Whoever forces a rule wants its work done, not the outcome of work that was done before."""
    settings = workflow.dag_settings
    config["jobs"]["forced"] = bool(settings.forceall or settings.forcerun)


def tell_jobs() -> None:
    """Tell a display of progress (a logger plugin) what will run: model, stage and number of checkpoints of each job.

    Of a job of several, also the last file that it writes for each of them.
    """
    stages = {batch.rule("pretrain"): ("pretrain", 1, None) for batch in TRAININGS}
    for found, names in (
        (BATCHES, ("resolve", "spectra", "probe", "metrics")),
        (LAYER_BATCHES, ("layers",)),
        (ACTIVITY_BATCHES, ("activity",)),
        (INTERVAL_BATCHES, ("allocation",)),
    ):
        for batch in found:
            size = len(batch.items) * (len(batch.models) if batch.together else 1)
            label = (
                "{} to {}".format(batch.models[0], batch.models[-1])
                if batch.together
                else None
            )
            stages |= {batch.rule(name): (name, size, label) for name in names}
    jobs = {}
    for job in workflow.dag.needrun_jobs():
        # Rule `all`, and marks of measured models: nothing that works.
        if not job.log:
            continue
        of = [v for k, v in job.wildcards.items() if k not in ("step", "interval")]
        stage, size, label = stages.get(job.rule.name, (job.rule.name, 1, None))
        files = [[str(path) for path in job.output[-size:]]] if size > 1 else []
        jobs[job.jobid] = [label or (of[-1] if of else "all"), stage, size, *files]
    logger.info("", extra={"planned": {"jobs": jobs, "results": RESULTS}})


def plan_request(whole: bool = False) -> dict:
    """What a plan looks at; `whole`: with panels, tiers and all costs, or the checkpoints alone."""
    paths = {name: TOKENIZER.format(tokenizer=name) for name in config["tokenizers"]}
    sizes = sizes_of(config["models"], config["jobs"]["checkpoints"])
    return {
        "config": config,
        "tokenizers": {
            name: path for name, path in paths.items() if Path(path).exists()
        },
        "texts": texts_of_panels() if whole else {},
        "declared": {
            model: {
                "in_a_job": sizes[model] or len(STEPS[model]),
                "layers": len(ASKED.declared_steps("layers", model)),
                "activity": len(ASKED.declared_steps("activity", model)),
                "intervals": len(ASKED.intervals(model)),
            }
            for model in STEPS
        },
        "judged": [
            m for m in STEPS if Path(PATH["integrity"].format(model=m)).exists()
        ],
        "whole": whole,
    }


def texts_of_panels() -> dict:
    """Tables of the corpora that panels are drawn from: those that are there, or are made of local files alone."""
    found = {}
    for name in dict.fromkeys(p for model in STEPS for p in panels_of(model)):
        panel = config["panels"][name]
        tokenizer = config["tokenizers"][panel["tokenizer"]]
        corpora = {panel["corpus"], tokenizer.get("corpus", panel["corpus"])}
        parts = (tokenizer, *(config["corpora"][one] for one in corpora))
        paths = {table: corpus_path(panel, table) for table in ("tokens", "unigram")}
        if not FAR and (
            all(one["source"] != "hub" for one in parts)
            or all(map(os.path.exists, paths.values()))
        ):
            found[name] = paths
    return found


def plan_the_run() -> None:
    """Print the plan of the Hub's checkpoints that are new; without a network nothing is started."""
    steps, resolving = {}, {batch.rule("resolve") for batch in BATCHES}
    for job in workflow.dag.needrun_jobs():
        if job.rule.name in resolving:
            model = job.wildcards.model
            if config["models"][model]["source"] == "hub":
                steps.setdefault(model, []).extend(job.params.steps)
    if not steps:
        return
    # Here, so that the jobs of a cluster, which parse this file, import none of it.
    from rare_neurons.stages.plan import Request, print_plan

    try:
        print_plan(
            Request(**plan_request()),
            steps={model: sorted(found) for model, found in steps.items()},
            file=sys.stderr,
        )
    except (RequestError, ConnectionError) as error:
        raise WorkflowError(str(error)) from None


def note_signatures() -> None:
    """Snakemake asks for the arguments of a rule's functions for every job, and Python works them out each time."""
    for one in workflow.rules:
        for item in (*one.input, *one.params):
            function = getattr(getattr(item, "_file", item), "callable", None) or item
            if inspect.isfunction(function):
                function.__signature__ = inspect.signature(function)


# What lies in storage is Snakemake's to look for, and a job elsewhere has nothing but its own inputs.
if not FAR:
    check_local_steps()
if workflow.is_main_process:
    check_what_is_named()
if not FAR:
    check_writable()
    if workflow.is_main_process:
        check_origins()
