"""Register the faces of each subject, and list what was left out.

Inputs

    results/{experiment}/catalog.tsv                    one row a usable clip
    results/{experiment}/audit.tsv                      every fault found
    resources/weights/face_mesh                         of the landmark network, or
    resources/weights/dlib                              of dlib's predictor

Outputs

    results/{experiment}/faces/{subject}.h5             registered frames, landmarks, jitter
    results/{experiment}/faces/{subject}.failures.tsv   clips left out
    results/{experiment}/failures.tsv                   clips left out, of all stages
    results/{experiment}/folds.tsv                      one row a fold, of the clips that remain
    results/{experiment}/fold_subjects.tsv              whom each fold holds out
"""


rule register_faces:
    input:
        # Its rows of this subject are a parameter: other rows rerun nothing here.
        catalog=ancient("results/{experiment}/catalog.tsv"),
        weights=landmark_weights(CONFIG),
        # They are read by name: here, so that a changed one reruns its subject.
        tables=landmark_tables,
    output:
        faces="results/{experiment}/faces/{subject}.h5",
        failures="results/{experiment}/faces/{subject}.failures.tsv",
    log:
        "logs/register_faces/{experiment}/{subject}.log",
    benchmark:
        "logs/resources/register_faces/{experiment}/{subject}.tsv"
    group:
        together("faces")
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        root=ROOT,
        clips=clips_digest,
        weights=lambda wildcards, input: repeated("--landmark-weights", input.weights),
        settings=to_json(CONFIG.faces),
    shell:
        r"""
        : clips {params.clips}
        merec register-faces \
            --catalog {input.catalog:q} \
            --root {params.root:q} \
            --subject {wildcards.subject:q} \
            {params.weights:q} \
            --settings {params.settings:q} \
            --output {output.faces:q} \
            --failures {output.failures:q} \
            2>&1 | tee {log:q}
        """


checkpoint collect_failures:
    input:
        catalog="results/{experiment}/catalog.tsv",
        audit="results/{experiment}/audit.tsv",
        failures=per_subject("faces/{subject}.failures.tsv"),
    output:
        failures="results/{experiment}/failures.tsv",
        folds="results/{experiment}/folds.tsv",
        fold_table="results/{experiment}/fold_subjects.tsv",
    log:
        "logs/collect_failures/{experiment}.log",
    localrule: True
    params:
        failures=lambda wildcards, input: repeated("--failures", input.failures),
        max_failed_fraction=CONFIG.max_failed_fraction,
        settings=to_json(CONFIG.evaluation),
    shell:
        r"""
        merec collect-failures \
            --catalog {input.catalog:q} \
            --audit {input.audit:q} \
            {params.failures:q} \
            --max-failed-fraction {params.max_failed_fraction} \
            --output {output.failures:q} \
            --folds {output.folds:q} \
            --fold-table {output.fold_table:q} \
            --settings {params.settings:q} \
            2>&1 | tee {log:q}
        """
