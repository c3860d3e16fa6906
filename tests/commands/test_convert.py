from pathlib import Path

import pytest
from store.stores import STORES, flat, write_format_1

from merec_hpc.commands.convert import run
from merec_hpc.errors import MerecError
from merec_hpc.store.former import is_former


def test_a_store_of_format_1_becomes_one_of_format_2(tmp_path: Path) -> None:
    store, new, old = STORES["selection"], tmp_path / "new.h5", tmp_path / "old.h5"
    store.write(new)
    write_format_1(new, old, store.spec)
    run(old, old)
    assert not is_former(old)
    assert flat(store.read(old)) == flat(store.read(new))


def test_what_is_no_store_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "x.h5").write_text("clip")
    with pytest.raises(MerecError, match=r"x\.h5: a store expected, found one that is not HDF5"):
        run(tmp_path / "x.h5", tmp_path / "y.h5")
    assert (tmp_path / "x.h5").read_text() == "clip"
    assert not (tmp_path / "y.h5").exists()
