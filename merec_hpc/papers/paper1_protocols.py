"""Paper 1's Tables II and III: all features, or their linear discriminants, and a linear SVM.

Leave one subject out. The paper reports the best C by test accuracy, and its "global LDA" is
fitted on training and test clips together. Both leak: what does so is called ``leaky_...`` and is
for reproducing the tables only. Beside them stand the honest forms: LDA fitted on the training
subjects of a fold, C chosen by leaving out each of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.evaluation import Method
from merec_hpc.config.scaling import UNSCALED, ScalingSettings
from merec_hpc.config.selection import AllFeaturesSettings
from merec_hpc.evaluation.predictions import Prediction
from merec_hpc.learning.linear_svm import train_svm
from merec_hpc.learning.scaling import Scaling
from merec_hpc.records import Features
from merec_hpc.selection.all_features import select_all_features
from merec_hpc.selection.discriminant import LinearDiscriminants
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness

C_VALUES = (0.1, 1.0, 10.0, 100.0, 1000.0, 10000.0, 100000.0, 1000000.0)
"""Those of paper 1, III."""

Values = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class PaperProtocol:
    """What the SVM is given, and who chooses its C."""

    discriminants: Literal["none", "training", "everyone"]
    """The clips that LDA is fitted on; everyone's are those of the held-out subject too."""
    C: Literal["inner_folds", "test_accuracy"]

    @property
    def is_leaky(self) -> bool:
        """Whether labels of held-out clips have a part in their prediction."""
        return self.discriminants == "everyone" or self.C == "test_accuracy"


PROTOCOLS: Mapping[str, PaperProtocol] = MappingProxyType(
    {
        "all_features": PaperProtocol("none", "inner_folds"),
        "lda": PaperProtocol("training", "inner_folds"),
        "leaky_best_C_all_features": PaperProtocol("none", "test_accuracy"),
        "leaky_best_C_lda": PaperProtocol("training", "test_accuracy"),
        "leaky_global_lda_inner_C": PaperProtocol("everyone", "inner_folds"),
        "leaky_global_lda_best_C": PaperProtocol("everyone", "test_accuracy"),
    }
)


@dataclass(frozen=True)
class FoldView:
    """What the SVM of a fold is given."""

    training: Values  # (n_training, n_columns)
    held_out: Values  # (n_held_out, n_columns)


def view_fold(
    features: Features, subject: str, protocol: PaperProtocol, scaling: ScalingSettings
) -> FoldView:
    """Return the clips of a fold, scaled by the training clips, as the SVM is given them.

    Discriminants, (n_clips, n_classes - 1) or less. Without them the features, turned into an
    orthonormal basis of the training clips where those are fewer than features: scalar products
    with training clips, and so predictions, are the same.

    Raises
    ------
    ValueError
        If LDA is to be fitted on clips of one class.
    """
    training, held_out = features.without(subject), features.only(subject)
    learnt = Scaling.learn(training, scaling)
    values, others = learnt.apply(training), learnt.apply(held_out)
    if protocol.discriminants == "none":
        return _turned(values, others)
    if protocol.discriminants == "training":
        return _projected(values, training.labels, others)
    everyone = np.concatenate([values, others])
    labels = np.concatenate([training.labels, held_out.labels])  # the leak
    fitted = LinearDiscriminants.fit(everyone, labels)
    return FoldView(fitted.apply(values), fitted.apply(others))


def predict_by_protocol(
    features: Features,
    name: str,
    scaling: ScalingSettings = UNSCALED,
    subjects: Sequence[str] | None = None,
) -> list[Prediction]:
    """Predict every clip with its subject held out, by one of ``PROTOCOLS``.

    A leaky C is the one of ``C_VALUES`` with the most clips right over all folds, of equals the
    smallest. An honest one is chosen for each fold by ``AllFeaturesSettings.criterion``.

    Parameters
    ----------
    features
        Of at least three subjects and two classes.
    subjects
        Those to hold out in turn; without them all, in the order of their first clips.

    Returns
    -------
    list[Prediction]
        Fold by fold; the method is the protocol's name, and whether scaling or features are transductive.

    Raises
    ------
    ValueError
        If there is no such protocol, or a fold has training clips of one subject or one class.
    """
    if name not in PROTOCOLS:
        msg = f"a protocol of {', '.join(PROTOCOLS)} expected, found '{name}'"
        raise ValueError(msg)
    protocol = PROTOCOLS[name]
    folds = list(dict.fromkeys(features.subjects.tolist())) if subjects is None else list(subjects)
    tried = []  # of each fold, (n_C, n_held_out)
    for fold in folds:
        training = features.without(fold)
        view = view_fold(features, fold, protocol, scaling)
        penalties = list(C_VALUES)
        if protocol.C == "inner_folds":
            penalties = [_choose_penalty(training, view, protocol, scaling)]
        tried.append(_predict_each(view, training.labels, penalties))
    labels = [features.only(fold).labels for fold in folds]
    is_transductive = scaling.is_transductive or features.is_transductive
    best = 0
    if protocol.C == "test_accuracy":
        best = best_by_test_accuracy(np.hstack(tried), np.concatenate(labels))
    return [
        Prediction(
            method=str(Method(name, is_transductive=is_transductive)),
            classifier="linear_svm",
            seed=0,
            fold=fold,
            subject=fold,
            clip=str(clip),
            label=str(features.class_names[label]),
            predicted=str(features.class_names[found]),
        )
        for fold, own, predicted in zip(folds, labels, tried, strict=True)
        for clip, label, found in zip(features.only(fold).clips, own, predicted[best], strict=True)
    ]


def best_by_test_accuracy(predicted: NDArray[np.int64], labels: Labels) -> int:
    """Return the row of the most right predictions, (n_C, n_clips), of equals the first."""
    return int((predicted == labels).sum(axis=1).argmax())


def _turned(training: Values, held_out: Values) -> FoldView:
    """Return clips in an orthonormal basis of the training clips, where that is smaller."""
    if training.shape[1] <= len(training):
        return FoldView(training, held_out)
    basis = np.linalg.qr(training.T).Q
    return FoldView(training @ basis, held_out @ basis)


def _projected(training: Values, labels: Labels, held_out: Values) -> FoldView:
    """Return clips along the discriminants of the training clips."""
    fitted = LinearDiscriminants.fit(training, labels)
    return FoldView(fitted.apply(training), fitted.apply(held_out))


def _predict_each(view: FoldView, labels: Labels, penalties: Sequence[float]) -> Labels:
    """Return the classes of held-out clips by the SVM of each C, (n_C, n_held_out).

    Where nothing tells the training clips apart, the most frequent class.
    """
    if (labels == labels[0]).all() or view.training.shape[1] == 0:
        majority = int(np.bincount(labels).argmax())
        return np.full((len(penalties), len(view.held_out)), majority, np.int64)
    return np.stack([train_svm(view.training, labels, C).predict(view.held_out) for C in penalties])


def _choose_penalty(
    training: Features, view: FoldView, protocol: PaperProtocol, scaling: ScalingSettings
) -> float:
    """Return the C of the best predictions of training subjects that are left out in turn."""
    settings = AllFeaturesSettings(C_values=C_VALUES, bias=(0.0,))  # the paper's SVM has none
    if view.training.shape[1] == 0:
        return C_VALUES[0]  # whichever
    if protocol.discriminants != "training":
        fitness = SubjectFoldFitness(view.training, training.labels, training.subjects)
        return select_all_features(fitness, settings).C
    # Discriminants that have seen the clip that is predicted would choose a C for themselves.
    values = Scaling.learn(training, scaling).apply(training)
    fitness = SubjectFoldFitness(values, training.labels, training.subjects)
    folds = fitness.folds
    predicted = np.empty((len(C_VALUES), len(values)), np.int64)
    for fold in range(folds.n_folds):
        is_held = folds.folds == fold
        labels, held_out = folds.labels[~is_held], fitness.features[is_held]
        if (labels == labels[0]).all():
            inner = FoldView(fitness.features[~is_held], held_out)
        else:
            inner = _projected(fitness.features[~is_held], labels, held_out)
        predicted[:, is_held] = _predict_each(inner, labels, C_VALUES)
    return C_VALUES[int(fitness.judge(predicted, settings.criterion).argmax())]
