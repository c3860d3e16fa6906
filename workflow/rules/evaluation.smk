"""Predict every held-out subject once, and collect the predictions.

Inputs

    results/{experiment}/features/{features}.h5                 features of all clips
    results/{experiment}/selection/{method}/{fold}.h5           what was chosen in each fold

Outputs

    results/{experiment}/evaluation/{method}/{classifier}.csv   predictions of one method
    results/{experiment}/predictions.csv                        one row per clip and method
    results/{experiment}/chosen_features.csv                    one row per chosen feature
    results/{experiment}/blocks/predictions.csv                 of each block of features alone
    results/{experiment}/blocks/shares.csv                      how much of each mask lies in each
"""


rule evaluate_folds:
    input:
        store=STORE,
        folds="results/{experiment}/folds.tsv",  # whose checkpoint names the selections
        selections=selections,
        fold_table=fold_table,
    output:
        predictions="results/{experiment}/evaluation/{method}/{classifier}.csv",
    log:
        "logs/evaluate_folds/{experiment}/{method}/{classifier}.log",
    benchmark:
        "logs/resources/evaluate_folds/{experiment}/{method}/{classifier}.tsv"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 5 * attempt,
    params:
        selections=lambda wildcards, input: repeated("--selection", input.selections),
        classifier="{classifier}",
        oversampling=CONFIG.evaluation.oversampling,
        decider=lambda wildcards: method_of(wildcards).decider,
        fold_table=lambda wildcards, input: repeated("--fold-table", input.fold_table),
    shell:
        r"""
        merec evaluate-folds \
            --store {input.store:q} \
            {params.selections:q} \
            {params.fold_table:q} \
            --classifier {params.classifier:q} \
            --oversampling {params.oversampling} \
            --decider {params.decider} \
            --output {output.predictions:q} \
            2>&1 | tee {log:q}
        """


rule collect_predictions:
    input:
        store=STORE,
        folds="results/{experiment}/folds.tsv",  # whose checkpoint names the selections
        selections=selections,
        evaluations=expand(
            "results/{{experiment}}/evaluation/{method}/{classifier}.csv",
            method=map(str, CONFIG.evaluation.methods),
            classifier=CONFIG.evaluation.classifier,
        ),
    output:
        predictions="results/{experiment}/predictions.csv",
        chosen="results/{experiment}/chosen_features.csv",
    log:
        "logs/collect_predictions/{experiment}.log",
    localrule: True
    params:
        evaluations=lambda wildcards, input: repeated("--evaluation", input.evaluations),
        selections=lambda wildcards, input: repeated("--selection", input.selections),
    shell:
        r"""
        merec collect-predictions \
            --store {input.store:q} \
            {params.evaluations:q} \
            {params.selections:q} \
            --output {output.predictions:q} \
            --chosen-features {output.chosen:q} \
            2>&1 | tee {log:q}
        """


rule evaluate_blocks:
    input:
        store=STORE,
        folds="results/{experiment}/folds.tsv",  # whose checkpoint names the selections
        selections=selections,
        fold_table=fold_table,
    output:
        predictions=f"results/{{experiment}}/{BLOCKS}/predictions.csv",
        shares=f"results/{{experiment}}/{BLOCKS}/shares.csv",
    log:
        "logs/evaluate_blocks/{experiment}.log",
    benchmark:
        "logs/resources/evaluate_blocks/{experiment}.tsv"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 15 * attempt,
    params:
        folds=lambda wildcards: repeated("--held-out", fold_names()),
        selections=lambda wildcards, input: repeated("--selection", input.selections),
        fold_table=lambda wildcards, input: repeated("--fold-table", input.fold_table),
        settings=to_json(CONFIG.all_features),
        scaling=SCALING,
    shell:
        r"""
        merec evaluate-blocks \
            --store {input.store:q} \
            {params.folds:q} \
            {params.fold_table:q} \
            {params.selections:q} \
            --settings {params.settings:q} \
            --scaling {params.scaling} \
            --output {output.predictions:q} \
            --shares {output.shares:q} \
            2>&1 | tee {log:q}
        """
