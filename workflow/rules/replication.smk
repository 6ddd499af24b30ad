"""The seed studies' conventions beside ours (`snakemake --configfile config/seed-papers.yaml -- replication`).

Requires: a panel whose strata go by the token read (`token_role: input`); what it lacks, the tables leave out.
Makes: {results}/replication/tables.md, {results}/replication/{ranked,differentiation}.{svg,png}; part of no other target.
"""

REPLICATED = subjects()[0]
REPLICATED_MODELS = members(REPLICATED) + [
    m for m in controls(REPLICATED) if m not in members(REPLICATED)
]
OUR_PANEL, *OTHER_PANELS = panels_of(REPLICATED_MODELS[0])
INPUT_PANELS = [p for p in OTHER_PANELS if config["panels"][p]["token_role"] == "input"]
REPLICATED_STRATA = [
    *config["claims"]["compare"],
    list(config["panels"][OUR_PANEL]["strata"])[::-1],
][0]


rule replication:
    input:
        timelines=expand(
            f"{RESULTS}/timelines/{{table}}/{{model}}.parquet",
            table=["behaviour", "influence", "differentiation", "regimes", "groups"],
            model=REPLICATED_MODELS,
        ),
        shards=[
            path
            for model in REPLICATED_MODELS
            for table in ("influence", "folds", "gradients")
            for path in per_checkpoint(
                f"{RESULTS}/{table}/{{panel}}/{{model}}/step{{step}}.parquet", model
            )
        ],
        panels=expand(
            f"{RESULTS}/panel/{{panel}}/targets.parquet",
            panel=[OUR_PANEL, *INPUT_PANELS],
        ),
        unigram=f"{RESULTS}/corpus/{config['panels'][OUR_PANEL]['corpus']}/{config['panels'][OUR_PANEL]['tokenizer']}/unigram.parquet",
        claims=f"{RESULTS}/claims/{REPLICATED}.parquet",
    output:
        tables=f"{RESULTS}/replication/tables.md",
        png=expand(
            f"{RESULTS}/replication/{{name}}.png", name=["ranked", "differentiation"]
        ),
        svg=expand(
            f"{RESULTS}/replication/{{name}}.svg", name=["ranked", "differentiation"]
        ),
    log:
        f"{RESULTS}/logs/replication.log",
    conda:
        "../envs/rare-neurons.yaml"
    params:
        results=lambda w, input: str(Path(input.claims).parents[1]),
        subject=REPLICATED,
        models=members(REPLICATED),
        controls=[m for m in REPLICATED_MODELS if m not in members(REPLICATED)],
        strata=REPLICATED_STRATA,
        panels={p: config["panels"][p] for p in [OUR_PANEL, *INPUT_PANELS]},
        version=VERSIONS["replication"],
    script:
        "../scripts/replication.py"
