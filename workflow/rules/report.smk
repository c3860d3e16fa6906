"""Render the report: one self-contained page.

Inputs

    results/{experiment}/predictions.csv                one row per clip and method
    results/{experiment}/selection/{method}/{fold}.h5   what was chosen in each fold
    results/{experiment}/failures.tsv                   clips left out
    results/{experiment}/blocks/{table}.csv             of each block of features, if there are any
    results/{experiment}/permutations/{method}/{job}.csv  scores of permuted labels, if asked for

    logs/resources/{rule}/{experiment}/...              what jobs used; not waited for

Outputs

    results/{experiment}/report/index.html
"""


rule render_report:
    input:
        predictions="results/{experiment}/predictions.csv",
        failures="results/{experiment}/failures.tsv",
        folds="results/{experiment}/folds.tsv",  # whose checkpoint names the selections
        selections=selections,
        permutations=permutations,
        blocks=block_tables,
    output:
        page="results/{experiment}/report/index.html",
    log:
        "logs/render_report/{experiment}.log",
    localrule: True
    params:
        selections=lambda wildcards, input: repeated("--selection", input.selections),
        permutations=lambda wildcards, input: repeated("--permutations", input.permutations),
        blocks=lambda wildcards, input: [
            part
            for option, path in zip(("--block-predictions", "--block-shares"), input.blocks)
            for part in (option, path)
        ],
        settings=config_json(CONFIG),
    shell:
        r"""
        merec render-report \
            --predictions {input.predictions:q} \
            --failures {input.failures:q} \
            {params.selections:q} \
            {params.permutations:q} \
            {params.blocks:q} \
            --settings {params.settings:q} \
            --output {output.page:q} \
            --benchmarks logs/resources \
            2>&1 | tee {log:q}
        """
