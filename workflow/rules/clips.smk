"""Draw each subject's clips; keep them, interpolated, where that is asked for.

Inputs

    results/{experiment}/clips.tsv                      the labels and apexes, for the pictures
    results/{experiment}/faces/{subject}.h5             registered frames
    results/{experiment}/faces/{subject}.failures.tsv   clips left out

Outputs

    results/{experiment}/faces/{subject}.png            contact sheet of registered frames and flow
    results/{experiment}/clips/{subject}.png            contact sheet of interpolated frames
    results/{experiment}/clips/{subject}.h5             interpolated frames, with clips.keep
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
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        settings=to_json(CONFIG.interpolation),
        clips=to_json(CONFIG.clips),
    shell:
        r"""
        merec interpolate-clips \
            --faces {input.faces:q} \
            --settings {params.settings:q} \
            --clips {params.clips:q} \
            --output {output.clips:q} \
            2>&1 | tee {log:q}
        """


rule draw_contact_sheets:
    input:
        catalog="results/{experiment}/clips.tsv",
        faces="results/{experiment}/faces/{subject}.h5",
        failures="results/{experiment}/faces/{subject}.failures.tsv",
    output:
        faces="results/{experiment}/faces/{subject}.png",
        clips="results/{experiment}/clips/{subject}.png",
    log:
        "logs/draw_contact_sheets/{experiment}/{subject}.log",
    localrule: True
    params:
        interpolation=to_json(CONFIG.interpolation),
        flow=to_json(drawn_flow(CONFIG)),
    shell:
        r"""
        merec draw-contact-sheets \
            --catalog {input.catalog:q} \
            --subject {wildcards.subject:q} \
            --faces {input.faces:q} \
            --failures {input.failures:q} \
            --interpolation {params.interpolation:q} \
            --flow {params.flow:q} \
            --faces-sheet {output.faces:q} \
            --clips-sheet {output.clips:q} \
            2>&1 | tee {log:q}
        """
