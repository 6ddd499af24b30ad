"""One rule per entry of `rare_neurons.catalogue.METRICS`: reads a checkpoint's influence, writes the metric's tables.

Makes: {results}/null_tables/{n_neurons}.parquet, {results}/{table}/{panel}/{model}/step{step}.parquet
"""


rule null_tables:
    """Null distributions of the regime test for a layer of so many neurons."""
    output:
        PATH["null_tables"],
    log:
        f"{RESULTS}/logs/null_tables/{{n_neurons}}.log",
    wildcard_constraints:
        n_neurons=r"\d+",
    conda:
        "../envs/rare-neurons.yaml"
    params:
        n_neurons=lambda w: int(w.n_neurons),
        n_draws=config["regimes"]["n_draws"],
        seed=config["regimes"]["seed"],
        version=VERSIONS["null_tables"],
    script:
        "../scripts/null_tables.py"


for metric in METRICS:

    rule:
        """A metric of one checkpoint's influence; each entry of the catalogue with a function is such a rule."""
        name:
            metric.name
        input:
            **({"null_tables": null_tables_of} if metric.null_tables else {}),
            influence=PATH["influence"],
            cells=PATH["cells"],
        output:
            **tables_of(metric.name),
        log:
            f"{RESULTS}/logs/{metric.name}/{{panel}}/{{model}}/step{{step}}.log",
        conda:
            "../envs/rare-neurons.yaml"
        threads: 1
        params:
            metric=metric.name,
            options={
                key: value
                for key, value in config.get(metric.name, {}).items()
                if key != "n_draws"
            },
            version=VERSIONS[metric.name],
        script:
            "../scripts/metric.py"
