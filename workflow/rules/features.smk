"""Extract the deep features of all clips.

Inputs

    results/{experiment}/catalog.tsv                    the order of the clips
    results/{experiment}/clips/{subject}.h5             interpolated frames
    resources/weights/{network}                         of the backbone

Outputs

    results/{experiment}/features/{network}.h5          the feature store
    results/{experiment}/features/lbp_top.h5            the same, of local binary patterns
"""


# No network: its own rule.
ruleorder: extract_lbp_top > extract_features


rule extract_features:
    input:
        # Its labels are a parameter.
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
        labels=labels_digest,
        settings=to_json(CONFIG.features),
    shell:
        r"""
        : labels {params.labels}
        merec extract-features \
            --catalog {input.catalog:q} \
            {params.clips:q} \
            --weights {input.weights:q} \
            --settings {params.settings:q} \
            --output {output.store:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """


rule extract_lbp_top:
    input:
        catalog=ancient("results/{experiment}/catalog.tsv"),
        failures=ancient("results/{experiment}/failures.tsv"),
        clips=per_subject("clips/{subject}.h5"),
    output:
        store="results/{experiment}/features/lbp_top.h5",
    log:
        "logs/extract_lbp_top/{experiment}.log",
    benchmark:
        "benchmarks/extract_lbp_top/{experiment}.tsv"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        clips=lambda wildcards, input: repeated("--clips", input.clips),
        labels=labels_digest,
        settings=to_json(CONFIG.lbp_top),
    shell:
        r"""
        : labels {params.labels}
        merec extract-lbp-top \
            --catalog {input.catalog:q} \
            {params.clips:q} \
            --settings {params.settings:q} \
            --output {output.store:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """
