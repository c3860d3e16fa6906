"""From a dataset to a report: the include list is the order in which the data flows."""

from snakemake.utils import min_version

min_version("9.27")


configfile: "config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/weights.smk"
include: "workflow/rules/dataset.smk"
include: "workflow/rules/faces.smk"
include: "workflow/rules/apexes.smk"
include: "workflow/rules/clips.smk"
include: "workflow/rules/features.smk"
include: "workflow/rules/selection.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/permutation.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/sweep.smk"


onerror:
    if workflow.is_main_process:
        print("stopped: the same command goes on from here; merec status says how far it is")


rule all:
    default_target: True
    input:
        f"{RESULTS}/report/index.html",
        f"{RESULTS}/catalog.tsv",
        f"{RESULTS}/folds.tsv",
        # Asked for by name, so that a deleted file is made again, and all that follows from it.
        per_subject("faces/{subject}.h5"),
        f"{RESULTS}/clips.tsv",
        per_subject("clips/{subject}.h5") if CONFIG.clips.keep else [],
        per_subject("faces/{subject}.png"),
        per_subject("clips/{subject}.png"),
        block_stores,
        STORE.format(experiment=CONFIG.experiment),
        block_tables,
        selections,
        expand(
            f"{RESULTS}/evaluation/{{method}}/{CONFIG.evaluation.classifier}.csv",
            method=map(str, CONFIG.evaluation.methods),
        ),
        f"{RESULTS}/predictions.csv",
        f"{RESULTS}/chosen_features.csv",
    localrule: True
