"""What jobs used, from Snakemake's tables."""

from pathlib import Path

from merec_hpc.runs.resources import RuleResources, rule_resources

HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


def write(path: Path, s: str, max_rss: str, cpu_time: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{HEADER}{s}\t0:00:01\t{max_rss}\t1\t1\t1\t0\t0\t1\t{cpu_time}\n")


def test_jobs_are_summed_by_rule(tmp_path: Path) -> None:
    write(tmp_path / "faces" / "demo" / "s1.tsv", "2.5", "100.5", "2")
    write(tmp_path / "faces" / "demo" / "s2.tsv", "4.5", "300", "4")
    write(tmp_path / "search" / "demo" / "genetic" / "s2.tsv", "1", "NA", "NA")
    write(tmp_path / "simulate" / "demo.tsv", "7", "1", "1")
    write(tmp_path / "faces" / "other" / "s1.tsv", "9", "900", "9")
    (tmp_path / "a_script.py").touch()
    assert rule_resources(tmp_path, "demo") == [
        RuleResources("faces", "", 2, 7.0, 4.5, 300.0, 6.0),
        RuleResources("search", "genetic", 1, 1.0, 1.0, 0.0, 0.0),
        RuleResources("simulate", "", 1, 7.0, 7.0, 1.0, 1.0),
    ]


def test_methods_of_one_rule_have_rows_of_their_own_and_variants_of_a_sweep_one(
    tmp_path: Path,
) -> None:
    for fold in ("s1", "s2"):
        write(tmp_path / "select" / "demo" / "fisher" / f"{fold}.tsv", "1", "10", "1")
        write(tmp_path / "select" / "demo" / "mrmr" / f"{fold}.tsv", "3", "10", "2")
    for layer in ("1", "2"):
        write(tmp_path / "sweep" / "demo" / "network~a" / f"layer~{layer}.tsv", "5", "10", "5")
    (tmp_path / "sweep" / "demo" / "network~a" / "layer~3.tsv").write_text(HEADER)
    assert rule_resources(tmp_path, "demo") == [
        RuleResources("select", "fisher", 2, 2.0, 1.0, 10.0, 2.0),
        RuleResources("select", "mrmr", 2, 6.0, 3.0, 10.0, 4.0),
        RuleResources("sweep", "", 2, 10.0, 5.0, 10.0, 10.0),
    ]


def test_nothing_was_measured(tmp_path: Path) -> None:
    assert rule_resources(tmp_path / "absent", "demo") == []
