"""One rule per entry of `rare_neurons.metrics.METRICS`: reads a checkpoint's influence, writes the metric's tables.

Makes: {results}/{table}/{panel}/{model}/step{step}.parquet
"""

for metric in METRICS:

    rule:
        name:
            metric.name
        input:
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
            options=config.get(metric.name, {}),
            version=VERSIONS[metric.name],
        script:
            "../scripts/metric.py"
