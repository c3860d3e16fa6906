"""Fetch the weights of networks, once, on a machine with internet.

Outputs

    resources/weights/{weights}                     one file, its sha256 checked
"""


rule fetch_weights:
    output:
        "resources/weights/{weights}",
    log:
        "logs/fetch_weights/{weights}.log",
    localrule: True
    params:
        local=lambda wildcards: repeated(
            "--local", filter(None, [CONFIG.weights.get(wildcards.weights)])
        ),
    shell:
        r"""
        merec fetch-weights \
            --name {wildcards.weights:q} \
            --output {output:q} \
            {params.local:q} \
            2>&1 | tee {log:q}
        """
