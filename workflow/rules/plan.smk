"""What comes before a run: a table of what it would fetch (`snakemake plan`), and a cache filled beforehand.

Requires: the network for Hub models.
Makes: nothing but a filled cache; both run whenever they are asked for.
"""


def plan_request() -> dict:
    """Sections of the configuration that a plan looks at."""
    paths = {
        name: f"{RESULTS}/tokenizer/{name}/tokenizer.json"
        for name in config["tokenizers"]
    }
    sections = ("models", "panels", "corpora", "cache", "probe")
    return {section: config[section] for section in sections} | {
        "tokenizers": {
            name: path for name, path in paths.items() if Path(path).exists()
        }
    }


def plan_the_run() -> None:
    """Print the plan of the Hub's checkpoints that are new; without a network nothing is started."""
    steps = {}
    for job in workflow.dag.needrun_jobs():
        if (
            job.rule.name == "resolve"
            and config["models"][job.wildcards.model]["source"] == "hub"
        ):
            steps.setdefault(job.wildcards.model, []).append(int(job.wildcards.step))
    if not steps:
        return
    # Here, so that the jobs of a cluster, which parse this file, import none of it.
    from rare_neurons.stages.plan import Request, print_plan

    try:
        print_plan(
            Request(**plan_request()),
            steps={model: sorted(found) for model, found in steps.items()},
        )
    except (RequestError, ConnectionError) as error:
        raise WorkflowError(str(error)) from None


rule plan:
    log:
        f"{RESULTS}/logs/plan.log",
    conda:
        "../envs/rare-neurons.yaml"
    params:
        request=lambda w: plan_request(),
        steps=STEPS,
    script:
        "../scripts/plan.py"


rule prefetch:
    input:
        [
            path
            for model in config["models"]
            if config["models"][model]["source"] == "hub"
            for path in per_checkpoint(
                f"{RESULTS}/manifest/{{model}}/step{{step}}.json", model
            )
        ],
    log:
        f"{RESULTS}/logs/prefetch.log",
    conda:
        "../envs/rare-neurons.yaml"
    script:
        "../scripts/prefetch.py"
