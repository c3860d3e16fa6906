"""A network in scikit-learn's hands."""

import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import LeaveOneGroupOut, cross_val_score
from training.stills import simulated_flow

from merec_hpc.training.estimators import NetworkClassifier


def quick(**changes: Any) -> NetworkClassifier:
    given = {"network": "off_apexnet", "n_epochs": 6, "batch_size": 8, "random_state": 0}
    return NetworkClassifier(**(given | changes))


def test_it_is_a_classifier_that_finds_the_classes_of_others() -> None:
    images = simulated_flow()
    names = images.class_names[images.labels]
    assert is_classifier(quick())
    with config_context(enable_metadata_routing=True):
        found = cross_val_score(
            quick(), images.pixels, names, params={"groups": images.subjects}, cv=LeaveOneGroupOut()
        )
    assert found.shape == (4,)
    assert found.min() > 0.9


def test_same_seed_gives_the_same_scores_and_a_copy_says_the_same() -> None:
    images = simulated_flow()
    first = quick().fit(images.pixels, images.labels, groups=images.subjects)
    second = clone(first).fit(images.pixels, images.labels, groups=images.subjects)
    scores = first.decision_function(images.pixels)
    np.testing.assert_array_equal(scores, second.decision_function(images.pixels))
    copy = pickle.loads(pickle.dumps(first))
    np.testing.assert_array_equal(scores, copy.decision_function(images.pixels))
    assert len(first.validation_subjects_) == 2
    assert first.chosen_epoch_ == 1 + int(np.argmin([row.validation_loss for row in first.curves_]))


def test_probabilities_belong_to_scores() -> None:
    images = simulated_flow()
    fitted = quick().fit(images.pixels, images.labels, groups=images.subjects)
    shares = fitted.predict_proba(images.pixels)
    np.testing.assert_allclose(shares.sum(1), 1)
    np.testing.assert_array_equal(fitted.classes_[shares.argmax(1)], fitted.predict(images.pixels))
    is_two = images.labels < 2
    two = quick().fit(images.pixels[is_two], images.labels[is_two], groups=images.subjects[is_two])
    decisions = two.decision_function(images.pixels)
    assert decisions.shape == (len(images.labels),)
    np.testing.assert_array_equal(decisions > 0, two.predict(images.pixels) == 1)


def test_without_groups_it_warns() -> None:
    images = simulated_flow()
    with pytest.warns(UserWarning, match="no groups given"):
        quick(n_epochs=1).fit(images.pixels, images.labels)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"optimiser": "adan"}, r"did you mean 'adam'"),
        ({"n_epochs": 0}, r"'n_epochs' is 0"),
        ({"network": "off_apex"}, r"did you mean 'off_apexnet'"),
        ({"augmentation": {"flips": True}}, r"did you mean 'augmentation.flip'"),
        ({"augmentation": {"flip": True}}, r"none expected of flow"),
        ({"device": "cuda:99"}, r"device: one of those here"),
        ({"random_state": -1}, r"random_state: a whole number"),
        ({"batch_size": 4000}, r"training.batch_size: 36 at most"),
        ({"class_weight": None}, r"'class_weight' is None"),
        ({"choices": 5}, r"choices: a mapping of keys to values or None expected, found 5"),
        ({"parts": "weak"}, r"parts: a mapping of keys to values or None expected"),
    ],
)
def test_wrong_parameters_are_one_line(changes: dict[str, Any], match: str) -> None:
    images = simulated_flow()
    with pytest.raises(ValueError, match=match) as raised:
        quick(**changes).fit(images.pixels, images.labels, groups=images.subjects)
    assert "\n" not in str(raised.value)


def test_groups_that_are_equal_are_one_subject() -> None:
    """1 and 1.0 in one column, as tables may have it; 1 and "1" are refused."""
    images = simulated_flow()
    mixed = np.array([1, 1.0] * 12 + [2] * 24 + [3] * 24, object)
    for seed in range(4):
        fitted = quick(n_epochs=1, n_validation_subjects=1, random_state=seed).fit(
            images.pixels, images.labels, groups=mixed
        )
        assert fitted.validation_subjects_.tolist()[0] in {1, 2, 3}
        n_learnt = 72 - int((mixed == fitted.validation_subjects_[0]).sum())
        assert n_learnt == 48
    with pytest.raises(ValueError, match="values of one type expected, found int, str"):
        quick().fit(images.pixels, images.labels, groups=[1, "1"] * 36)


def test_fit_that_fails_leaves_what_was_fitted() -> None:
    images = simulated_flow()
    with pytest.raises(NotFittedError):
        quick().predict(images.pixels)
    fitted = quick(n_epochs=1).fit(images.pixels, images.labels, groups=images.subjects)
    before = fitted.predict(images.pixels)
    with pytest.raises(ValueError, match="batch_size"):
        fitted.set_params(batch_size=4000).fit(
            images.pixels, images.labels + 7, groups=images.subjects
        )
    np.testing.assert_array_equal(fitted.predict(images.pixels), before)


def test_predictions_are_asked_of_images_alone() -> None:
    images = simulated_flow()
    fitted = quick(n_epochs=1).fit(images.pixels, images.labels, groups=images.subjects)
    broken = images.pixels.copy()
    broken[4, 0, 0, 0] = np.inf
    for pixels, match in (
        (broken, "image '4': finite values expected"),
        (images.pixels[:0], "images expected, found none"),
        (images.pixels[..., 0], "images of shape"),
    ):
        with pytest.raises(ValueError, match=match):
            fitted.predict(pixels)
    with pytest.raises(ValueError, match="device: one of those here"):
        fitted.set_params(device="nope").predict(images.pixels)


def test_wrong_arrays_are_one_line() -> None:
    images = simulated_flow()
    with pytest.raises(ValueError, match=r"images of shape .* found \(72, 28, 28\)"):
        quick().fit(images.pixels[..., 0], images.labels, groups=images.subjects)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        quick().fit(images.pixels, images.labels[1:], groups=images.subjects[1:])
    with pytest.raises(ValueError, match="groups: one for each sample expected"):
        quick().fit(images.pixels, images.labels, groups=[None] * 72)
    broken = replace(
        images, pixels=np.where(np.arange(72)[:, None, None, None] == 5, np.nan, images.pixels)
    )
    with pytest.raises(ValueError, match="image '5': finite values expected"):
        quick().fit(broken.pixels, images.labels, groups=images.subjects)
