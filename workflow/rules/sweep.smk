"""Search with many features, criteria and seeds: "snakemake sweep".

Inputs

    results/{experiment}/clips.tsv                      the clips and their apexes
    results/{experiment}/faces/{subject}.h5             registered frames
    resources/weights/{network}                         of the backbones

Outputs

    results/{experiment}/sweep/features/{...}.h5        a feature store for each kind of features
    results/{experiment}/sweep/selection/{...}/{fold}.h5
    results/{experiment}/sweep/predictions/{...}.csv
    results/{experiment}/sweep/predictions/{...}/seeds.csv   of the ensemble of all seeds
    results/{experiment}/sweep.csv                      one row for each variant, and for each ensemble of seeds
"""


use rule extract_features as sweep_extract_features with:
    output:
        store=f"{SWEEP}/features/{KIND}.h5",
    log:
        f"logs/sweep_extract_features/{{experiment}}/{KIND}.log",
    benchmark:
        f"logs/resources/sweep_extract_features/{{experiment}}/{KIND}.tsv"


use rule select_genetic as sweep_select_genetic with:
    input:
        store=f"{SWEEP}/features/{KIND}.h5",
        fold_table=fold_table,
        units=unit_tables(CONFIG, ["genetic"]),
    output:
        selection=f"{SWEEP}/selection/{VARIANTS.wildcard_pattern}/{{fold}}.h5",
    log:
        f"logs/sweep_select_genetic/{{experiment}}/{VARIANTS.wildcard_pattern}/{{fold}}.log",
    benchmark:
        f"logs/resources/sweep_select_genetic/{{experiment}}/{VARIANTS.wildcard_pattern}/{{fold}}.tsv"
    group:
        together("sweep_searches")
    params:
        settings=lambda wildcards: to_json(
            genetic_settings(CONFIG, wildcards.criterion, int(wildcards.seed))
        ),
        scaling=SCALING,


use rule evaluate_folds as sweep_evaluate_folds with:
    input:
        store=f"{SWEEP}/features/{KIND}.h5",
        folds="results/{experiment}/folds.tsv",  # whose checkpoint names the selections
        selections=sweep_selections,
        fold_table=fold_table,
    output:
        predictions=f"{SWEEP}/predictions/{VARIANTS.wildcard_pattern}.csv",
    log:
        f"logs/sweep_evaluate_folds/{{experiment}}/{VARIANTS.wildcard_pattern}.log",
    benchmark:
        f"logs/resources/sweep_evaluate_folds/{{experiment}}/{VARIANTS.wildcard_pattern}.tsv"
    group:
        together("sweep_scores")
    params:
        selections=lambda wildcards, input: repeated("--selection", input.selections),
        classifier=CONFIG.evaluation.classifier,


use rule evaluate_folds as sweep_evaluate_seeds with:
    input:
        store=f"{SWEEP}/features/{KIND}.h5",
        folds="results/{experiment}/folds.tsv",  # whose checkpoint names the selections
        selections=seeds_selections,
        fold_table=fold_table,
    output:
        predictions=f"{SWEEP}/predictions/{SEEDLESS}/seeds.csv",
    log:
        f"logs/sweep_evaluate_seeds/{{experiment}}/{SEEDLESS}.log",
    benchmark:
        f"logs/resources/sweep_evaluate_seeds/{{experiment}}/{SEEDLESS}.tsv"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt + 100 * len(CONFIG.sweep.seeds),
        runtime=lambda wildcards, attempt: (4 + len(CONFIG.sweep.seeds)) * attempt,
    params:
        selections=lambda wildcards, input: repeated("--selection", input.selections),
        classifier=CONFIG.evaluation.classifier,
        decider="ensemble",


rule collect_sweep:
    input:
        expand(f"{RESULTS}/sweep/predictions/{{variant}}.csv", variant=VARIANTS.instance_patterns),
        expand(
            f"{RESULTS}/sweep/predictions/{{seeds}}.csv",
            seeds=[variants[0].ensemble_path for variants in ensembles_of(CONFIG)],
        ),
    output:
        table="results/{experiment}/sweep.csv",
    log:
        "logs/collect_sweep/{experiment}.log",
    localrule: True
    params:
        folder=SWEEP,
        settings=config_json(CONFIG),
    shell:
        r"""
        merec collect-sweep \
            --folder {params.folder:q} \
            --settings {params.settings:q} \
            --output {output.table:q} \
            2>&1 | tee {log:q}
        """


rule sweep:
    input:
        f"{RESULTS}/sweep.csv",
    localrule: True
