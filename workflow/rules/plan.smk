"""What comes before a run: a table of what it would fetch (`snakemake plan`), and a cache filled beforehand.

Requires: the network for Hub models.
Makes: nothing but a filled cache; both run whenever they are asked for.
"""


rule plan:
    """Print what a run would fetch and measure; nothing is downloaded."""
    log:
        f"{RESULTS}/logs/plan.log",
    conda:
        "../envs/rare-neurons.yaml"
    params:
        request=lambda w: (
            plan_request()
            | ({"evidence": config["evidence"]} if ASKED.measures_influence else {})
        ),
        steps=STEPS,
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
