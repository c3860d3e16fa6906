"""A store from a table and back, and what is in it, by the commands."""

from pathlib import Path

import numpy as np
import pytest
import typer
from store.stores import STORES, flat

from merec_hpc.commands import export, import_table, inspect
from merec_hpc.store.features import read_features


def test_a_store_becomes_a_table_and_a_store_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "features.h5"
    STORES["features"].write(store)
    export.run(store, tmp_path / "table.csv")
    import_table.run(tmp_path / "table.csv", tmp_path / "again.h5")
    one, two = read_features(store), read_features(tmp_path / "again.h5")
    assert flat([one.labels, one.clips, one.names]) == flat([two.labels, two.clips, two.names])
    np.testing.assert_array_equal(one.values, two.values)
    inspect.run(tmp_path / "again.h5")
    said = capsys.readouterr().out
    assert "  imported_from: table.csv\n" in said
    assert "odd values: none\n" in said


def test_stores_are_compared_with_a_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one.h5", "two.h5"):
        STORES["selection"].write(tmp_path / name)
    inspect.run(tmp_path / "one.h5", tmp_path / "two.h5")
    assert capsys.readouterr().out == "equal\n"
    STORES["features"].write(tmp_path / "one.h5")
    export.run(tmp_path / "one.h5", tmp_path / "x.npz")
    import_table.run(tmp_path / "x.npz", tmp_path / "two.h5")
    with pytest.raises(typer.Exit) as raised:
        inspect.run(tmp_path / "one.h5", tmp_path / "two.h5")
    assert raised.value.exit_code == 1
    assert "imported_from: None | x.npz\n" in capsys.readouterr().out
