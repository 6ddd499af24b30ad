"""Corpus, tokenizer, strata and panel.

Requires: the text sources named under `corpora`.
Makes: {results}/text/{corpus}.parquet, {results}/tokenizer/{tokenizer}/tokenizer.json,
{results}/corpus/{corpus}/{tokenizer}/{tokens,unigram}.parquet, {results}/panel/{panel}/{contexts,targets,strata}.parquet
"""


rule text:
    input:
        local_files,
    output:
        f"{RESULTS}/text/{{corpus}}.parquet",
    log:
        f"{RESULTS}/logs/text/{{corpus}}.log",
    conda:
        "../envs/rare-neurons.yaml"
    params:
        corpus=lambda w: w.corpus,
        source=source_keys,
        heldout_every=lambda w: config["corpora"][w.corpus].get("heldout_every"),
        version=VERSIONS["text"],
    script:
        "../scripts/text.py"


rule tokenizer:
    input:
        lambda w: (
            [f"{RESULTS}/text/{config['tokenizers'][w.tokenizer]['corpus']}.parquet"]
            if "corpus" in config["tokenizers"][w.tokenizer]
            else []
        ),
    output:
        f"{RESULTS}/tokenizer/{{tokenizer}}/tokenizer.json",
    log:
        f"{RESULTS}/logs/tokenizer/{{tokenizer}}.log",
    conda:
        "../envs/rare-neurons.yaml"
    params:
        source=lambda w: config["tokenizers"][w.tokenizer],
        version=VERSIONS["tokenizer"],
    script:
        "../scripts/tokenizer.py"


rule corpus:
    input:
        text=f"{RESULTS}/text/{{corpus}}.parquet",
        tokenizer=f"{RESULTS}/tokenizer/{{tokenizer}}/tokenizer.json",
        counts=lambda w: config["corpora"][w.corpus].get("unigram_counts", []),
    output:
        tokens=f"{RESULTS}/corpus/{{corpus}}/{{tokenizer}}/tokens.parquet",
        unigram=f"{RESULTS}/corpus/{{corpus}}/{{tokenizer}}/unigram.parquet",
    log:
        f"{RESULTS}/logs/corpus/{{corpus}}/{{tokenizer}}.log",
    conda:
        "../envs/rare-neurons.yaml"
    params:
        end_of_text=lambda w: config["tokenizers"][w.tokenizer]["end_of_text"],
        smoothing=lambda w: config["corpora"][w.corpus]["smoothing"],
        max_tokens=lambda w: config["corpora"][w.corpus].get("max_tokens"),
        version=VERSIONS["corpus"],
    script:
        "../scripts/corpus.py"


rule panel:
    input:
        tokens=corpus_table("tokens"),
        unigram=corpus_table("unigram"),
    output:
        contexts=f"{RESULTS}/panel/{{panel}}/contexts.parquet",
        targets=f"{RESULTS}/panel/{{panel}}/targets.parquet",
        strata=f"{RESULTS}/panel/{{panel}}/strata.parquet",
    log:
        f"{RESULTS}/logs/panel/{{panel}}.log",
    conda:
        "../envs/rare-neurons.yaml"
    params:
        panel=lambda w: w.panel,
        settings=lambda w: {
            k: v
            for k, v in config["panels"][w.panel].items()
            if k not in ("corpus", "tokenizer")
        },
        version=VERSIONS["panel"],
    script:
        "../scripts/panel.py"
