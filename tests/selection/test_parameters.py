"""What parameters of estimators may be; most of it is in test_estimators."""

import numpy as np
import pytest

from merec_hpc.config.selection import ForwardSettings, GeneticSettings
from merec_hpc.selection.parameters import choice, count_or_none, functions, settings_of, switch


def test_values_as_they_should_be_are_returned() -> None:
    assert choice("name", np.str_("b"), ["a", "b"]) == "b"
    assert count_or_none("name", np.int64(3), 2) == 3
    assert count_or_none("name", None, 2) is None
    assert (switch("name", 0), switch("name", np.True_), switch("name", 2)) == (False, True, True)
    assert functions("name", None) == ()
    assert functions("name", [print]) == [print]


@pytest.mark.parametrize("value", [np.array(["a", "b"]), None, 1, "B", object()])
def test_a_choice_is_a_known_text(value: object) -> None:
    with pytest.raises(ValueError, match="name: a, b or c expected, found") as caught:
        choice("name", value, ["a", "b"], "c")
    assert ("did you mean 'b'?" in str(caught.value)) == (isinstance(value, str))
    assert "\n" not in str(caught.value)


def test_a_long_value_is_one_line() -> None:
    with pytest.raises(ValueError, match="name: a expected") as caught:
        choice("name", np.zeros((3, 2)), ["a"])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [1, True, 2.0, "2"])
def test_a_count_is_a_whole_number(value: object) -> None:
    with pytest.raises(ValueError, match="name: a whole number of at least 2 or none expected"):
        count_or_none("name", value, 2)


@pytest.mark.parametrize("given", [[0.5, 1.0], (0.5, 1), np.array([0.5, 1.0]), iter([0.5, 1.0])])
def test_lists_and_numbers_of_any_kind_become_settings(given: object) -> None:
    found = settings_of(ForwardSettings, "it", {"C_values": given, "n_steps": np.int32(4)})
    assert found == ForwardSettings(C_values=(0.5, 1.0), n_steps=4)


def test_pairs_become_tuples() -> None:
    edges = np.array([[0, 1], [1, 0]])
    values = {"n_islands": 2, "topology": "custom", "edges": edges}
    assert settings_of(GeneticSettings, "it", values).edges == ((0, 1), (1, 0))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"n_steps": True}, "it: 'n_steps' is True"),
        ({"n_steps": 2.5}, "it: 'n_steps' is 2.5"),
        ({"n_steps": b"2"}, "it: 'n_steps': numbers, texts or lists of them expected"),
        ({"n_steps": {1: 2}}, "it: 'n_steps' is {'1': 2}, input should be a valid integer"),
        ({"C_values": [np.inf]}, "it: 'C_values.0' is inf"),
        ({"C_values": [1.0, 1.0]}, "C_values is 1.0, 1.0, must name each once"),
        ({"steps": 1}, "unknown key 'steps'; did you mean 'n_steps'?"),
    ],
)
def test_a_mistake_is_the_commands_line(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # the text is compared below
        settings_of(ForwardSettings, "it", values)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
