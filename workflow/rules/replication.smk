"""The seed studies' conventions beside ours (`make replication`: config/seed-papers.yaml on top of config.yaml).

Requires: a panel whose strata go by the token read (`token_role: input`); what it lacks, the tables leave out.
Makes: {results}/replication/tables.md, {results}/replication/{ranked,inequality}.{svg,png}; part of no other target.
"""

REPLICATED = ASKED.subjects[0]
REPLICATED_MODELS = judged_models(REPLICATED)
OUR_PANEL, *OTHER_PANELS = panels_of(REPLICATED_MODELS[0])
INPUT_PANELS = [p for p in OTHER_PANELS if config["panels"][p]["token_role"] == "input"]

REPLICATION_FIGURES = ["ranked", "inequality"]


rule replication:
    """The seed studies' conventions beside ours, as tables and figures."""
    input:
        timelines=expand(
            TIMELINE,
            quantity=[
                "behaviour",
                "influence",
                "inequality",
                "regimes",
                "set_spectra",
            ],
            model=REPLICATED_MODELS,
        ),
        shards=shards_or_marks(("influence", "cells", "gradients"), REPLICATED_MODELS),
        panels=expand(
            [PATH["panel/targets"], PATH["panel/strata"]],
            panel=[OUR_PANEL, *INPUT_PANELS],
        ),
        unigram=corpus_path(config["panels"][OUR_PANEL], "unigram"),
        activity=(
            [
                *expand(TIMELINE, quantity="organisation", model=REPLICATED_MODELS),
                *shards_or_marks(("kinds", "readout"), REPLICATED_MODELS),
                PATH["timelines/activity_evidence"].format(subject=REPLICATED),
            ]
            if ASKED.does("activity")
            else []
        ),
        evidence=PATH["timelines/evidence"].format(subject=REPLICATED),
    output:
        **{
            kind: expand(
                f"{RESULTS}/replication/{{name}}.{kind}", name=REPLICATION_FIGURES
            )
            for kind in ("png", "svg")
        },
        tables=f"{RESULTS}/replication/tables.md",
    log:
        f"{RESULTS}/logs/replication.log",
    localrule: True
    conda:
        "../envs/rare-neurons.yaml"
    params:
        results=lambda w, input: str(Path(input.evidence).parents[2]),
        subject=REPLICATED,
        models=members(REPLICATED),
        controls=controls(REPLICATED),
        strata=contrasted_strata(OUR_PANEL),
        panels={p: config["panels"][p] for p in [OUR_PANEL, *INPUT_PANELS]},
        version=VERSIONS["replication"],
    script:
        "../scripts/replication.py"
