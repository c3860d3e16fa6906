import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from merec_hpc.records import History, Population, Selection
from merec_hpc.report.figures import (
    confusion_figure,
    convergence_figure,
    draw_confusion,
    draw_convergence,
    draw_fronts,
    draw_weights,
    front_figure,
    weights_figure,
)

COUNTS = np.array([[17, 3, 0], [2, 41, 5], [0, 0, 0]])
CLASSES = ["negative", "positive", "surprise"]


def _selection(seed: int, n_generations: int = 6) -> Selection:
    rng = np.random.default_rng(seed)
    one = Population(rng.random((1, 8)) < 0.5, np.ones(1), np.zeros(1), rng.random(1))
    history = History(
        best_fitness=np.sort(rng.random(n_generations)),
        training_accuracy=rng.random(n_generations),
        mean_fitness=rng.random(n_generations),
        min_selected=np.ones(n_generations, np.int64),
        max_selected=np.ones(n_generations, np.int64),
        best_masks=rng.random((n_generations, 8)) < 0.5,
        best_C=np.ones(n_generations),
        best_bias=np.zeros(n_generations),
    )
    return Selection(one.masks[0], 1.0, 0.0, 0.5, n_generations - 2, history, one, one)


def _texts(svg: str) -> list[str]:
    """The texts of a figure: matplotlib draws paths, and says in a comment what they are."""
    return [text.strip() for text in re.findall(r"<!--(.*?)-->", svg)]


@pytest.fixture(scope="module")
def convergence() -> str:
    return convergence_figure({f"s{number:02d}": _selection(number) for number in range(1, 7)})


def test_confusion_shows_every_count_and_class() -> None:
    texts = _texts(confusion_figure(COUNTS, CLASSES))
    for count in COUNTS.ravel():
        assert str(count) in texts
    for name in CLASSES:
        assert texts.count(name) == 2  # along both axes
    assert {"predicted", "label"} <= set(texts)


def test_class_without_clips_can_be_drawn() -> None:
    assert "<svg" in confusion_figure(np.zeros((2, 2), np.int64), ["a", "b"])


def test_convergence_has_a_panel_per_fold(convergence: str) -> None:
    titles = [text for text in _texts(convergence) if text.startswith("without ")]
    assert titles == [f"without s{number:02d}" for number in range(1, 7)]


def test_convergence_names_its_lines_once(convergence: str) -> None:
    texts = _texts(convergence)
    for line in ("best fitness", "training accuracy", "mean fitness", "chosen generation"):
        assert texts.count(line) == 1


def test_single_fold_and_single_generation_can_be_drawn() -> None:
    assert "without s01" in _texts(convergence_figure({"s01": _selection(1, 1)}))


@pytest.mark.parametrize("n_folds", [1, 4, 5])
def test_figure_is_well_formed_svg_and_nothing_else(n_folds: int) -> None:
    selections = {f"s{number}": _selection(number) for number in range(n_folds)}
    for svg in (confusion_figure(COUNTS, CLASSES), convergence_figure(selections)):
        assert ET.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"


def test_same_figure_gives_the_same_bytes(convergence: str) -> None:
    again = {f"s{number:02d}": _selection(number) for number in range(1, 7)}
    assert convergence_figure(again) == convergence
    assert confusion_figure(COUNTS, CLASSES) == confusion_figure(COUNTS, CLASSES)


def test_names_of_classes_are_drawn_as_they_are() -> None:
    svg = confusion_figure(COUNTS[:2, :2], ["<b>", "a & b"])
    ET.fromstring(svg)  # raises if the text is not escaped
    assert "<b>" not in re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)


def test_names_with_dollars_are_no_formulas() -> None:
    assert "$x^$" in _texts(confusion_figure(COUNTS[:2, :2], ["$x^$", "other"]))


def test_every_curve_of_a_fold_is_what_its_label_says() -> None:
    selections = {f"s{number:02d}": _selection(number) for number in range(1, 7)}
    figure = draw_convergence(selections)
    for axes, (fold, selection) in zip(figure.axes, selections.items(), strict=False):
        assert axes.get_title() == f"without {fold}"
        curves = {str(line.get_label()): line for line in axes.get_lines()}
        history = {
            "best fitness": selection.history.best_fitness,
            "training accuracy": selection.history.training_accuracy,
            "mean fitness": selection.history.mean_fitness,
        }
        assert list(curves) == [*history, "chosen generation"]
        for name, values in history.items():
            np.testing.assert_array_equal(curves[name].get_ydata(), values)
            np.testing.assert_array_equal(curves[name].get_xdata(), range(6))
        assert set(curves["chosen generation"].get_xdata()) == {selection.generation}


def test_panels_without_a_fold_are_empty() -> None:
    figure = draw_convergence({f"s{number}": _selection(number) for number in range(5)})
    assert [axes.axison for axes in figure.axes] == [True] * 5 + [False] * 3
    assert not any(axes.get_lines() for axes in figure.axes[5:])


def test_legend_names_each_curve_by_its_colour() -> None:
    figure = draw_convergence({"s01": _selection(1)})
    (legend,) = figure.legends
    curves = {line.get_label(): line.get_color() for line in figure.axes[0].get_lines()}
    named = zip(legend.get_texts(), legend.get_lines(), strict=True)
    assert {text.get_text(): line.get_color() for text, line in named} == curves
    assert len(set(curves.values())) == 4


def test_labels_stand_in_the_rows_and_predictions_in_the_columns() -> None:
    (axes,) = draw_confusion(COUNTS, CLASSES).axes
    found = {tuple(text.get_position()): text.get_text() for text in axes.texts}
    assert found == {(column, row): str(count) for (row, column), count in np.ndenumerate(COUNTS)}
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "label")
    for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
        assert [text.get_text() for text in labels] == CLASSES


def test_cells_are_shaded_by_their_share_of_the_label() -> None:
    (axes,) = draw_confusion(COUNTS, CLASSES).axes
    (image,) = axes.get_images()
    expected = [[17 / 20, 3 / 20, 0], [2 / 48, 41 / 48, 5 / 48], [0, 0, 0]]
    np.testing.assert_allclose(np.asarray(image.get_array()), expected)
    assert image.get_clim() == (0, 1)
    white = {text.get_text() for text in axes.texts if text.get_color() == "white"}
    assert white == {"17", "41"}  # numbers that stand on dark cells


@pytest.mark.parametrize(("n_folds", "n_rows"), [(1, 1), (4, 1), (5, 2)])
def test_panels_stand_in_rows_of_four_on_the_same_axes(n_folds: int, n_rows: int) -> None:
    selections = {f"s{number}": _selection(number, 3 + number) for number in range(n_folds)}
    figure = draw_convergence(selections)
    panels = figure.axes
    assert panels[0].get_subplotspec().get_geometry()[:2] == (n_rows, 4)
    assert {panel.get_xlim() for panel in panels} == {panels[0].get_xlim()}
    assert {panel.get_ylim() for panel in panels} == {panels[0].get_ylim()}


def test_a_class_of_one_clip_is_shaded_by_all_of_it() -> None:
    (axes,) = draw_confusion(np.array([[1, 0], [0, 0]]), ["a", "b"]).axes
    (image,) = axes.get_images()
    np.testing.assert_array_equal(np.asarray(image.get_array()), [[1, 0], [0, 0]])


def test_weights_have_a_row_per_fold_and_a_column_per_feature() -> None:
    first, second = _selection(1), _selection(2)
    weights = np.where(second.mask, 1.5, 0.0)
    figure = draw_weights({"s01": first, "s02": replace(second, weights=weights)})
    axes = figure.axes[0]
    (image,) = axes.get_images()
    np.testing.assert_array_equal(image.get_array(), np.stack([first.mask, weights]))
    assert [text.get_text() for text in axes.get_yticklabels()] == ["s01", "s02"]
    assert "<svg" in weights_figure({"s01": first})


def _with_front(n_selected: list[int], fitness: list[float]) -> Selection:
    masks = np.arange(8) < np.array(n_selected)[:, None]
    n = len(n_selected)
    front = Population(masks, np.ones(n), np.zeros(n), np.array(fitness))
    return replace(_selection(1), front=front)


def test_a_front_is_a_line_of_fitness_over_features_for_each_fold_that_has_one() -> None:
    selections = {
        "s01": _with_front([1, 3, 8], [0.5, 0.6, 0.7]),
        "s02": _selection(2),
        "$s^3": _with_front([2, 5, 0], [0.4, 0.5, 0.9]),  # without features: no place on the axis
    }
    figure = draw_fronts(selections)
    (axes,), (legend,) = figure.axes, figure.legends
    assert axes.get_xscale() == "log"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("features", "inner fitness")
    drawn = [(list(line.get_xdata()), list(line.get_ydata())) for line in axes.get_lines()]
    assert drawn == [([1, 3, 8], [0.5, 0.6, 0.7]), ([2, 5], [0.4, 0.5])]
    assert [text.get_text() for text in legend.get_texts()] == ["without s01", "without $s^3"]
    colours = [line.get_color() for line in axes.get_lines()]
    assert [line.get_color() for line in legend.get_lines()] == colours
    svg = front_figure(selections)
    assert ET.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
    assert "without $s^3" in _texts(svg)
    assert front_figure(selections) == svg
