"""What needs all steps of a model, or all seeds of a group: integrity, timelines, emergence, figures, the summary.

Requires: the shards of checkpoints.smk and metrics.smk.
Makes: {results}/integrity/{model}.parquet, {results}/timelines/{quantity}/{model}.parquet,
{results}/timelines/{lineage,members}/{model}.parquet, {results}/timelines/emergence/{subject}.parquet,
{results}/claims/{subject}.parquet, {results}/figures/{subject}/*.{svg,png}, {results}/summary.txt
"""


rule integrity:
    input:
        manifests=lambda w: per_checkpoint(
            f"{RESULTS}/manifest/{{model}}/step{{step}}.json", w.model
        ),
        fingerprints=lambda w: per_checkpoint(
            f"{RESULTS}/fingerprint/{{model}}/step{{step}}.parquet", w.model
        ),
        behaviours=lambda w: per_checkpoint(SHARD["behaviour"], w.model)[
            : len(STEPS[w.model])
        ],
        other_starts=lambda w: [
            f"{RESULTS}/fingerprint/{m}/step0.parquet"
            for m in members(config["models"][w.model].get("subject", w.model))
            if m != w.model and 0 in STEPS[m]
        ],
    output:
        f"{RESULTS}/integrity/{{model}}.parquet",
    log:
        f"{RESULTS}/logs/integrity/{{model}}.log",
    conda:
        "../envs/rare-neurons.yaml"
    params:
        model=lambda w: w.model,
        thresholds={
            k: v for k, v in config["integrity"].items() if k != "n_projections"
        },
        version=VERSIONS["integrity"],
    script:
        "../scripts/integrity.py"


rule timelines:
    input:
        shards=lambda w: per_checkpoint(SHARD[w.quantity], w.model),
        behaviours=lambda w: per_checkpoint(SHARD["behaviour"], w.model),
        integrity=f"{RESULTS}/integrity/{{model}}.parquet",
    output:
        f"{RESULTS}/timelines/{{quantity}}/{{model}}.parquet",
    log:
        f"{RESULTS}/logs/timelines/{{quantity}}/{{model}}.log",
    wildcard_constraints:
        quantity="|".join(QUANTITIES),
    conda:
        "../envs/rare-neurons.yaml"
    params:
        quantity=lambda w: w.quantity,
        tokens_per_step=tokens_per_step,
        version=VERSIONS["timelines"],
    script:
        "../scripts/timelines.py"


rule lineage:
    input:
        influence=lambda w: per_checkpoint(SHARD["influence"], w.model),
        integrity=f"{RESULTS}/integrity/{{model}}.parquet",
    output:
        lineage=f"{RESULTS}/timelines/lineage/{{model}}.parquet",
        members=f"{RESULTS}/timelines/members/{{model}}.parquet",
    log:
        f"{RESULTS}/logs/lineage/{{model}}.log",
    conda:
        "../envs/rare-neurons.yaml"
    params:
        share=config["lineage"]["share"],
        version=VERSIONS["lineage"],
    script:
        "../scripts/lineage.py"


ONSET_TABLES = sorted(
    {wanted["table"] for wanted in config["onset"]["quantities"].values()}
)


rule emergence:
    input:
        timelines=lambda w: [
            f"{RESULTS}/timelines/{t}/{m}.parquet"
            for t in ONSET_TABLES
            for m in members(w.subject)
        ],
        behaviours=lambda w: [
            path
            for m in members(w.subject)
            for path in per_checkpoint(SHARD["behaviour"], m)
        ],
        folds=lambda w: [
            path
            for m in members(w.subject)
            for path in per_checkpoint(SHARD["folds"], m)
        ],
    output:
        f"{RESULTS}/timelines/emergence/{{subject}}.parquet",
    log:
        f"{RESULTS}/logs/emergence/{{subject}}.log",
    conda:
        "../envs/rare-neurons.yaml"
    params:
        subject=lambda w: w.subject,
        models=lambda w: members(w.subject),
        panels=lambda w: panels_of(members(w.subject)[0]),
        options=config["onset"],
        version=VERSIONS["emergence"],
    script:
        "../scripts/emergence.py"


rule claims:
    input:
        shards=lambda w: [
            path
            for m in claimed_models(w.subject)
            for table in ("influence", "folds", "regimes", "groups")
            for path in per_checkpoint(SHARD[table], m)
        ],
        integrity=lambda w: [
            f"{RESULTS}/integrity/{m}.parquet" for m in claimed_models(w.subject)
        ],
        emergence=f"{RESULTS}/timelines/emergence/{{subject}}.parquet",
        timelines=lambda w: [
            f"{RESULTS}/timelines/{t}/{m}.parquet"
            for t in ONSET_TABLES
            for m in claimed_models(w.subject)
        ],
    output:
        f"{RESULTS}/claims/{{subject}}.parquet",
    log:
        f"{RESULTS}/logs/claims/{{subject}}.log",
    conda:
        "../envs/rare-neurons.yaml"
    params:
        subject=lambda w: w.subject,
        models=lambda w: members(w.subject),
        controls=lambda w: controls(w.subject),
        panels=lambda w: panels_of(members(w.subject)[0]),
        options=config["claims"],
        quantities=config["onset"]["quantities"],
        version=VERSIONS["claims"],
    script:
        "../scripts/claims.py"


rule figures:
    input:
        lambda w: figure_tables(w.subject),
    output:
        png=[
            report(
                f"{RESULTS}/figures/{{subject}}/{figure.name}.png",
                category="{subject}",
                labels={"figure": figure.name, "shows": figure.caption},
            )
            for figure in FIGURES
        ],
        svg=[f"{RESULTS}/figures/{{subject}}/{figure.name}.svg" for figure in FIGURES],
    log:
        f"{RESULTS}/logs/figures/{{subject}}.log",
    conda:
        "../envs/rare-neurons.yaml"
    params:
        results=lambda w, output: str(Path(output.png[0]).parents[2]),
        subject=lambda w: w.subject,
        models=lambda w: members(w.subject),
        names=[figure.name for figure in FIGURES],
        version=VERSIONS["figures"],
    script:
        "../scripts/figures.py"


rule summary:
    input:
        integrity=expand(
            f"{RESULTS}/integrity/{{model}}.parquet", model=config["models"]
        ),
        emergence=expand(
            f"{RESULTS}/timelines/emergence/{{subject}}.parquet", subject=subjects()
        ),
        claims=expand(f"{RESULTS}/claims/{{subject}}.parquet", subject=subjects()),
        figures=expand(f"{RESULTS}/figures/{{subject}}/loss.png", subject=subjects()),
    output:
        f"{RESULTS}/summary.txt",
    log:
        f"{RESULTS}/logs/summary.log",
    conda:
        "../envs/rare-neurons.yaml"
    params:
        results=lambda w, output: str(Path(output[0]).parent),
        groups={subject: members(subject) for subject in subjects()},
        version=VERSIONS["summary"],
    script:
        "../scripts/summary.py"
