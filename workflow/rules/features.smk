"""Extract the deep features of all clips.

Inputs

    results/{experiment}/catalog.tsv                    the order of the clips
    results/{experiment}/clips/{subject}.h5             interpolated frames
    resources/weights/{network}                         of the network, where features are of one

Outputs

    results/{experiment}/features/{features}.h5         the feature store, by network or extractor
"""


rule extract_features:
    input:
        # Its labels are a parameter.
        catalog=ancient("results/{experiment}/catalog.tsv"),
        # Too many lost clips stop the run before anything heavy.
        failures=ancient("results/{experiment}/failures.tsv"),
        weights=feature_weights,
        clips=per_subject("clips/{subject}.h5"),
    output:
        store="results/{experiment}/features/{features}.h5",
    log:
        "logs/extract_features/{experiment}/{features}.log",
    benchmark:
        "logs/resources/extract_features/{experiment}/{features}.tsv"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: kind_of(wildcards).memory_mb * attempt,
        runtime=lambda wildcards, attempt: kind_of(wildcards).minutes * attempt,
    params:
        extractor=lambda wildcards: extractor_of(features_of(wildcards)),
        clips=lambda wildcards, input: repeated("--clips", input.clips),
        weights=lambda wildcards, input: repeated("--weights", input.weights),
        labels=label_digest,
        settings=lambda wildcards: to_json(extractor_settings(CONFIG, wildcards.features)),
    shell:
        r"""
        : labels {params.labels}
        merec extract-features \
            --extractor {params.extractor} \
            --catalog {input.catalog:q} \
            {params.clips:q} \
            {params.weights:q} \
            --settings {params.settings:q} \
            --output {output.store:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """
