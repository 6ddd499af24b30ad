"""Training the embedded models, and everything that is measured on one checkpoint's weights.

Requires: the models named in the configuration.
Makes: {results}/pretrain/{model}/recipe.json (checkpoints beside it), {results}/manifest/{model}/step{step}.json,
{results}/{spectra,eigenvalues,fingerprint}/{model}/step{step}.parquet,
{results}/{influence,cells,behaviour,moments,activations,gradients,set_spectra}/{panel}/{model}/step{step}.parquet
"""


rule pretrain:
    """Train an embedded model and keep its checkpoints beside the recipe."""
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
    """From a model and a step to a manifest: what the checkpoint is, and where its bytes are."""
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
    """Eigenvalue spectra of every weight matrix, and fingerprints of every tensor, in one lazy pass."""
    input:
        manifest=f"{RESULTS}/manifest/{{model}}/step{{step}}.json",
    output:
        **tables_of("spectra"),
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
    """One forward pass over the panel: influence of every final-layer neuron, behaviour, activations."""
    input:
        manifest=f"{RESULTS}/manifest/{{model}}/step{{step}}.json",
        contexts=PATH["panel/contexts"],
        targets=PATH["panel/targets"],
        unigram=corpus_table("unigram"),
        tokenizer=lambda w: f"{RESULTS}/tokenizer/{config['panels'][w.panel]['tokenizer']}/tokenizer.json",
    output:
        **tables_of("probe"),
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


rule set_spectra:
    """Do the weight rows of the most influential neurons point in common directions?"""
    input:
        manifest=f"{RESULTS}/manifest/{{model}}/step{{step}}.json",
        influence=PATH["influence"],
        activations=PATH["activations"],
        gradients=PATH["gradients"],
    output:
        **tables_of("set_spectra"),
    log:
        f"{RESULTS}/logs/set_spectra/{{panel}}/{{model}}/step{{step}}.log",
    # Soon after the probe, while the weights are still in the cache.
    priority: 1
    conda:
        "../envs/rare-neurons.yaml"
    threads: 1
    params:
        options=config["set_spectra"],
        version=VERSIONS["set_spectra"],
    script:
        "../scripts/set_spectra.py"
