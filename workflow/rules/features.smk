"""Extract the deep features of all clips.

Inputs

    results/{experiment}/catalog.tsv                    the order of the clips
    results/{experiment}/clips/{subject}.h5             interpolated frames
    resources/weights/{network}                         of the backbone

Outputs

    results/{experiment}/features/{network}.h5          the feature store
"""


rule extract_features:
    input:
        catalog=ancient("results/{experiment}/catalog.tsv"),
        # Too many lost clips stop the run before anything heavy.
        failures=ancient("results/{experiment}/failures.tsv"),
        weights="resources/weights/{network}",
        clips=per_subject("clips/{subject}.h5"),
    output:
        store="results/{experiment}/features/{network}.h5",
    log:
        "logs/extract_features/{experiment}/{network}.log",
    benchmark:
        "benchmarks/extract_features/{experiment}/{network}.tsv"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        clips=lambda wildcards, input: repeated("--clips", input.clips),
        settings=to_json(CONFIG.features),
    shell:
        r"""
        merec extract-features \
            --catalog {input.catalog:q} \
            {params.clips:q} \
            --weights {input.weights:q} \
            --settings {params.settings:q} \
            --output {output.store:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """
