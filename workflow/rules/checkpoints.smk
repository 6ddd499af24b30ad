"""Training the embedded models, and everything that is measured on one checkpoint's weights.

Requires: the models named in the configuration.
Makes: {results}/pretrain/{model}/{recipe.json,step{step}/}, {results}/manifest/{model}/step{step}.json,
{results}/{spectra,eigenvalues,fingerprint}/{model}/step{step}.parquet,
{results}/{influence,cells,behaviour,moments,activations,gradients}/{panel}/{model}/step{step}.parquet,
{results}/{set_spectra and each table of a metric}/{panel}/{model}/step{step}.parquet

Four rules for every batch: one for single checkpoints, and one for each sequence of steps that a job measures together.
"""

OF_INFLUENCE = ("set_spectra", *(metric.name for metric in METRICS))


for training in TRAININGS:

    rule:
        """Train an embedded model and keep its checkpoints beside the recipe."""
        name:
            training.rule("pretrain")
        input:
            tokens=training_table("tokens"),
            # Lies beside the tokens; a job elsewhere has only what is named.
            unigram=training_table("unigram") if FAR else [],
            tokenizer=lambda w: TOKENIZER.format(
                tokenizer=config["models"][w.model]["tokenizer"]
            ),
        output:
            RECIPE,
            f"{RECIPE}.sha256",
            directory(training.paths(TRAINED)),
        log:
            f"{RESULTS}/logs/pretrain/{{model}}.log",
        wildcard_constraints:
            model=one_of(training.models),
        # Before anything is measured: what is measured of the last training waits for nothing but its end.
        priority: 2
        conda:
            "../envs/rare-neurons.yaml"
        # One thread whatever --cores says: bytes depend on the number of threads.
        threads: 1
        params:
            model=lambda w: w.model,
            recipe=lambda w: config["recipes"][config["models"][w.model]["recipe"]],
            steps=lambda w: STEPS[w.model],
            seed=lambda w: config["models"][w.model]["seed"],
            text=lambda w: config["models"][w.model]["text"],
            version=VERSIONS["pretrain"],
        script:
            "../scripts/pretrain.py"


for batch in BATCHES:

    rule:
        """From a model and a step to a manifest: what the checkpoint is, and where its bytes are."""
        name:
            batch.rule("resolve")
        input:
            **named(
                files=files_of_checkpoints(batch),
                folders=folders_of_checkpoints(batch),
            ),
            tokenizer=lambda w: (
                TOKENIZER.format(tokenizer=config["models"][w.model]["tokenizer"])
                if ASKED.measures_influence
                else []
            ),
        output:
            batch.paths(MANIFEST),
        log:
            batch.log(f"{RESULTS}/logs/resolve/{{model}}/step{{step}}.log"),
        wildcard_constraints:
            model=one_of(batch.models),
        # Seconds, and the Hub has been asked here already; but weights in storage are not fetched here to be looked at.
        localrule: not FAR or of_hub(batch)
        conda:
            "../envs/rare-neurons.yaml"
        params:
            model=lambda w: w.model,
            steps=batch.steps_of,
            entry=lambda w: {
                k: v
                for k, v in config["models"][w.model].items()
                if k in ("source", "path", "repo", "revision")
            },
            pretrained=lambda w: f"{RESULTS}/pretrain/{w.model}",
            version=VERSIONS["resolve"],
        script:
            "../scripts/resolve.py"

    rule:
        """Eigenvalue spectra of every weight matrix, and fingerprints of every tensor, in one lazy pass."""
        name:
            batch.rule("spectra")
        input:
            **named(folders=folders_of_checkpoints(batch)),
            manifests=paths_of_job(batch, MANIFEST),
        output:
            **tables_of("spectra", batch),
        log:
            batch.log(f"{RESULTS}/logs/spectra/{{model}}/step{{step}}.log"),
        wildcard_constraints:
            model=one_of(batch.models),
        # Before the next checkpoint is resolved: while its weights are in the cache.
        priority: 1
        conda:
            "../envs/rare-neurons.yaml"
        threads: 1
        params:
            options=config["spectra"],
            n_projections=config["integrity"]["n_projections"],
            version=VERSIONS["spectra"],
        script:
            "../scripts/spectra.py"

    rule:
        """One forward pass over the panel: influence of every final-layer neuron, behaviour, activations."""
        name:
            batch.rule("probe")
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
            **tables_of("probe", batch),
        log:
            batch.log(f"{RESULTS}/logs/probe/{{panel}}/{{model}}/step{{step}}.log"),
        wildcard_constraints:
            model=one_of(batch.models),
        priority: 1
        conda:
            "../envs/rare-neurons.yaml"
        threads: 1
        params:
            panel=lambda w: w.panel,
            rules=lambda w: config["panels"][w.panel]["strata"],
            options=ASKED.probe_options,
            version=VERSIONS["probe"],
        script:
            "../scripts/probe.py"

    rule:
        """What takes seconds once the influence is known: every metric of the catalogue, and the spectra of sets."""
        name:
            batch.rule("metrics")
        input:
            **named(folders=folders_of_checkpoints(batch)),
            manifest=paths_of_job(batch, MANIFEST),
            influence=paths_of_job(batch, PATH["influence"]),
            cells=paths_of_job(batch, PATH["cells"]),
            activations=paths_of_job(batch, PATH["activations"]),
            gradients=paths_of_job(batch, PATH["gradients"]),
            null_tables=null_tables_of,
        output:
            **{
                name: paths
                for rule in OF_INFLUENCE
                for name, paths in tables_of(rule, batch).items()
            },
        log:
            batch.log(f"{RESULTS}/logs/metrics/{{panel}}/{{model}}/step{{step}}.log"),
        wildcard_constraints:
            model=one_of(batch.models),
        # Soon after the probe, while the weights are still in the cache.
        priority: 1
        conda:
            "../envs/rare-neurons.yaml"
        threads: 1
        params:
            options={rule: ASKED.metric_options(rule) for rule in OF_INFLUENCE},
            versions={rule: VERSIONS[rule] for rule in OF_INFLUENCE},
        script:
            "../scripts/metrics.py"
