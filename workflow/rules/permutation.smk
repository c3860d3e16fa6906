"""Run methods again on labels permuted within subjects, if the configuration asks for it.

Inputs

    results/{experiment}/features/{features}.h5              features of all clips
    results/{experiment}/fold_subjects.tsv                   whom each fold holds out

Outputs

    results/{experiment}/permutations/{method}/{job}.csv     scores, one row a permutation
"""


rule run_permutation:
    input:
        store=STORE,
        fold_table="results/{experiment}/fold_subjects.tsv",
        units=lambda wildcards: unit_tables(CONFIG, [method_of(wildcards).selector]),
    output:
        runs="results/{experiment}/permutations/{method}/{job}.csv",
    log:
        "logs/run_permutation/{experiment}/{method}/{job}.log",
    benchmark:
        "logs/resources/run_permutation/{experiment}/{method}/{job}.tsv"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        settings=lambda wildcards: to_json(selector_settings(CONFIG, method_of(wildcards).selector)),
        scaling=SCALING,
        seed=CONFIG.permutation.seed,
        permutations=lambda wildcards: repeated(
            "--permutation", map(str, permutation_numbers(CONFIG, int(wildcards.job)))
        ),
    shell:
        r"""
        merec run-permutation \
            --store {input.store:q} \
            --fold-table {input.fold_table:q} \
            --method {wildcards.method:q} \
            {params.permutations} \
            --settings {params.settings:q} \
            --scaling {params.scaling} \
            --seed {params.seed} \
            --output {output.runs:q} \
            2>&1 | tee {log:q}
        """
