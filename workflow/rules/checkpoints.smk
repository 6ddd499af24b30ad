"""Training the embedded models, and everything that is measured on one checkpoint's weights.

Requires: the models named in the configuration.
Makes: {results}/pretrain/{model}/recipe.json (checkpoints beside it), {results}/manifest/{model}/step{step}.json,
{results}/{spectra,fingerprint}/{model}/step{step}.parquet,
{results}/{influence,folds,behaviour,activations,gradients,groups}/{panel}/{model}/step{step}.parquet
"""


rule pretrain:
    input:
        tokens=training_table("tokens"),
        tokenizer=lambda w: f"{RESULTS}/tokenizer/{config['models'][w.model]['tokenizer']}/tokenizer.json",
    output:
        f"{RESULTS}/pretrain/{{model}}/recipe.json",
    log:
        f"{RESULTS}/logs/pretrain/{{model}}.log",
    wildcard_constraints:
        model="|".join(PRETRAINED) or "[^/]{0}",
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


rule resolve:
    input:
        files=checkpoint_files,
        tokenizer=lambda w: f"{RESULTS}/tokenizer/{config['models'][w.model]['tokenizer']}/tokenizer.json",
    output:
        f"{RESULTS}/manifest/{{model}}/step{{step}}.json",
    log:
        f"{RESULTS}/logs/resolve/{{model}}/step{{step}}.log",
    conda:
        "../envs/rare-neurons.yaml"
    params:
        model=lambda w: w.model,
        step=lambda w: int(w.step),
        entry=lambda w: {
            k: v
            for k, v in config["models"][w.model].items()
            if k in ("source", "path", "repo", "revision")
        },
        pretrained=lambda w: f"{RESULTS}/pretrain/{w.model}",
        version=VERSIONS["resolve"],
    script:
        "../scripts/resolve.py"


rule spectra:
    input:
        manifest=f"{RESULTS}/manifest/{{model}}/step{{step}}.json",
    output:
        spectra=f"{RESULTS}/spectra/{{model}}/step{{step}}.parquet",
        fingerprint=f"{RESULTS}/fingerprint/{{model}}/step{{step}}.parquet",
    log:
        f"{RESULTS}/logs/spectra/{{model}}/step{{step}}.log",
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


rule probe:
    input:
        manifest=f"{RESULTS}/manifest/{{model}}/step{{step}}.json",
        contexts=f"{RESULTS}/panel/{{panel}}/contexts.parquet",
        targets=f"{RESULTS}/panel/{{panel}}/targets.parquet",
        unigram=corpus_table("unigram"),
        tokenizer=lambda w: f"{RESULTS}/tokenizer/{config['panels'][w.panel]['tokenizer']}/tokenizer.json",
    output:
        influence=f"{RESULTS}/influence/{{panel}}/{{model}}/step{{step}}.parquet",
        folds=f"{RESULTS}/folds/{{panel}}/{{model}}/step{{step}}.parquet",
        behaviour=f"{RESULTS}/behaviour/{{panel}}/{{model}}/step{{step}}.parquet",
        activations=f"{RESULTS}/activations/{{panel}}/{{model}}/step{{step}}.parquet",
        gradients=f"{RESULTS}/gradients/{{panel}}/{{model}}/step{{step}}.parquet",
    log:
        f"{RESULTS}/logs/probe/{{panel}}/{{model}}/step{{step}}.log",
    priority: 1
    conda:
        "../envs/rare-neurons.yaml"
    threads: 1
    params:
        panel=lambda w: w.panel,
        rules=lambda w: config["panels"][w.panel]["strata"],
        options={k: v for k, v in config["probe"].items() if k != "placement"},
        version=VERSIONS["probe"],
    script:
        "../scripts/probe.py"


rule groups:
    input:
        manifest=f"{RESULTS}/manifest/{{model}}/step{{step}}.json",
        influence=f"{RESULTS}/influence/{{panel}}/{{model}}/step{{step}}.parquet",
        activations=f"{RESULTS}/activations/{{panel}}/{{model}}/step{{step}}.parquet",
        gradients=f"{RESULTS}/gradients/{{panel}}/{{model}}/step{{step}}.parquet",
    output:
        f"{RESULTS}/groups/{{panel}}/{{model}}/step{{step}}.parquet",
    log:
        f"{RESULTS}/logs/groups/{{panel}}/{{model}}/step{{step}}.log",
    # Soon after the probe, while the weights are still in the cache.
    priority: 1
    conda:
        "../envs/rare-neurons.yaml"
    threads: 1
    params:
        **config["groups"],
        version=VERSIONS["groups"],
    script:
        "../scripts/groups.py"
