"""Find the apex of every clip, where no sheet gives it.

Inputs

    results/{experiment}/catalog.tsv                    one row a usable clip
    results/{experiment}/faces/{subject}.h5             registered frames, landmarks

Outputs

    results/{experiment}/clips.tsv                      the catalog of the clips with faces, with apexes
"""


rule find_apexes:
    input:
        catalog="results/{experiment}/catalog.tsv",
        # Too many lost clips stop the run before anything heavy.
        failures=ancient("results/{experiment}/failures.tsv"),
        faces=per_subject("faces/{subject}.h5"),
    output:
        catalog="results/{experiment}/clips.tsv",
    log:
        "logs/find_apexes/{experiment}.log",
    benchmark:
        "logs/resources/find_apexes/{experiment}.tsv"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        faces=lambda wildcards, input: repeated("--faces", input.faces),
        settings=to_json(CONFIG.apex),
    shell:
        r"""
        merec find-apexes \
            --catalog {input.catalog:q} \
            {params.faces:q} \
            --settings {params.settings:q} \
            --output {output.catalog:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """
