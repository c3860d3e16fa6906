"""Choose features on the training subjects of each fold.

Inputs

    results/{experiment}/features/{network}.h5              deep features of all clips

Outputs

    results/{experiment}/selection/all_features/{fold}.h5   every feature, C chosen
    results/{experiment}/selection/random_masks/{fold}.h5   the best of random masks
    results/{experiment}/selection/{ranking}/{fold}.h5      the first of a ranking
    results/{experiment}/selection/{search}/{fold}.h5       one feature at a time
    results/{experiment}/selection/ant_colony/{fold}.h5     of ants
    results/{experiment}/selection/genetic/{fold}.h5        mask, C, history, populations

The last checkpoint of a search stays beside its selection, {fold}.h5.checkpoint: Snakemake
removes the outputs of a job that fails, and of all others in its group.
"""

STORE = f"results/{{experiment}}/features/{CONFIG.features.network}.h5"


rule select_all_features:
    input:
        store=STORE,
        fold_table=fold_table,
    output:
        selection="results/{experiment}/selection/all_features/{fold}.h5",
    log:
        "logs/select_all_features/{experiment}/{fold}.log",
    benchmark:
        "benchmarks/select_all_features/{experiment}/{fold}.tsv"
    group:
        together("controls")
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 5 * attempt,
    params:
        settings=to_json(CONFIG.all_features),
        scaling=CONFIG.scaling,
        folds=lambda wildcards, input: repeated("--fold-table", input.fold_table),
    shell:
        r"""
        merec select-all-features \
            --store {input.store:q} \
            --held-out {wildcards.fold:q} \
            {params.folds:q} \
            --settings {params.settings:q} \
            --scaling {params.scaling} \
            --output {output.selection:q} \
            2>&1 | tee {log:q}
        """


rule select_random_masks:
    input:
        store=STORE,
        fold_table=fold_table,
    output:
        selection="results/{experiment}/selection/random_masks/{fold}.h5",
    log:
        "logs/select_random_masks/{experiment}/{fold}.log",
    benchmark:
        "benchmarks/select_random_masks/{experiment}/{fold}.tsv"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 5 * attempt,
    params:
        settings=to_json(CONFIG.random_masks),
        scaling=CONFIG.scaling,
        folds=lambda wildcards, input: repeated("--fold-table", input.fold_table),
    shell:
        r"""
        merec select-random-masks \
            --store {input.store:q} \
            --held-out {wildcards.fold:q} \
            {params.folds:q} \
            --settings {params.settings:q} \
            --scaling {params.scaling} \
            --output {output.selection:q} \
            2>&1 | tee {log:q}
        """


rule select_ranking:
    input:
        store=STORE,
        fold_table=fold_table,
    output:
        selection="results/{experiment}/selection/{ranking}/{fold}.h5",
    log:
        "logs/select_ranking/{experiment}/{ranking}/{fold}.log",
    benchmark:
        "benchmarks/select_ranking/{experiment}/{ranking}/{fold}.tsv"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        settings=to_json(CONFIG.ranking),
        scaling=CONFIG.scaling,
        folds=lambda wildcards, input: repeated("--fold-table", input.fold_table),
    shell:
        r"""
        merec select-ranking \
            --store {input.store:q} \
            --held-out {wildcards.fold:q} \
            {params.folds:q} \
            --ranking {wildcards.ranking} \
            --settings {params.settings:q} \
            --scaling {params.scaling} \
            --output {output.selection:q} \
            2>&1 | tee {log:q}
        """


rule select_forward:
    input:
        store=STORE,
        fold_table=fold_table,
    output:
        selection="results/{experiment}/selection/{search}/{fold}.h5",
    log:
        "logs/select_forward/{experiment}/{search}/{fold}.log",
    benchmark:
        "benchmarks/select_forward/{experiment}/{search}/{fold}.tsv"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        settings=to_json(CONFIG.forward),
        scaling=CONFIG.scaling,
        folds=lambda wildcards, input: repeated("--fold-table", input.fold_table),
    shell:
        r"""
        merec select-forward \
            --store {input.store:q} \
            --held-out {wildcards.fold:q} \
            {params.folds:q} \
            --search {wildcards.search} \
            --settings {params.settings:q} \
            --scaling {params.scaling} \
            --output {output.selection:q} \
            2>&1 | tee {log:q}
        """


rule select_ant_colony:
    input:
        store=STORE,
        fold_table=fold_table,
    output:
        selection="results/{experiment}/selection/ant_colony/{fold}.h5",
    log:
        "logs/select_ant_colony/{experiment}/{fold}.log",
    benchmark:
        "benchmarks/select_ant_colony/{experiment}/{fold}.tsv"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        settings=to_json(CONFIG.ant_colony),
        scaling=CONFIG.scaling,
        folds=lambda wildcards, input: repeated("--fold-table", input.fold_table),
    shell:
        r"""
        merec select-ant-colony \
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
    output:
        selection="results/{experiment}/selection/genetic/{fold}.h5",
    log:
        "logs/select_genetic/{experiment}/{fold}.log",
    benchmark:
        "benchmarks/select_genetic/{experiment}/{fold}.tsv"
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
        scaling=CONFIG.scaling,
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
