"""Lines that refuse: one line each, whatever they quote."""

from merec_hpc.errors import MerecError, told


def test_a_line_quotes_paths_as_they_are_and_reaches_no_terminal_otherwise() -> None:
    assert str(MerecError("a  b/c.npz: 1 expected")) == "a  b/c.npz: 1 expected"
    quoted = str(MerecError("'x\x1b[31m\x00y' expected,\nfound\t'ä'\n"))
    assert quoted == "'x?[31m?y' expected, found 'ä'"


def test_of_other_errors_a_few_characters_are_told() -> None:
    assert told(ValueError("two\n  words")) == "two words"
    assert told(KeyError()) == "KeyError"
    assert len(told(ValueError(200 * "x"))) == 120
