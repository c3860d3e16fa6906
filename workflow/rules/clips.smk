"""Bring every clip to the same number of frames (TIM).

Inputs

    results/{experiment}/faces/{subject}.h5             registered frames

Outputs

    results/{experiment}/clips/{subject}.h5             interpolated frames
    results/{experiment}/clips/{subject}.png            contact sheet
"""


rule interpolate_clips:
    input:
        faces="results/{experiment}/faces/{subject}.h5",
    output:
        clips="results/{experiment}/clips/{subject}.h5",
        sheet="results/{experiment}/clips/{subject}.png",
    log:
        "logs/interpolate_clips/{experiment}/{subject}.log",
    benchmark:
        "benchmarks/interpolate_clips/{experiment}/{subject}.tsv"
    group:
        together("clips")
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 5 * attempt,
    params:
        settings=to_json(CONFIG.interpolation),
    shell:
        r"""
        merec interpolate-clips \
            --faces {input.faces:q} \
            --settings {params.settings:q} \
            --output {output.clips:q} \
            --contact-sheet {output.sheet:q} \
            2>&1 | tee {log:q}
        """
