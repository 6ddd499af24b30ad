"""What metrics need beside a checkpoint's influence; they themselves are a rule of checkpoints.smk.

Makes: {results}/null_tables/{n_neurons}.parquet
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
