"""What comes before a run: a table of what it would fetch (`snakemake plan`), and a cache filled beforehand.

Requires: the network for Hub models; local text, which is read as the run would read it.
Makes: nothing but the tables of that text and a filled cache; all run whenever they are asked for.
"""

for form in ("plan", "plan_json"):

    rule:
        """Print what a run would fetch, measure and cost, for a reader or a program; nothing is downloaded."""
        name:
            form
        input:
            [path for paths in texts_of_panels().values() for path in paths.values()],
        log:
            f"{RESULTS}/logs/{form}.log",
        conda:
            "../envs/rare-neurons.yaml"
        params:
            request=lambda w: plan_request(whole=True),
            steps=STEPS,
            as_json=form == "plan_json",
        script:
            "../scripts/plan.py"


rule prefetch:
    """Fill the cache where there is a network, for jobs that will run where there is none."""
    input:
        [
            path
            for model in config["models"]
            if config["models"][model]["source"] == "hub"
            for path in per_checkpoint(MANIFEST, model)
        ],
    log:
        f"{RESULTS}/logs/prefetch.log",
    conda:
        "../envs/rare-neurons.yaml"
    script:
        "../scripts/prefetch.py"
