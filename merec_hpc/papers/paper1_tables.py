"""Turns feature stores and predictions into paper 1's tables, its numbers next to ours.

The paper's numbers are constants below; ours are computed from what is given, on whatever data
that is. Tables I, V and VI are made elsewhere (``docs/reproduce.md``).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.evaluation import TRANSDUCTIVE
from merec_hpc.config.scaling import UNSCALED, ScalingSettings
from merec_hpc.errors import MerecError
from merec_hpc.evaluation.predictions import Prediction
from merec_hpc.metrics import accuracy
from merec_hpc.papers.paper1_protocols import PROTOCOLS, predict_by_protocol
from merec_hpc.records import Features

Database = Literal["vis", "hs", "casme2", "other"]
DATABASES: tuple[Database, ...] = get_args(Database)

TITLES = {
    "II": "SVM on deep statistics",
    "III": "SVM on linear discriminants of deep statistics",
    "IV": "Methods of feature selection",
    "VII": "Fitness functions of the genetic algorithm",
    "VIII": "Networks under the genetic algorithm",
    "IX": "Comparison with other methods",
}
"""The tables that are made here, by their number in paper 1."""

_LBP_TOP = "lbp_top"
_KINDS = ("spatial_", "temporal_", "spatiotemporal_")  # the paper has nothing of the last
_SPREADS = ("std", "variance")  # of the two, the one that IV.B.3 prefers comes first

_ByDatabase = tuple[tuple[str, dict[str, float | None]], ...]

# Percent, from the tables of paper 1. II to IV are of SMIC-VIS. A row of II and III names its
# statistics; "spatial" and "temporal" are mean and spread along one axis, and "spatiotemporal" both.
_TABLE_II = (
    ("Normalized spatial features", 28.0, True, "spatial"),
    ("Normalized temporal features", 32.0, True, "temporal"),
    ("Normalized spatiotemporal features", 22.0, True, "spatiotemporal"),
    ("Unnormalized spatial features", 22.0, False, "spatial"),
    ("Unnormalized temporal features", 32.0, False, "temporal"),
    ("Unnormalized spatiotemporal features", 21.0, False, "spatiotemporal"),
)
_TABLE_III = (
    ("LDA on unnormalized spatiotemporal features", 38.0, False, "spatiotemporal"),
    ("LDA on unnormalized temporal features", 47.0, False, "temporal"),
    ("LDA on unnormalized temporal mean", 49.0, False, "temporal_mean"),
    ("LDA on unnormalized temporal standard deviation", 47.0, False, "temporal_std"),
    ("Global LDA on unnormalized spatiotemporal features", 78.0, True, "spatiotemporal"),
    ("Global LDA on unnormalized temporal features", 77.0, True, "temporal"),
    ("Global LDA on unnormalized temporal mean", 73.0, True, "temporal_mean"),
    ("Global LDA on unnormalized temporal variance", 77.0, True, "temporal_variance"),
    ("Global LDA on unnormalized temporal standard deviation", 84.0, True, "temporal_std"),
)
_TABLE_IV = (
    ("Ranked forward search with LDA", 43.0, "ranked_forward_lda_weight"),
    ("Ranked forward search with Fisher", 52.0, "ranked_forward_fisher"),
    ("Ranked forward search with Gini", 47.0, "ranked_forward_gini"),
    ("Ranked forward search using t-Test", 50.0, "ranked_forward_t_test"),
    ("Stable SFS", 40.0, "stable_sfs"),
    ("Local greedy forward search", 70.0, "local_greedy"),
    ("All features (not in the paper)", None, "all_features"),
    ("Genetic algorithm (not in the paper's table)", None, "genetic"),
)
_TABLE_VII: _ByDatabase = (
    ("mu", {"vis": 56.3, "hs": 49.3, "casme2": 46.1}),
    ("mu - sigma^2", {"vis": 56.3, "hs": 53.6, "casme2": 47.3}),
)
_TABLE_VIII: _ByDatabase = (
    ("Object", {"vis": 29.5, "hs": None}),
    ("FE", {"vis": 56.3, "hs": 53.6}),
)
_TABLE_IX: _ByDatabase = (
    ("Our approach", {"vis": 56.3, "hs": 53.6, "casme2": 47.3}),
    ("LBP-TOP (baseline)", {"vis": 52.0, "hs": 48.0, "casme2": 38.0}),
    ("STCLQ", {"vis": None, "hs": 64.0, "casme2": 59.0}),
)
_FOUR_FOLDS = "paper: 4 folds"  # of Table VII's column of CASME II


@dataclass(frozen=True)
class TableRow:
    """One row of one table: the paper's accuracy and ours, in percent."""

    table: str
    row: str
    database: str
    """Of the paper's number; without one, of ours."""
    paper: float | None
    method: str
    """Ours: a protocol of ``paper_protocols`` or a selector."""
    features: str
    """Ours: statistics, or a network."""
    ours: float | None
    remark: str


@dataclass(frozen=True)
class Stores:
    """Features of the same clips, by what they are."""

    statistics: Mapping[str, Features] = field(default_factory=dict)
    """Of one network and layer, by the last part of their names, as temporal_std."""
    network: str = ""
    """Backbone and layer, as the names say; empty without deep features."""
    lbp_top: Features | None = None


@dataclass(frozen=True)
class Searches:
    """Predictions with subjects held out; empty where none were given."""

    own: Sequence[Prediction] = ()
    """Of a run on an object network, genetic by mu - sigma^2."""
    mu: Sequence[Prediction] = ()
    """Of the same run, but genetic by mu."""
    expression: Sequence[Prediction] = ()
    """Of the same run, but on an expression network."""


def sort_stores(stores: Mapping[str, Features]) -> Stores:
    """Split stores by the statistics that the names of their features end in.

    Parameters
    ----------
    stores
        By the name that an error should give them.

    Raises
    ------
    MerecError
        If clips, labels or subjects differ, a statistic is there twice, deep features are of
        more than one network or layer, or a feature's name is of neither form.
    """
    first = next(iter(stores.values()), None)
    statistics: dict[str, Features] = {}
    origins: dict[str, str] = {}
    networks: dict[str, str] = {}
    for path, features in stores.items():
        if first is not None and not _same_clips(first, features):
            msg = f"{path}: the clips and labels of {next(iter(stores))} expected, found others"
            raise MerecError(msg)
        for network, kind, columns in _blocks(path, features):
            if kind in origins:
                msg = f"{path}: other statistics than those of {origins[kind]} expected, "
                msg += f"found {kind} again"
                raise MerecError(msg)
            origins[kind] = path
            statistics[kind] = replace(
                features, values=features.values[:, columns], names=features.names[columns]
            )
            if kind != _LBP_TOP:
                networks.setdefault(network, path)
    if len(networks) > 1:
        one, other = list(networks)[:2]
        msg = f"{networks[other]}: features of {one} expected, found {other}"
        raise MerecError(msg)
    lbp_top = statistics.pop(_LBP_TOP, None)
    return Stores(statistics, next(iter(networks), ""), lbp_top)


def paper_tables(
    stores: Stores, searches: Searches, database: Database, scaling: ScalingSettings = UNSCALED
) -> Iterator[TableRow]:
    """Yield the rows of all tables, table by table, as they are computed.

    A row of Tables II and III comes twice: as the paper did it, which leaks, and without that
    leak. In Tables VII to IX ours stands in the rows of the database; "other" gets rows of its own.

    Parameters
    ----------
    database
        What stores and searches are of; "other" if the paper has no such data.
    scaling
        Of Tables II and III and of LBP-TOP; "none" is the paper's.

    Raises
    ------
    ValueError
        If a fold of the stores has training clips of one subject or one class.
    """
    yield from _table_ii(stores, database, scaling)
    yield from _table_iii(stores, database, scaling)
    yield from _table_iv(stores, searches, database)
    yield from _table_vii(stores, searches, database)
    yield from _table_viii(stores, searches, database)
    yield from _table_ix(stores, searches, database, scaling)


def normalise(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return clips of unit length, (n_clips, n_features); zeros stay zeros."""
    lengths = np.linalg.norm(values.astype(np.float64), axis=1, keepdims=True)
    return (values / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def _table_ii(stores: Stores, database: Database, scaling: ScalingSettings) -> Iterator[TableRow]:
    for row, paper, is_normalised, kind in _TABLE_II:
        for method in ("leaky_best_C_all_features", "all_features"):
            started = TableRow("II", row, "vis", paper, method, "", None, "")
            yield _by_protocol(started, stores, kind, database, scaling, is_normalised)


def _table_iii(stores: Stores, database: Database, scaling: ScalingSettings) -> Iterator[TableRow]:
    for row, paper, is_global, kind in _TABLE_III:
        local = ("leaky_best_C_lda", "lda")
        everyones = ("leaky_global_lda_best_C", "leaky_global_lda_inner_C")
        for method in everyones if is_global else local:
            started = TableRow("III", row, "vis", paper, method, "", None, "")
            yield _by_protocol(started, stores, kind, database, scaling)


def _table_iv(stores: Stores, searches: Searches, database: Database) -> Iterator[TableRow]:
    for row, paper, method in _TABLE_IV:
        place = database if paper is None else "vis"
        started = TableRow("IV", row, place, paper, method, stores.network, None, "")
        yield _by_predictions(started, searches.own, database)


def _table_vii(stores: Stores, searches: Searches, database: Database) -> Iterator[TableRow]:
    for (row, numbers), predictions in zip(_TABLE_VII, (searches.mu, searches.own), strict=True):
        for place, paper in _places(numbers, database):
            started = TableRow("VII", row, place, paper, "genetic", stores.network, None, "")
            found = _by_predictions(started, predictions, database)
            yield _remarked(found, _FOUR_FOLDS) if place == "casme2" else found


def _table_viii(stores: Stores, searches: Searches, database: Database) -> Iterator[TableRow]:
    # The stores' network is that of the object searches.
    kinds = ((searches.own, stores.network), (searches.expression, "expression network"))
    for (row, numbers), (predictions, network) in zip(_TABLE_VIII, kinds, strict=True):
        for place, paper in _places(numbers, database):
            started = TableRow("VIII", row, place, paper, "genetic", network, None, "")
            yield _by_predictions(started, predictions, database)


def _table_ix(
    stores: Stores, searches: Searches, database: Database, scaling: ScalingSettings
) -> Iterator[TableRow]:
    for row, numbers in _TABLE_IX:
        for place, paper in _places(numbers, database):
            started = TableRow("IX", row, place, paper, "", "", None, "")
            if row.startswith("STCLQ"):
                yield _not_run(started, "not among our methods")
            elif row.startswith("LBP-TOP"):
                started = replace(started, method="all_features")
                yield _by_protocol(started, stores, _LBP_TOP, database, scaling)
            else:
                started = replace(started, method="genetic", features=stores.network)
                yield _by_predictions(started, searches.own, database)


def _places(
    numbers: Mapping[str, float | None], database: Database
) -> Iterator[tuple[str, float | None]]:
    """Yield each database with the paper's number, then ours if the paper has it not."""
    yield from numbers.items()
    if database not in numbers:
        yield database, None


def _by_protocol(
    row: TableRow,
    stores: Stores,
    kind: str,
    database: Database,
    scaling: ScalingSettings,
    is_normalised: bool = False,
) -> TableRow:
    """Return a row with the accuracy of its protocol, if there are such features."""
    names, blocks = _choose(stores, kind)
    row = replace(row, features="+".join(names))
    if row.table == "IX" and row.database != database:
        return _not_run(row, "no features of this database")
    if not blocks:
        return _not_run(row, "no store of these features")
    # Of unit length one by one: a block of small values would not count beside one of large.
    values = [normalise(block.values) if is_normalised else block.values for block in blocks]
    features = replace(
        blocks[0],
        values=np.concatenate(values, axis=1),
        names=np.concatenate([block.names for block in blocks]),
    )
    found = predict_by_protocol(features, row.method, scaling)
    remark = _said_of(row.method)
    remark += "; transductive" if scaling.is_transductive or features.is_transductive else ""
    return _on(replace(row, ours=_percent(found), remark=remark), database)


def _said_of(method: str) -> str:
    protocol = PROTOCOLS[method]
    if not protocol.is_leaky:
        return "honest"
    leaks = []
    if protocol.discriminants == "everyone":
        leaks.append("LDA has seen test clips")
    if protocol.C == "test_accuracy":
        leaks.append("C by test accuracy")
    as_the_paper = ", as the paper did" if protocol.C == "test_accuracy" else ""
    return f"leaky: {', '.join(leaks)}{as_the_paper}"


def _by_predictions(
    row: TableRow, predictions: Sequence[Prediction], database: Database
) -> TableRow:
    """Return a row with the accuracy of its method, if there are predictions of it."""
    if row.table != "IV" and row.database != database:
        return _not_run(row, "no predictions of this database")
    own = _of_method(predictions, row.method)
    transductive = "" if own else "; transductive"
    own = own or _of_method(predictions, row.method + TRANSDUCTIVE)
    if not own:
        return _not_run(row, f"no predictions of {row.method}")
    n_seeds = len({found.seed for found in own})
    remark = f"honest, {len({found.fold for found in own})} folds"
    remark += f", mean of {n_seeds} seeds" if n_seeds > 1 else ""
    return _on(replace(row, ours=_percent(own), remark=remark + transductive), database)


def _of_method(predictions: Sequence[Prediction], name: str) -> list[Prediction]:
    wanted = (name, "linear_svm")
    return [found for found in predictions if (found.method, found.classifier) == wanted]


def _on(row: TableRow, database: Database) -> TableRow:
    """Say it where our number is not of the data of the paper's."""
    if row.paper is None or row.database == database:
        return row
    return _remarked(row, f"paper on {row.database}, ours on {database}")


def _not_run(row: TableRow, why: str) -> TableRow:
    return replace(row, remark=f"not run: {why}")


def _remarked(row: TableRow, remark: str) -> TableRow:
    return replace(row, remark=f"{row.remark}; {remark}")


def _percent(predictions: Sequence[Prediction]) -> float:
    labels = np.array([row.label for row in predictions])
    return 100 * accuracy(labels, np.array([row.predicted for row in predictions]))


def _choose(stores: Stores, kind: str) -> tuple[list[str], list[Features]]:
    """Return the names of the blocks that make features of a kind, and all of them or none."""
    if kind == _LBP_TOP:
        return [_LBP_TOP], [] if stores.lbp_top is None else [stores.lbp_top]
    axes = ["spatial", "temporal"] if kind == "spatiotemporal" else [kind]
    names = [kind]
    if kind in {"spatial", "temporal", "spatiotemporal"}:
        # The same spread along both axes.
        choices = [[f"{axis}_{name}" for axis in axes for name in ("mean", s)] for s in _SPREADS]
        complete = [names for names in choices if set(names) <= set(stores.statistics)]
        names = (complete or choices)[0]
    if not set(names) <= set(stores.statistics):
        return names, []
    return names, [stores.statistics[name] for name in names]


def _blocks(path: str, features: Features) -> Iterator[tuple[str, str, NDArray[np.int64]]]:
    """Yield network with layer, statistic and columns of each block of a store."""
    members: dict[tuple[str, str], list[int]] = {}
    for column, name in enumerate(features.names.tolist()):
        parts = name.split("/")
        if parts[0] == _LBP_TOP:
            members.setdefault((_LBP_TOP, _LBP_TOP), []).append(column)
        elif len(parts) >= 6 and parts[-1].startswith(_KINDS):
            # backbone/layer/channel/row/column/statistic
            members.setdefault(("/".join(parts[:-4]), parts[-1]), []).append(column)
        else:
            msg = f"{path}: features named backbone/layer/channel/row/column/statistic or "
            msg += f"{_LBP_TOP}/... expected, found '{name}'"
            raise MerecError(msg)
    for (network, statistic), columns in members.items():
        yield network, statistic, np.array(columns, np.int64)


def _same_clips(one: Features, other: Features) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("clips", "labels", "subjects", "class_names")
    )
