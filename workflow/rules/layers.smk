"""What is measured beside the final layer, at declared checkpoints: every layer, and what changed the loss between them.

Requires: manifests and panels; `steps` in sections layers and allocation of the configuration.
Makes: {results}/{layer_influence,layer_audit,heads}/{panel}/{model}/step{step}.parquet,
{results}/{allocation,allocation_changes}/{panel}/{model}/step{interval}.parquet, an interval being 16-128 or the like,
{results}/timelines/layer_evidence/{subject}.parquet
"""

SIZES = sizes_of(config["models"], config["jobs"]["checkpoints"])
# Small models that are judged together, runs and their controls, share a process where few of their checkpoints are asked
# for: its start costs more than two. Others wait for nobody.
ALIKE = {
    model: (
        (entry := config["models"][model]).get(
            "control_of", entry.get("subject", model)
        ),
        *panels_of(model),
    )
    for model in PRETRAINED
}
LAYER_BATCHES = batches(
    {model: ASKED.declared_steps("layers", model) for model in STEPS},
    SIZES,
    alike=ALIKE,
)
INTERVAL_BATCHES = batches(
    {model: ASKED.intervals(model) for model in STEPS}, SIZES, "interval", alike=ALIKE
)
MACHINE = {key: config["probe"][key] for key in ("device", "batch_size")}


ask_for_batches((*LAYER_BATCHES, *INTERVAL_BATCHES))


for batch in LAYER_BATCHES:

    rule:
        """Every neuron of every layer, every head and every sublayer, with an audit of what is approximated."""
        name:
            batch.rule("layers")
        input:
            **named(folders=folders_of_checkpoints(batch)),
            manifests=paths_of_job(batch, MANIFEST),
            contexts=PATH["panel/contexts"],
            targets=PATH["panel/targets"],
            unigram=corpus_table("unigram"),
            tokenizer=lambda w: TOKENIZER.format(
                tokenizer=config["panels"][w.panel]["tokenizer"]
            ),
        output:
            **tables_of("layers", batch),
        log:
            batch.log(f"{RESULTS}/logs/layers/{{panel}}/{{model}}/step{{step}}.log"),
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
            options=ASKED.declared_options("layers"),
            machine=MACHINE,
            version=VERSIONS["layers"],
        script:
            "../scripts/layers.py"


for batch in INTERVAL_BATCHES:

    rule:
        """Which weights changed the loss between two checkpoints, in nats that add up to the change."""
        name:
            batch.rule("allocation")
        input:
            before=ends_of(batch, 0),
            after=ends_of(batch, 1),
            between=lambda w, of=between_of(batch): [*filter(None, of(w))],
            folders=folders_of_intervals(batch, 1),
            folders_before=folders_of_intervals(batch, 0),
            folders_between=folders_between(batch),
            contexts=PATH["panel/contexts"],
            targets=PATH["panel/targets"],
            unigram=corpus_table("unigram"),
            tokenizer=lambda w: TOKENIZER.format(
                tokenizer=config["panels"][w.panel]["tokenizer"]
            ),
        output:
            **tables_of("allocation", batch),
        log:
            batch.log(
                f"{RESULTS}/logs/allocation/{{panel}}/{{model}}/step{{interval}}.log"
            ),
        wildcard_constraints:
            model=one_of(batch.models),
        conda:
            "../envs/rare-neurons.yaml"
        threads: 1
        params:
            panel=lambda w: w.panel,
            rules=lambda w: config["panels"][w.panel]["strata"],
            options=ASKED.declared_options("allocation"),
            between=between_of(batch),
            machine=MACHINE,
            version=VERSIONS["allocation"],
        script:
            "../scripts/allocation.py"


rule layer_evidence:
    """Whether the last layer carries more or less than its share, and whether influence moves between layers."""
    input:
        **all_shards(judged, shards=["layer_audit"]),
        integrity=lambda w: [
            PATH["integrity"].format(model=m) for m in judged_models(w.subject)
        ],
    output:
        PATH["timelines/layer_evidence"],
    log:
        f"{RESULTS}/logs/layer_evidence/{{subject}}.log",
    localrule: True
    conda:
        "../envs/rare-neurons.yaml"
    params:
        subject=lambda w: w.subject,
        models=lambda w: members(w.subject),
        controls=lambda w: controls(w.subject),
        places=places_of(judged, shards=["layer_audit"]),
        rule=config["evidence"]["rule"],
        version=VERSIONS["layer_evidence"],
    script:
        "../scripts/layer_evidence.py"
