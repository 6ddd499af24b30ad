"""How the strongest final-layer neurons are organised, and kinds of neurons of all layers, at declared checkpoints.

Requires: manifests, panels and the probe's tables of the same checkpoints; `steps` in section activity of the
configuration.
Makes: {results}/{organisation,sets,overlap,routing,kinds,readout,examples}/{panel}/{model}/step{step}.parquet,
{results}/timelines/activity_evidence/{subject}.parquet
"""

ACTIVITY_BATCHES = batches(
    {model: ASKED.declared_steps("activity", model) for model in STEPS},
    SIZES,
    alike=ALIKE,
)


ask_for_batches(ACTIVITY_BATCHES)


for batch in ACTIVITY_BATCHES:

    rule:
        """One pass with all layers tapped: organisation of top sets, routing to them, and kinds of neurons."""
        name:
            batch.rule("activity")
        input:
            **named(folders=folders_of_checkpoints(batch)),
            manifests=paths_of_job(batch, MANIFEST),
            influence=paths_of_job(batch, PATH["influence"]),
            activations=paths_of_job(batch, PATH["activations"]),
            gradients=paths_of_job(batch, PATH["gradients"]),
            contexts=PATH["panel/contexts"],
            targets=PATH["panel/targets"],
            unigram=corpus_table("unigram"),
            tokenizer=lambda w: TOKENIZER.format(
                tokenizer=config["panels"][w.panel]["tokenizer"]
            ),
        output:
            **tables_of("activity", batch),
        log:
            batch.log(f"{RESULTS}/logs/activity/{{panel}}/{{model}}/step{{step}}.log"),
        wildcard_constraints:
            model=one_of(batch.models),
        # Before the next checkpoint is resolved: while its weights are in the cache.
        priority: 1
        conda:
            "../envs/rare-neurons.yaml"
        threads: 1
        params:
            panel=lambda w: w.panel,
            rules=lambda w: config["panels"][w.panel]["strata"],
            options=ASKED.declared_options("activity"),
            machine=MACHINE,
            version=VERSIONS["activity"],
        script:
            "../scripts/activity.py"


rule activity_evidence:
    """Whether sets are organised beyond their like, and whether kinds of neurons become more, tier by tier."""
    input:
        **all_shards(judged, shards=JUDGED_ACTIVITY),
        integrity=lambda w: [
            PATH["integrity"].format(model=m) for m in judged_models(w.subject)
        ],
    output:
        PATH["timelines/activity_evidence"],
    log:
        f"{RESULTS}/logs/activity_evidence/{{subject}}.log",
    localrule: True
    conda:
        "../envs/rare-neurons.yaml"
    params:
        subject=lambda w: w.subject,
        models=lambda w: members(w.subject),
        controls=lambda w: controls(w.subject),
        places=places_of(judged, shards=JUDGED_ACTIVITY),
        strata=config["activity"]["strata"],
        evidence={key: config["evidence"][key] for key in ("rule", "step")},
        version=VERSIONS["activity_evidence"],
    script:
        "../scripts/activity_evidence.py"
