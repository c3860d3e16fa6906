"""Bring every clip to the same number of frames (TIM), and draw what has become of it.

Inputs

    results/{experiment}/catalog.tsv                    the labels, for the pictures
    results/{experiment}/faces/{subject}.h5             registered frames
    results/{experiment}/faces/{subject}.failures.tsv   clips left out

Outputs

    results/{experiment}/clips/{subject}.h5             interpolated frames
    results/{experiment}/faces/{subject}.png            contact sheet of registered frames
    results/{experiment}/clips/{subject}.png            contact sheet of interpolated frames
"""


rule interpolate_clips:
    input:
        faces="results/{experiment}/faces/{subject}.h5",
    output:
        clips="results/{experiment}/clips/{subject}.h5",
    log:
        "logs/interpolate_clips/{experiment}/{subject}.log",
    benchmark:
        "logs/resources/interpolate_clips/{experiment}/{subject}.tsv"
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
            2>&1 | tee {log:q}
        """


rule draw_contact_sheets:
    input:
        # Its labels of this subject are a parameter: other rows draw nothing again.
        catalog=ancient("results/{experiment}/catalog.tsv"),
        faces="results/{experiment}/faces/{subject}.h5",
        failures="results/{experiment}/faces/{subject}.failures.tsv",
        clips="results/{experiment}/clips/{subject}.h5",
    output:
        faces="results/{experiment}/faces/{subject}.png",
        clips="results/{experiment}/clips/{subject}.png",
    log:
        "logs/draw_contact_sheets/{experiment}/{subject}.log",
    localrule: True
    params:
        labels=label_digest,
    shell:
        r"""
        : labels {params.labels}
        merec draw-contact-sheets \
            --catalog {input.catalog:q} \
            --subject {wildcards.subject:q} \
            --faces {input.faces:q} \
            --failures {input.failures:q} \
            --clips {input.clips:q} \
            --faces-sheet {output.faces:q} \
            --clips-sheet {output.clips:q} \
            2>&1 | tee {log:q}
        """
