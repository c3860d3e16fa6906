"""What training cannot take is refused in one line."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from training.settings import QUICK, STILLS
from training.stills import simulated_flow, simulated_stills

from merec_hpc.config.base import from_json
from merec_hpc.config.training import TrainingSettings
from merec_hpc.errors import MerecError
from merec_hpc.records import Images
from merec_hpc.training.augmentation import NOTHING
from merec_hpc.training.loop import train

FLOW = {"augmentation": NOTHING, "input_px": None}


def refused(
    match: str, images: Images | None = None, device: str | None = None, **changes: Any
) -> None:
    with pytest.raises(MerecError, match=match) as raised:
        train(images or simulated_stills(), replace(STILLS, **changes), device)
    assert "\n" not in str(raised.value)


def test_class_without_images_is_refused() -> None:
    images = simulated_stills()
    more = replace(images, class_names=np.array([*images.class_names, "others"]))
    refused(r"training images of class 'others' expected, found none", more)


def test_subject_whose_class_nobody_else_shows_is_learnt_from() -> None:
    images = simulated_stills()
    alone = replace(images, labels=np.where(images.subjects == "s2", 2, images.labels % 2))
    for seed in range(6):
        trained = train(
            alone, replace(QUICK, network="expression_cnn", n_epochs=1, milestones=(), seed=seed)
        )
        assert trained.validation_subjects != ["s2"]
    refused(
        r"n_validation_subjects: 2 at most expected of 4 subjects.*found 4",
        alone,
        n_validation_subjects=4,
    )


def test_batch_larger_than_the_set_is_refused() -> None:
    refused(r"training.batch_size: 27 at most.*found 28", batch_size=28)


def test_loss_that_is_no_number_names_image_and_batch() -> None:
    refused(r"found nan of image 'image\d+' in epoch 1, batch \d: lower", learning_rate=1e30)


def test_loss_of_validation_that_is_no_number_is_told_as_well() -> None:
    """After the only batch, whose own loss was one."""
    changes = {
        "batch_size": 54,
        "n_epochs": 1,
        "milestones": (),
        "learning_rate": 1e30,
        "network": "off_apexnet",
    }
    images = simulated_flow()
    refused(r"found (nan|inf) of image 'clip\d+' in epoch 1, batch 2", images, **FLOW, **changes)


def test_weights_that_are_not_finite_are_refused() -> None:
    changes = {
        "batch_size": 72,
        "n_epochs": 1,
        "milestones": (),
        "n_validation_subjects": 0,
        "optimiser": "sgd",
    }
    changes |= {"network": "off_apexnet", "learning_rate": 1e38, "weight_decay": 1e38}
    refused(
        r"finite weights expected, found others in streams", simulated_flow(), **FLOW, **changes
    )


def test_device_that_is_not_there_is_refused() -> None:
    refused(r"device: one of those here \(cpu.*\) expected, found 'cuda:99'", device="cuda:99")


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"network": "fused_vgg"}, r"training.network: .*found 'fused_vgg'; did you mean"),
        ({"network": "mini_xception"}, r"gives probabilities$"),
        ({"network": "emotion_cnn"}, r"gives probabilities$"),
        (
            {"network": "resnet34", "input_px": 2**20},
            r"resnet34 with .* of 1048576 x 1048576 expected",
        ),
        ({"network": "alexnet", "input_px": 8}, r"alexnet with these choices and images of 8 x 8"),
        ({"network": "facial_parts", "choices": {"input_px": 16}}, r"found 'input_px'$"),
        ({"network": "alexnet", "choices": {"x": 1}}, r"none expected of alexnet, found 'x'$"),
        ({"choices": {"dropouts": 1}}, r"found 'dropouts'; did you mean 'dropout'\?$"),
        (
            {"choices": {"dropout": 2.0}},
            r"fused_vgg16 with these choices and images of 32 x 32 expected, found: dropout",
        ),
    ],
)
def test_network_that_cannot_be_is_refused(changes: dict[str, Any], match: str) -> None:
    refused(match, **changes)


def test_network_with_scores_for_each_place_is_refused() -> None:
    """VGG-F's dense layers are convolutions, which find four places in a larger image."""
    changes = {"network": "vgg_f", "input_px": 256}
    refused(r"a side at which vgg_f gives 3 scores expected, found 256, which gives 12", **changes)


@pytest.mark.parametrize(
    ("field", "values", "match"),
    [
        ("labels", np.zeros(36), r"labels from 0 to 2 expected, found others \(float64\)"),
        ("labels", np.full(36, 3), r"labels from 0 to 2 expected, found others \(int64\)"),
        ("labels", np.arange(36) % 3 - 1, r"labels from 0 to 2 expected"),
        ("labels", np.zeros(35, int), r"labels of shape \(36,\), one for each image, expected"),
        ("subjects", np.array(["s"] * 4), r"subjects of shape \(36,\), one for each image"),
        ("names", np.array(["s"] * 40), r"names of shape \(36,\), one for each image"),
        ("class_names", np.array(["all"]), r"two classes or more expected, found 1"),
        ("pixels", np.zeros((36, 4, 4, 3), complex), r"expected, found \(36, 4, 4, 3\) of complex"),
        ("pixels", np.zeros((36, 0, 4, 3)), r"images expected, found none in \(36, 0, 4, 3\)"),
    ],
)
def test_fields_that_do_not_fit_are_refused(field: str, values: Any, match: str) -> None:
    refused(match, replace(simulated_stills(), **{field: values}))


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ('"milestones": [[100, 0.1]]', "milestones below n_epochs 100 expected, found 100"),
        ('"milestones": [[9, 0.1], [9, 0.2]]', "milestones of rising epochs expected"),
        ('"momentum": 0.5', "momentum does nothing without optimiser sgd"),
        ('"focal_gamma": 1.0', "focal_gamma does nothing without loss focal"),
        ('"parts": {"weight": 2.0}', "parts does nothing without parts.supervision"),
        ('"choices": {"dropout": "x"}', "choices: numbers from 0, or lists of them, expected"),
        ('"patience": 3, "n_validation_subjects": 0', "needs n_validation_subjects, found 0"),
        ('"augmentation": {"skews": [1.0]}', "'augmentation.skews.0' is 1.0"),
        ('"learning_rate": 1e300', "'learning_rate' is 1e+300"),
    ],
)
def test_settings_that_do_nothing_or_too_much_are_refused(text: str, match: str) -> None:
    with pytest.raises(MerecError) as raised:
        from_json(TrainingSettings, f"{{{text}}}")
    assert match in str(raised.value)


def test_pixels_that_are_none_are_refused() -> None:
    images = simulated_stills()
    floats = images.pixels.astype(np.float32)
    floats[3, 5, 5] = np.nan
    refused(r"image 'image003': finite values expected", replace(images, pixels=floats))
    refused(
        r"pixels from 0 to 255 expected, found -9 to",
        replace(images, pixels=np.nan_to_num(floats) - 9),
    )
    refused(r"shape \(n_images, h, w, 3\) expected", replace(images, pixels=images.pixels[..., 0]))
    refused(r"images expected, found none", images.take(np.arange(0)))
    refused(r"none expected of flow, which ststnet reads", simulated_flow(), network="ststnet")


def test_memory_that_is_short_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def short(*_: object) -> None:
        raise torch.OutOfMemoryError

    monkeypatch.setattr("merec_hpc.training.loop.on_device", short)
    refused(
        r"memory for 8 images at once expected on cpu, found too little: lower training.batch_size"
    )
