"""Choose features on the training subjects of each fold.

Inputs

    results/{experiment}/features/{features}.h5             features of all clips

Outputs

    results/{experiment}/selection/{selector}/{fold}.h5     mask, C, history, populations

The last checkpoint of a search stays beside its selection, {fold}.h5.checkpoint: Snakemake
removes the outputs of a job that fails, and of all others in its group.
"""


# Of ranks, with checkpoints: its own rule.
ruleorder: select_genetic > select


rule select:
    input:
        store=STORE,
        fold_table=fold_table,
        units=lambda wildcards: unit_tables(CONFIG, [wildcards.selector]),
    output:
        selection="results/{experiment}/selection/{selector}/{fold}.h5",
    log:
        "logs/select/{experiment}/{selector}/{fold}.log",
    benchmark:
        "logs/resources/select/{experiment}/{selector}/{fold}.tsv"
    group:
        together("controls", "all_features")
    resources:
        mem_mb=asked("memory_mb"),
        runtime=asked("minutes"),
    params:
        settings=lambda wildcards: to_json(selector_settings(CONFIG, wildcards.selector)),
        scaling=SCALING,
        folds=lambda wildcards, input: repeated("--fold-table", input.fold_table),
    shell:
        r"""
        merec select \
            --method {wildcards.selector} \
            --store {input.store:q} \
            --held-out {wildcards.fold:q} \
            {params.folds:q} \
            --settings {params.settings:q} \
            --scaling {params.scaling} \
            --output {output.selection:q} \
            2>&1 | tee {log:q}
        """


rule select_genetic:
    input:
        store=STORE,
        fold_table=fold_table,
        units=unit_tables(CONFIG, ["genetic"]),
    output:
        selection="results/{experiment}/selection/genetic/{fold}.h5",
    log:
        "logs/select_genetic/{experiment}/{fold}.log",
    benchmark:
        "logs/resources/select_genetic/{experiment}/{fold}.tsv"
    group:
        together("searches")
    threads: 2  # as many as ranks, for local runs
    resources:
        tasks=2,
        mpi="mpiexec",
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        settings=to_json(CONFIG.genetic),
        scaling=SCALING,
        folds=lambda wildcards, input: repeated("--fold-table", input.fold_table),
    shell:
        r"""
        {resources.mpi} -n {resources.tasks} python -m mpi4py -m merec_hpc select-genetic \
            --store {input.store:q} \
            --held-out {wildcards.fold:q} \
            {params.folds:q} \
            --settings {params.settings:q} \
            --scaling {params.scaling} \
            --ranks {resources.tasks} \
            --keep-checkpoint \
            --output {output.selection:q} \
            2>&1 | tee {log:q}
        """
