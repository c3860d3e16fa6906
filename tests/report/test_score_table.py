from merec_hpc.evaluation.predictions import Prediction
from merec_hpc.report.score_table import score_table


def _predictions(*subjects: str) -> list[Prediction]:
    return [
        Prediction("genetic", "linear_svm", 0, subject, subject, f"{subject}_{label}", label, found)
        for subject in subjects
        for label, found in (("negative", "negative"), ("positive", "negative"))
    ]


def _parts(*subjects: str) -> list[tuple[str, int, int]]:
    rows = score_table(_predictions(*subjects))
    return [(row.database, row.n_clips, row.n_subjects) for row in rows]


def test_subjects_without_a_database_have_one_row() -> None:
    assert _parts("s01", "s02") == [("all", 4, 2)]


def test_a_single_database_is_not_repeated() -> None:
    assert _parts("smic_s01", "smic_s02") == [("all", 4, 2)]


def test_two_databases_have_a_row_each() -> None:
    assert _parts("smic_s01", "casme2_s01", "smic_s02") == [
        ("all", 6, 3),
        ("smic", 4, 2),
        ("casme2", 2, 1),
    ]
