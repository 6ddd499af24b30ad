"""What needs all steps of a model, or all runs of a subject: integrity, timelines, evidence, figures, the summary.

Requires: the shards of checkpoints.smk and the marks of marks.smk.
Makes: {results}/.measured/{model}/{stage}, {results}/integrity/{model}.parquet, {results}/timelines/{quantity}/{model}.parquet,
{results}/timelines/{lineage,members,changed}/{model}.parquet,
{results}/timelines/{evidence,onsets,turns,courses}/{subject}.parquet, {results}/figures/{subject}/*.{svg,png}, {results}/{summary,usable}.txt, {results}/summary.rst
"""

JUDGED_TOGETHER = {
    "manifests": [MANIFEST_KEY],
    "fingerprints": ["fingerprint"],
    "behaviours": ["behaviour"] if ASKED.measures_influence else [],
}
JOINED = {name: [name] for name in ASKED.quantities}
OF_LINEAGE = {"influence": ["influence"], "cells": ["cells"]}


rule measured:
    """All checkpoints of a model have been through a stage."""
    input:
        signs_of_mark,
    output:
        touch(directory(MARK)),
    wildcard_constraints:
        stage=one_of(dict.fromkeys(STAGE_OF.values())),
    localrule: True


rule integrity:
    """Whether each checkpoint of a model is what its step says, judged from all of them together."""
    input:
        **all_shards(one_model, **JUDGED_TOGETHER),
        other_starts=lambda w: [
            PATH["fingerprint"].format(model=m, step=0)
            for m in members(config["models"][w.model].get("subject", w.model))
            if m != w.model and 0 in STEPS[m]
        ],
        panel=lambda w: [
            path
            for panel in panels_of(w.model)[:1]
            for path in (
                PATH["panel/targets"].format(panel=panel),
                corpus_path(config["panels"][panel], "unigram"),
            )
        ],
    output:
        PATH["integrity"],
    log:
        f"{RESULTS}/logs/integrity/{{model}}.log",
    conda:
        "../envs/rare-neurons.yaml"
    params:
        model=lambda w: w.model,
        places=places_of(one_model, **JUDGED_TOGETHER),
        thresholds=ASKED.thresholds,
        version=VERSIONS["integrity"],
    script:
        "../scripts/integrity.py"


rule timelines:
    """Every quantity of a model over its steps, with tokens seen, loss and each checkpoint's status."""
    input:
        **all_shards(one_model, **JOINED),
        integrity=PATH["integrity"],
    output:
        **{name: TIMELINE.replace("{quantity}", name) for name in ASKED.quantities},
    log:
        f"{RESULTS}/logs/timelines/{{model}}.log",
    conda:
        "../envs/rare-neurons.yaml"
    params:
        places=places_of(one_model, **JOINED),
        tokens_per_step=tokens_per_step,
        version=VERSIONS["timelines"],
    script:
        "../scripts/timelines.py"


rule lineage:
    """Which neurons make the top, since when, and for how long; over how many the change is spread."""
    input:
        **all_shards(one_model, **OF_LINEAGE),
        integrity=PATH["integrity"],
    output:
        **tables_of("lineage"),
    log:
        f"{RESULTS}/logs/lineage/{{model}}.log",
    conda:
        "../envs/rare-neurons.yaml"
    params:
        places=places_of(one_model, **OF_LINEAGE),
        share=config["lineage"]["share"],
        version=VERSIONS["lineage"],
    script:
        "../scripts/lineage.py"


rule evidence:
    """What may be said of a subject, tier by tier, with dates, turns and the courses behind them."""
    input:
        **all_shards(judged, shards=ASKED.evidence_tables),
        integrity=lambda w: [
            PATH["integrity"].format(model=m) for m in judged_models(w.subject)
        ],
    output:
        **tables_of("evidence"),
    log:
        f"{RESULTS}/logs/evidence/{{subject}}.log",
    conda:
        "../envs/rare-neurons.yaml"
    params:
        subject=lambda w: w.subject,
        models=lambda w: members(w.subject),
        controls=lambda w: controls(w.subject),
        panels=lambda w: panels_of(members(w.subject)[0]),
        places=places_of(judged, shards=ASKED.evidence_tables),
        options=config["evidence"],
        version=VERSIONS["evidence"],
    script:
        "../scripts/evidence.py"


rule figures:
    """Every figure of the registry, for one subject, as PNG and SVG."""
    input:
        lambda w: figure_tables(w.subject),
    output:
        png=[
            report(
                f"{RESULTS}/figures/{{subject}}/{figure.name}.png",
                caption=f"../report/figures/{figure.name}.rst",
                category="{subject}",
                labels={"figure": figure.name.replace("_", " ")},
            )
            for figure in DRAWN
        ],
        svg=[f"{RESULTS}/figures/{{subject}}/{figure.name}.svg" for figure in DRAWN],
    log:
        f"{RESULTS}/logs/figures/{{subject}}.log",
    conda:
        "../envs/rare-neurons.yaml"
    params:
        results=lambda w, output: str(Path(output.png[0]).parents[2]),
        subject=lambda w: w.subject,
        models=lambda w: members(w.subject),
        controls=lambda w: controls(w.subject),
        names=[figure.name for figure in DRAWN],
        version=VERSIONS["figures"],
    script:
        "../scripts/figures.py"


rule summary:
    """The short table that a run ends with."""
    input:
        integrity=expand(PATH["integrity"], model=config["models"]),
        # Where a disk is shared they are found beside the others.
        behaviour=[
            path
            for model in config["models"]
            for path in per_checkpoint(PATH["behaviour"], model)
            if FAR
        ],
        evidence=(
            expand(
                [
                    PATH[f"timelines/{name}"]
                    for name in ("evidence", "onsets", "turns")
                ],
                subject=ASKED.subjects,
            )
            if ASKED.measures_influence
            else []
        ),
        layers=(
            expand(PATH["timelines/layer_evidence"], subject=ASKED.subjects)
            if ASKED.does("layers")
            else []
        ),
        activity=(
            expand(PATH["timelines/activity_evidence"], subject=ASKED.subjects)
            if ASKED.does("activity")
            else []
        ),
        allocation=(
            expand(TIMELINE, quantity="allocation", model=config["models"])
            if ASKED.does("allocation")
            else []
        ),
        figures=expand(
            f"{RESULTS}/figures/{{subject}}/{DRAWN[0].name}.png",
            subject=ASKED.subjects,
        ),
    output:
        f"{RESULTS}/summary.txt",
        f"{RESULTS}/summary.rst",
    log:
        f"{RESULTS}/logs/summary.log",
    conda:
        "../envs/rare-neurons.yaml"
    params:
        results=lambda w, output: str(Path(output[0]).parent),
        # Where they are found afterwards, not the copies that a job is given.
        figures=lambda w: f"{RESULTS}/figures",
        subjects={subject: members(subject) for subject in ASKED.subjects},
        judged=ASKED.measures_influence,
        version=VERSIONS["summary"],
    script:
        "../scripts/summary.py"


rule usable:
    """Whether each model has a checkpoint that can be used; comes last, and fails where one has none."""
    input:
        integrity=expand(PATH["integrity"], model=config["models"]),
        summary=f"{RESULTS}/summary.txt",
    output:
        f"{RESULTS}/usable.txt",
    log:
        f"{RESULTS}/logs/usable.log",
    # After whatever else can run: nothing is left undone because this fails.
    priority: -1
    conda:
        "../envs/rare-neurons.yaml"
    params:
        results=lambda w, output: str(Path(output[0]).parent),
        models=list(config["models"]),
        version=VERSIONS["usable"],
    script:
        "../scripts/usable.py"
