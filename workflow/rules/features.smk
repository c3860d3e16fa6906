"""Extract the features of all clips; join those of several extractions.

Inputs

    results/{experiment}/clips.tsv                      the clips that have faces, their apexes
    results/{experiment}/audit.tsv                      every fault found
    results/{experiment}/faces/{subject}.h5             registered frames
    resources/weights/{network}                         of the network, where features are of one

Outputs

    results/{experiment}/features/{features}.h5         a feature store, by network, extractor or block
    results/{experiment}/features/blocks.h5             a view of several of them, side by side
    results/{experiment}/flow/{subject}.h5              flow as images for networks: "snakemake flow"
"""


rule extract_features:
    input:
        catalog="results/{experiment}/clips.tsv",
        # Too many lost clips stop the run before anything heavy.
        failures=ancient("results/{experiment}/failures.tsv"),
        # Recorded with the features; what is in it changes none of them.
        audit=ancient("results/{experiment}/audit.tsv"),
        weights=feature_weights,
        faces=per_subject("faces/{subject}.h5"),
    output:
        store="results/{experiment}/features/{features}.h5",
    log:
        "logs/extract_features/{experiment}/{features}.log",
    benchmark:
        "logs/resources/extract_features/{experiment}/{features}.tsv"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: extraction(wildcards).kind.memory_mb * attempt,
        runtime=lambda wildcards, attempt: extraction(wildcards).kind.minutes * attempt,
    params:
        extractor=lambda wildcards: extraction(wildcards).extractor,
        faces=lambda wildcards, input: repeated("--faces", input.faces),
        weights=lambda wildcards, input: repeated("--weights", input.weights),
        settings=lambda wildcards: to_json(extraction(wildcards).settings),
        interpolation=lambda wildcards: to_json(extraction(wildcards).interpolation(CONFIG)),
    shell:
        r"""
        merec extract-features \
            --extractor {params.extractor} \
            --catalog {input.catalog:q} \
            --audit {input.audit:q} \
            {params.faces:q} \
            {params.weights:q} \
            --settings {params.settings:q} \
            --interpolation {params.interpolation:q} \
            --output {output.store:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """


rule join_features:
    input:
        stores=block_stores,
    output:
        view=f"results/{{experiment}}/features/{BLOCKS}.h5",
    log:
        "logs/join_features/{experiment}.log",
    localrule: True
    params:
        blocks=repeated("--block", [one.name for one in extractions(CONFIG)]),
        weights=repeated("--weight", [str(one.weight or "equal") for one in extractions(CONFIG)]),
        stores=lambda wildcards, input: repeated("--store", input.stores),
    shell:
        r"""
        merec join-features \
            {params.blocks:q} \
            {params.stores:q} \
            {params.weights:q} \
            --output {output.view:q} \
            2>&1 | tee {log:q}
        """


rule compute_flow:
    input:
        catalog="results/{experiment}/clips.tsv",
        faces="results/{experiment}/faces/{subject}.h5",
    output:
        flow="results/{experiment}/flow/{subject}.h5",
    log:
        "logs/compute_flow/{experiment}/{subject}.log",
    benchmark:
        "logs/resources/compute_flow/{experiment}/{subject}.tsv"
    group:
        together("flow")
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        settings=to_json(drawn_flow(CONFIG)),
    shell:
        r"""
        merec compute-flow \
            --catalog {input.catalog:q} \
            --faces {input.faces:q} \
            --settings {params.settings:q} \
            --output {output.flow:q} \
            2>&1 | tee {log:q}
        """


rule flow:
    input:
        per_subject("flow/{subject}.h5"),
    localrule: True
