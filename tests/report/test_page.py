import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from merec_hpc import __version__
from merec_hpc.config.base import to_json
from merec_hpc.config.evaluation import EvaluationSettings
from merec_hpc.config.whole import Config
from merec_hpc.evaluation.permutation import PermutationRow
from merec_hpc.evaluation.predictions import Prediction
from merec_hpc.learning.averages import class_averages
from merec_hpc.metrics import (
    METRICS,
    accuracy,
    subject_bootstrap,
    unweighted_average_recall,
    unweighted_f1,
)
from merec_hpc.records import Failure, History, Population, Selection
from merec_hpc.report.comparisons import compare_with, describe_stability
from merec_hpc.report.page import render_page
from merec_hpc.runs.resources import RuleResources

SETTINGS = EvaluationSettings(n_bootstraps=40, seed=1)
CONFIG = to_json(Config())
SUBJECTS = ("s01", "s01", "s01", "s02", "s02", "s03", "s03", "s03")
LABELS = ("negative",) * 3 + ("positive", "negative", "surprise", "negative", "positive")
FOUND = {
    "all_features": ("negative", "positive", "negative", "positive") + ("negative",) * 4,
    "genetic": ("negative",) * 3 + ("positive", "surprise", "surprise", "negative", "negative"),
}
N_FEATURES = 40
N_SELECTED = {"all_features": (40, 40, 40), "genetic": (9, 15, 12)}
FAILURES = [Failure("s02_po_07", "s02", "register_faces", "no face of at least 72 pixels")]


class _Page(HTMLParser):
    """The tags of a page with their attributes, and its tables as rows of cells."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self._in_cell = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"}:
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.rows[-1][-1] += data

    def row(self, *start: str) -> list[str]:
        """The one row that begins with these cells."""
        (found,) = [row for row in self.rows if tuple(row[: len(start)]) == start]
        return found


def _predictions() -> list[Prediction]:
    return [
        Prediction(method, "linear_svm", 0, subject, subject, f"clip{number}", label, predicted)
        for method, found in FOUND.items()
        for number, (subject, label, predicted) in enumerate(
            zip(SUBJECTS, LABELS, found, strict=True)
        )
    ]


def _selection(n_selected: int, fitness: float, n_generations: int) -> Selection:
    mask = np.arange(N_FEATURES) < n_selected
    one = Population(mask[None], np.ones(1), np.zeros(1), np.array([fitness]))
    values = np.linspace(0.2, fitness, n_generations)
    history = History(
        best_fitness=values,
        training_accuracy=values,
        mean_fitness=values,
        min_selected=np.ones(n_generations, np.int64),
        max_selected=np.ones(n_generations, np.int64),
        best_masks=np.repeat(mask[None], n_generations, axis=0),
        best_C=np.ones(n_generations),
        best_bias=np.zeros(n_generations),
    )
    return Selection(mask, 1.0, 0.0, fitness, n_generations - 1, history, one, one)


def _selections(n_generations: Mapping[str, int]) -> dict[str, dict[str, Selection]]:
    return {
        method: {
            fold: _selection(n_selected, fitness, n_generations[method])
            for fold, n_selected, fitness in zip(
                ("s01", "s02", "s03"), N_SELECTED[method], (0.5, 0.6, 0.76), strict=True
            )
        }
        for method in N_SELECTED
    }


def _render(
    predictions: Sequence[Prediction] | None = None,
    failures: Sequence[Failure] = (),
    experiment: str = "trial",
) -> str:
    return render_page(
        experiment,
        predictions or _predictions(),
        _selections({"all_features": 1, "genetic": 5}),
        failures,
        CONFIG,
        SETTINGS,
    )


@pytest.fixture(scope="module")
def text() -> str:
    return _render(failures=FAILURES)


@pytest.fixture(scope="module")
def page(text: str) -> _Page:
    return _Page(text)


@pytest.mark.parametrize("method", FOUND)
def test_table_of_methods_holds_the_metrics(page: _Page, method: str) -> None:
    cells = page.row(method, "linear_svm")
    metrics = (accuracy, unweighted_f1, unweighted_average_recall)
    for cell, metric in zip(cells[2:5], metrics, strict=True):
        interval = subject_bootstrap(metric, LABELS, FOUND[method], SUBJECTS, 40, 1)
        value = metric(LABELS, FOUND[method])
        assert cell == f"{value:.3f} [{interval.low:.2f}, {interval.high:.2f}]"


def test_chosen_biases_are_shown_if_there_are_any(page: _Page) -> None:
    selections = _selections({"all_features": 1, "genetic": 5})
    genetic = selections["genetic"]
    genetic["s02"] = replace(genetic["s02"], bias=0.3)
    told = _Page(render_page("trial", _predictions(), selections, (), CONFIG, SETTINGS))
    assert told.row("genetic", "linear_svm")[-2:] == ["none (2), 0.3 (1)", "0.620"]
    assert told.row("all_features", "linear_svm")[-2:] == ["none (3)", "0.620"]
    assert len(told.row("majority class")) == len(told.row("genetic", "linear_svm"))
    assert len(page.row("genetic", "linear_svm")) == len(told.row("genetic", "linear_svm")) - 1


def test_table_of_methods_holds_mean_features_and_fitness(page: _Page) -> None:
    assert page.row("all_features", "linear_svm")[-3:] == ["-", "40", "0.620"]
    assert page.row("genetic", "linear_svm")[-3:] == ["-", "12", "0.620"]


@pytest.mark.parametrize("method", FOUND)
def test_table_of_methods_holds_averages_over_classes(page: _Page, method: str) -> None:
    precision, weighted = page.row(method, "linear_svm")[-5:-3]
    assert precision == f"{class_averages(LABELS, FOUND[method], 'macro').precision:.3f}"
    assert weighted == f"{class_averages(LABELS, FOUND[method], 'weighted').f1:.3f}"


def test_methods_stand_beside_the_majority_class(page: _Page) -> None:
    share = LABELS.count("negative") / len(LABELS)
    assert page.row("majority class") == [
        "majority class",
        "-",
        *(f"{share:.3f}" if metric == "accuracy" else "-" for metric in METRICS),
        *"-----",
    ]


def test_transductive_rows_are_explained_once_and_have_their_selectors_numbers(
    text: str, page: _Page
) -> None:
    rows = [replace(row, method=f"{row.method} (transductive)") for row in _predictions()]
    told = _render(rows)
    found = _Page(told)
    assert told.count("Transductive methods also read the clips that they predict") == 1
    assert "ransductive" not in text
    for method in FOUND:
        cells = found.row(f"{method} (transductive)", "linear_svm")
        assert cells[2:] == page.row(method, "linear_svm")[2:]
    assert "<h2>Comparison with all_features (transductive)</h2>" in told


def test_transductive_permutations_alone_are_explained_too() -> None:
    row = PermutationRow("genetic (transductive)", "accuracy", 9, 0.5, 0.3, 0.4, 0.1, 0.6, 0.1)
    page = render_page(
        "trial",
        _predictions(),
        _selections({"all_features": 1, "genetic": 5}),
        (),
        CONFIG,
        SETTINGS,
        permutations=[row],
    )
    assert "Transductive methods also read" in page


def test_table_of_methods_has_a_heading_per_column(page: _Page) -> None:
    heading = page.row("method", "classifier")
    averages = ["precision", "weighted F1", "AUC"]
    assert heading[2:] == [*METRICS, *averages, "features", "inner fitness"]
    assert len(page.row("majority class")) == len(heading)
    assert len(page.row("genetic", "linear_svm")) == len(heading)


def test_every_held_out_subject_has_a_row(page: _Page) -> None:
    assert page.row("held out") == ["held out", "clips", "all_features", "genetic"]
    assert page.row("s01") == ["s01", "3", "0.67", "1.00"]
    assert page.row("s02") == ["s02", "2", "1.00", "0.50"]
    assert page.row("s03") == ["s03", "3", "0.33", "0.67"]


def test_page_begins_with_what_was_evaluated(text: str) -> None:
    said = " ".join(text.split())
    assert "<h1>trial</h1>" in said
    assert "8 clips of 3 subjects, classes negative, positive, surprise (5, 2, 1 clips)" in said


def test_clips_left_out_stand_with_their_reasons(text: str, page: _Page) -> None:
    assert page.row("s02_po_07") == [
        "s02_po_07",
        "s02",
        "register_faces",
        "no face of at least 72 pixels",
    ]
    assert "Clips left out: 1" in text


def test_page_says_so_if_no_clip_was_left_out() -> None:
    text = _render()
    assert "No clip was left out." in text
    assert "<h2>Clips left out</h2>" not in text


def test_page_needs_nothing_but_itself(text: str, page: _Page) -> None:
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "link", "img", "iframe", "object", "embed", "base"}
    references = [
        value or ""
        for _, attributes in page.tags
        for name, value in attributes.items()
        if name in {"src", "href", "xlink:href", "srcset", "action", "data"}
    ]
    assert references  # glyphs and colours of the figures
    assert all(reference.startswith(("#", "data:image/png;base64,")) for reference in references)
    assert not re.search(r"url\((?!['\"]?#)|@import", text)


def test_figures_are_inline_svg(page: _Page) -> None:
    n_confusions, n_convergences = 2, 1  # a method without generations does not converge
    n_figures = sum(tag == "svg" for tag, _ in page.tags)
    assert n_figures == n_confusions + n_convergences


def test_only_methods_with_generations_converge(text: str) -> None:
    assert "<h2>Convergence: genetic</h2>" in text
    assert "<h2>Convergence: all_features</h2>" not in text


def test_same_input_gives_the_same_bytes(text: str) -> None:
    assert _render(failures=FAILURES) == text


def test_figures_that_share_a_name_share_what_it_names(text: str) -> None:
    """In one page a reference leads to the first element of that name, in any figure."""
    referenced = set(re.findall(r"(?:href=\"#|url\(#)([^\")]+)", text))
    named: dict[str, set[bytes]] = {}
    for svg in re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL):
        for element in ET.fromstring(svg).iter():
            if element.get("id") in referenced:
                content = ET.tostring(element).strip()
                named.setdefault(element.attrib["id"], set()).add(content)
    assert set(named) == referenced
    assert all(len(contents) == 1 for contents in named.values())


def test_text_is_escaped() -> None:
    predictions = [
        replace(row, subject="<b>") if row.subject == "s03" else row for row in _predictions()
    ]
    failure = Failure("<i>", "<b>", "register_faces", "<script>alert('x')</script> & more")
    text = _render(predictions, [failure], experiment="<u>")
    page = _Page(text)
    assert not {tag for tag, _ in page.tags} & {"b", "i", "u", "script"}
    assert page.row("<b>")[1] == "3"
    assert page.row("<i>")[3] == "<script>alert('x')</script> & more"
    assert "<h1>&lt;u&gt;</h1>" in text


def test_page_holds_settings_version_and_number_of_features(text: str) -> None:
    assert "&#34;n_islands&#34;: 4" in text
    assert f"merec_hpc {__version__}. Features of this report: {N_FEATURES} per clip." in text


def _by_heading(page: _Page, heading: Sequence[str], row: Sequence[str]) -> dict[str, str]:
    """The cells of a row by the headings over them."""
    names = page.row(*heading)
    assert len(set(names)) == len(names)
    return dict(zip(names, page.row(*row), strict=True))


def test_every_score_of_a_method_stands_under_its_heading() -> None:
    decisions = [0.9, 0.4, 0.6, 0.3, 0.8, 0.5, 0.7, 0.2]  # of negative
    predictions = [
        replace(row, decisions=f"negative={value};positive={1 - value};surprise=0.5")
        for row, value in zip(_predictions()[:8], decisions, strict=True)
    ]
    cells = _by_heading(
        _Page(_render(predictions)), ("method", "classifier"), ("all_features", "linear_svm")
    )
    # Negative: 4 of 5 found, 2 wrongly; positive: 1 of 2, 1 wrongly; surprise: none.
    expected = {
        "accuracy": 5 / 8,
        "UF1": (8 / 11 + 1 / 2 + 0) / 3,
        "UAR": (4 / 5 + 1 / 2 + 0) / 3,
        "precision": (4 / 6 + 1 / 2 + 0) / 3,
        "weighted F1": (5 * 8 / 11 + 2 * 1 / 2) / 8,
        # Of 15 pairs of a negative and another clip 14 are in order, of 12 of a positive one
        # all, and all decisions for surprise are equal.
        "AUC": (14 / 15 + 1 + 1 / 2) / 3,
        "inner fitness": 0.62,
    }
    shown = {name: cells[name].split(" ")[0] for name in expected}
    assert len(set(shown.values())) == len(shown)
    assert shown == {name: f"{value:.3f}" for name, value in expected.items()}
    assert cells["features"] == "40"


def test_every_figure_of_a_comparison_stands_under_its_heading() -> None:
    third = [
        replace(row, method="forward", predicted=predicted)
        for row, predicted in zip(_predictions()[:8], LABELS, strict=True)
    ]
    predictions = [*_predictions(), *third]
    page = _Page(
        render_page(
            "trial",
            predictions,
            _selections({"all_features": 1, "genetic": 1})
            | {"forward": {"s01": _selection(3, 0.5, 1)}},
            (),
            CONFIG,
            SETTINGS,
        )
    )
    (known,) = [
        row
        for row in compare_with(predictions, None, SETTINGS)
        if (row.method, row.metric) == ("forward", "UAR")
    ]
    cells = _by_heading(page, ("method", "metric", "difference"), ("forward", "UAR"))
    assert known.corrected_p_value > known.p_value
    assert cells["difference"] == f"{known.difference:+.3f} [{known.low:+.2f}, {known.high:+.2f}]"
    assert cells["p"] == f"{known.p_value:.3f}"
    assert cells["p, corrected"] == f"{known.corrected_p_value:.3f}"


def test_every_figure_of_permuted_labels_and_of_resources_stands_under_its_heading() -> None:
    permuted = PermutationRow(
        method="genetic",
        metric="UF1",
        n_permutations=77,
        real=0.61,
        permuted_mean=0.31,
        permuted_95=0.41,
        p_value=0.011,
        inner_fitness=0.91,
        optimism=0.3,
    )
    used = RuleResources(
        rule="search",
        method="genetic",
        n_jobs=2,
        seconds=30.0,
        longest_s=20.0,
        peak_mb=400.0,
        cpu_s=50.0,
    )
    text = render_page(
        "trial",
        _predictions(),
        _selections({"all_features": 1, "genetic": 1}),
        (),
        CONFIG,
        SETTINGS,
        [used],
        [permuted],
    )
    page = _Page(text)
    row = ("genetic", "UF1", "0.610")  # a row of the comparison begins like it
    assert _by_heading(page, ("method", "metric", "real"), row) == {
        "method": "genetic",
        "metric": "UF1",
        "real": "0.610",
        "permuted, mean": "0.310",
        "permuted, 95 %": "0.410",
        "p": "0.011",
        "inner fitness": "0.910",
        "optimism": "+0.300",
    }
    assert "77 permutations" in text
    assert _by_heading(page, ("rule", "method"), ("search",)) == {
        "rule": "search",
        "method": "genetic",
        "jobs": "2",
        "seconds": "30",
        "longest, s": "20",
        "CPU, s": "50",
        "peak, MB": "400",
    }


def test_every_index_of_stability_stands_under_its_heading() -> None:
    selections = _selections({"all_features": 1, "genetic": 1})
    one = _selection(10, 0.5, 1)
    selections["genetic"] = {
        fold: replace(one, mask=np.roll(one.mask, shift))
        for fold, shift in zip(("s01", "s02", "s03"), (0, 3, 5), strict=True)
    }
    text = render_page("trial", _predictions(), selections, (), CONFIG, SETTINGS)
    (known,) = describe_stability(selections)
    cells = _by_heading(_Page(text), ("selector", "features"), ("genetic", "10 to 10"))
    shown = {name: cells[name] for name in ("Jaccard", "Kuncheva", "Nogueira")}
    assert shown == {
        "Jaccard": f"{known.jaccard:.3f}",
        "Kuncheva": f"{known.kuncheva:.3f}",
        "Nogueira": f"{known.nogueira:.3f}",
    }
    assert shown["Jaccard"] != shown["Kuncheva"]


def test_a_method_that_searched_in_any_fold_converges() -> None:
    selections = _selections({"all_features": 1, "genetic": 1})
    selections["genetic"]["s03"] = _selection(12, 0.76, 2)
    text = render_page("trial", _predictions(), selections, (), CONFIG, SETTINGS)
    assert re.findall(r"<h2>Convergence: (.*)</h2>", text) == ["genetic"]


def test_weights_are_drawn_of_methods_that_weigh(text: str) -> None:
    assert "<h2>Weights:" not in text
    selections = _selections({"all_features": 1, "genetic": 5})
    for fold, found in selections["genetic"].items():
        selections["genetic"][fold] = replace(found, weights=found.mask / 2)
    page = render_page("trial", _predictions(), selections, (), CONFIG, SETTINGS)
    assert page.count("<h2>Weights: genetic</h2>") == page.count("<h2>Weights:") == 1


def test_fronts_are_drawn_of_methods_that_have_them_and_called_optimistic(text: str) -> None:
    assert "<h2>Front:" not in text
    selections = _selections({"all_features": 1, "genetic": 5})
    found = selections["genetic"]["s02"]
    selections["genetic"]["s02"] = replace(found, front=found.last)
    page = render_page("trial", _predictions(), selections, (), CONFIG, SETTINGS)
    assert page.count("<h2>Front: genetic</h2>") == page.count("<h2>Front:") == 1
    assert "Fitness along the front is of inner folds" in page
    assert "and so optimistic" in page
