"""List and audit the clips of a dataset; make the embedded one.

Inputs

    the folder of a dataset as released                 unless it is the simulated one

Outputs

    results/{experiment}/simulated/                     the embedded dataset
    results/{experiment}/catalog.tsv                    one row a usable clip
    results/{experiment}/audit.tsv                      every fault found
"""


rule simulate:
    output:
        directory("results/{experiment}/simulated"),
    log:
        "logs/simulate/{experiment}.log",
    benchmark:
        "logs/resources/simulate/{experiment}.tsv"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        settings=to_json(CONFIG.dataset_settings) if SIMULATED else "{}",
    shell:
        r"""
        merec simulate \
            --output {output:q} \
            --settings {params.settings:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """


checkpoint index_dataset:
    input:
        dataset,
    output:
        catalog="results/{experiment}/catalog.tsv",
        audit="results/{experiment}/audit.tsv",
    log:
        "logs/index_dataset/{experiment}.log",
    localrule: True
    params:
        dataset=CONFIG.dataset,
        root=ROOT,
        settings=to_json(CONFIG.dataset_settings),
        folders=dataset_digest,
        corrections=repeated("--corrections", map(str, filter(None, [CONFIG.corrections]))),
    shell:
        r"""
        : folders {params.folders}
        merec index-dataset \
            --dataset {params.dataset:q} \
            --root {params.root:q} \
            --settings {params.settings:q} \
            {params.corrections:q} \
            --catalog {output.catalog:q} \
            --audit {output.audit:q} \
            2>&1 | tee {log:q}
        """
