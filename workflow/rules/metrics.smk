"""One rule per entry of `rare_neurons.metrics.METRICS`: reads a checkpoint's influence, writes the metric's tables.

Makes: {results}/null_tables/{n_neurons}.parquet, {results}/{table}/{panel}/{model}/step{step}.parquet
"""


rule null_tables:
    output:
        f"{RESULTS}/null_tables/{{n_neurons}}.parquet",
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
        name:
            metric.name
        input:
            **({"null_tables": null_tables_of} if metric.null_tables else {}),
            influence=f"{RESULTS}/influence/{{panel}}/{{model}}/step{{step}}.parquet",
            folds=f"{RESULTS}/folds/{{panel}}/{{model}}/step{{step}}.parquet",
        output:
            **{
                table: f"{RESULTS}/{table}/{{panel}}/{{model}}/step{{step}}.parquet"
                for table in metric.tables
            },
        log:
            f"{RESULTS}/logs/{metric.name}/{{panel}}/{{model}}/step{{step}}.log",
        conda:
            "../envs/rare-neurons.yaml"
        threads: 1
        params:
            metric=metric.name,
            options={k: v for k, v in config[metric.name].items() if k != "n_draws"},
            version=VERSIONS[metric.name],
        script:
            "../scripts/metric.py"
