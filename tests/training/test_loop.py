"""Training learns, is stopped and goes on with the same bytes, and says what is wrong."""

import multiprocessing
import os
import signal
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from training.settings import QUICK, STILLS
from training.stills import landmarked_stills, simulated_flow, simulated_stills

from merec_hpc.config.training import PartsSettings, TrainingSettings
from merec_hpc.errors import InterruptedSearchError, MerecError
from merec_hpc.files.sealed import write_sealed
from merec_hpc.records import Images
from merec_hpc.training.checks import checked_images
from merec_hpc.training.loop import Trained, train, training_key
from merec_hpc.training.scoring import class_scores
from merec_hpc.training.state import EpochCurves, TrainingCheckpoints, TrainingState


def state_of(folder: Path, settings: TrainingSettings) -> TrainingState | None:
    """The last checkpoint of training on flow."""
    images = checked_images(simulated_flow(), settings)
    return checkpoints(folder).load(training_key(images, settings))


class StopAfter:
    """Is true once it has been asked so many times."""

    def __init__(self, n_batches: int) -> None:
        self.left = n_batches

    def __bool__(self) -> bool:
        self.left -= 1
        return self.left < 0


def weights(trained: Trained) -> bytes:
    return b"".join(values.numpy().tobytes() for values in trained.network.state_dict().values())


def checkpoints(folder: Path, seconds: float = 0.0) -> TrainingCheckpoints:
    return TrainingCheckpoints(folder / "network.checkpoint", seconds)


def resumed_after(folder: Path, images: Images, settings: TrainingSettings, *stops: int) -> Trained:
    """Train with a stop after each of these numbers of batches, counted from the one before."""
    for n_batches in stops:
        with pytest.raises(InterruptedSearchError, match=r"stopped in epoch \d of 3"):
            train(
                images,
                settings,
                checkpoints=checkpoints(folder, seconds=1e9),
                stop=StopAfter(n_batches),
            )
        torch.manual_seed(n_batches)  # nothing depends on the process's generator
    return train(images, settings, checkpoints=checkpoints(folder))


def test_training_that_was_stopped_gives_the_bytes_of_one_that_was_not(tmp_path: Path) -> None:
    """Twenty times, at a random batch each: also between epochs, and at some twice."""
    whole = train(simulated_flow(), QUICK)
    rng = np.random.default_rng(11)
    for number in range(20):
        stops = [int(rng.integers(12)) for _ in range(1 + number % 2)]
        if sum(stops) + len(stops) > 20:
            stops = stops[:1]
        resumed = resumed_after(tmp_path / str(number), simulated_flow(), QUICK, *stops)
        assert weights(resumed) == weights(whole)
        assert resumed.curves == whole.curves
        assert resumed.chosen_epoch == whole.chosen_epoch


@pytest.mark.parametrize("stops", [(1, 2), (3,), (9,)])
def test_changes_of_images_go_on_as_well(tmp_path: Path, stops: tuple[int, ...]) -> None:
    whole = train(simulated_stills(), STILLS)
    resumed = resumed_after(tmp_path, simulated_stills(), STILLS, *stops)
    assert weights(resumed) == weights(whole)
    assert resumed.curves == whole.curves


KILLED = replace(QUICK, n_epochs=60)


def _train_in_a_process(folder: Path) -> None:
    train(simulated_flow(), KILLED, checkpoints=checkpoints(folder))


def test_training_that_was_killed_gives_the_bytes_of_one_that_was_not(tmp_path: Path) -> None:
    whole = train(simulated_flow(), KILLED)
    path, n_kills = checkpoints(tmp_path).path, 0
    for wanted in (3, 9):
        process = multiprocessing.get_context("spawn").Process(
            target=_train_in_a_process, args=(tmp_path,)
        )
        process.start()
        writes: set[int] = set()
        while process.is_alive() and len(writes) < wanted:
            with suppress(FileNotFoundError):  # between two names
                writes.add(path.stat().st_mtime_ns)
            time.sleep(0.002)
        if process.is_alive() and process.pid is not None:
            os.kill(process.pid, signal.SIGKILL)
            n_kills += 1
        process.join()
    assert n_kills == 2
    state = state_of(tmp_path, KILLED)
    assert state is not None
    assert state.epoch * 7 + state.step >= 4
    resumed = train(simulated_flow(), KILLED, checkpoints=checkpoints(tmp_path))
    assert weights(resumed) == weights(whole)


def test_optimiser_goes_on_as_well(tmp_path: Path) -> None:
    """The state after a stop and a resume is that of a run that was stopped later once."""

    def state_after(folder: Path, *n_batches: int) -> Any:
        for number in n_batches:
            with pytest.raises(InterruptedSearchError):
                train(
                    simulated_flow(), QUICK, checkpoints=checkpoints(folder), stop=StopAfter(number)
                )
        return state_of(folder, QUICK)

    once, twice = state_after(tmp_path / "a", 8), state_after(tmp_path / "b", 5, 2)
    assert (once.epoch, once.step) == (twice.epoch, twice.step) == (1, 2)
    for name, values in once.network.items():
        assert torch.equal(values, twice.network[name])
    assert once.optimiser["state"].keys() == twice.optimiser["state"].keys()
    for place, moments in once.optimiser["state"].items():
        for name, values in moments.items():
            assert torch.equal(values, twice.optimiser["state"][place][name])


def test_checkpoint_of_other_settings_is_not_taken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(InterruptedSearchError):
        train(simulated_flow(), QUICK, checkpoints=checkpoints(tmp_path), stop=StopAfter(5))
    other = replace(QUICK, seed=1)
    resumed = train(simulated_flow(), other, checkpoints=checkpoints(tmp_path))
    assert weights(resumed) == weights(train(simulated_flow(), other))
    assert "training starts afresh" in caplog.text


def test_threads_of_torch_change_nothing_and_are_given_back() -> None:
    settings = replace(QUICK, n_epochs=1, milestones=())
    first = train(simulated_flow(), settings)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert weights(train(simulated_flow(), settings)) == weights(first)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_another_seed_gives_other_weights() -> None:
    settings = replace(QUICK, n_epochs=1, milestones=())
    assert weights(train(simulated_flow(), settings)) != weights(
        train(simulated_flow(), replace(settings, seed=1))
    )


def shuffled_flow() -> Images:
    """What can be learnt by heart alone: the validation loss rises."""
    images = simulated_flow()
    return replace(images, labels=np.random.default_rng(1).permutation(images.labels))


HEART = replace(QUICK, network="off_apexnet", n_epochs=20)


def test_validation_chooses_the_epoch_and_patience_ends_training() -> None:
    trained = train(shuffled_flow(), replace(HEART, patience=3))
    losses = [row.validation_loss for row in trained.curves]
    assert trained.chosen_epoch == int(np.argmin(np.array(losses, float))) + 1
    assert len(losses) == trained.chosen_epoch + 3 < 20


def test_weights_are_those_of_the_chosen_epoch() -> None:
    trained = train(shuffled_flow(), HEART)
    assert trained.chosen_epoch < 20
    until = train(shuffled_flow(), replace(HEART, n_epochs=trained.chosen_epoch))
    assert weights(until) == weights(trained)


def test_curves_are_shown_epoch_by_epoch_with_their_rates() -> None:
    rows: list[EpochCurves] = []
    trained = train(simulated_flow(), QUICK, watch=rows.append)
    assert rows == trained.curves
    assert [row.epoch for row in rows] == [1, 2, 3]
    assert [row.learning_rate for row in rows] == pytest.approx([1e-3, 9e-4, 5e-4 * 0.81])


def test_validation_subjects_are_not_learnt_from() -> None:
    """Other pixels of theirs change the choice of the epoch at most."""
    images = simulated_flow()
    settings = replace(QUICK, n_epochs=1, milestones=())
    trained = train(images, settings)
    (subject,) = trained.validation_subjects
    pixels = images.pixels.copy()
    pixels[images.subjects == subject] = 0
    assert weights(train(replace(images, pixels=pixels), settings)) == weights(trained)


LEARNING: dict[str, dict[str, Any]] = {
    "ststnet": {"learning_rate": 0.05, "choices": {"dropout": 0.0}},
    "off_apexnet": {},
    "expression_cnn": {"input_px": 64},
    "fused_vgg16": {"input_px": 32, "choices": {"dropout": 0.0}},
    "facial_parts": {
        "input_px": 32,
        "n_epochs": 200,
        "learning_rate": 2e-3,
        "choices": {"part_channels": (8, 16), "channels": (16, 32), "dropout": 0.0},
        "parts": PartsSettings(supervision="full", sigma_px=3.0),
    },
    "resnet34": {"input_px": 48},
    "densenet121": {"input_px": 48},
}


@pytest.mark.parametrize("network", LEARNING)
def test_network_learns_32_images_by_heart(network: str) -> None:
    """Each within 60 epochs of two batches, that with a relevance map within 200."""
    is_flow = network in {"ststnet", "off_apexnet"}
    images = simulated_flow() if is_flow else landmarked_stills()
    images = images.take(np.arange(32))
    settings = TrainingSettings(
        network=network,
        batch_size=16,
        n_validation_subjects=0,
        **{"n_epochs": 60, **LEARNING[network]},
    )
    reached: list[float] = []

    class LearntByHeart:
        def __bool__(self) -> bool:
            return bool(reached) and reached[-1] == 1.0

    with suppress(InterruptedSearchError):
        train(
            images,
            settings,
            stop=LearntByHeart(),
            watch=lambda row: reached.append(row.training_accuracy),
        )
    assert max(reached) == 1.0


def test_shuffled_labels_stay_at_chance_on_others() -> None:
    """Nothing of the held-out subjects reaches the network: their accuracy is by a third."""
    images = simulated_flow(12, 6)
    rng = np.random.default_rng(5)
    shuffled = replace(images, labels=rng.permutation(images.labels))
    is_held_out = np.isin(images.subjects, [f"s{number}" for number in range(6)])
    settings = TrainingSettings(network="off_apexnet", n_epochs=15, batch_size=16)
    trained = train(shuffled.take(np.flatnonzero(~is_held_out)), settings)
    right = predicted(trained, shuffled.take(np.flatnonzero(is_held_out)))
    assert 0.2 < right.mean() < 0.47  # 108 images: three standard errors about a third
    told = train(images.take(np.flatnonzero(~is_held_out)), settings)
    assert predicted(told, images.take(np.flatnonzero(is_held_out))).mean() > 0.9


def predicted(trained: Trained, images: Images) -> Any:
    from merec_hpc.networks.preparing import Preparation
    from merec_hpc.networks.registry import NETWORKS

    cpu = torch.device("cpu")
    preparation = Preparation(NETWORKS["off_apexnet"], trained.network, None, cpu)
    scores = class_scores(trained.network, preparation, images.pixels, 16, cpu)
    return scores.argmax(1) == images.labels


def test_average_frame_is_subtracted_where_the_network_has_room_for_it() -> None:
    images = simulated_stills()
    settings = TrainingSettings(
        network="expression_cnn", n_epochs=1, batch_size=9, n_validation_subjects=0
    )
    trained = train(replace(images, pixels=np.full_like(images.pixels, 51)), settings)
    mean = trained.network.get_buffer("mean_image")
    torch.testing.assert_close(mean, torch.full_like(mean, 0.2))


@pytest.mark.parametrize("kind", [np.int32, np.uint8, ">i8"])
def test_labels_of_any_whole_type_are_the_same(kind: Any) -> None:
    images, settings = simulated_flow(), replace(QUICK, n_epochs=1, milestones=())
    typed = replace(images, labels=images.labels.astype(kind))
    assert weights(train(typed, settings)) == weights(train(images, settings))


def test_contexts_of_the_caller_change_nothing_and_stay() -> None:
    images, settings = simulated_flow(), replace(QUICK, n_epochs=1, milestones=())
    expected = weights(train(images, settings))
    torch.manual_seed(5)
    before = torch.get_rng_state()
    with torch.autocast("cpu", torch.bfloat16):
        assert weights(train(images, settings)) == expected
        assert torch.is_autocast_enabled("cpu")
    with torch.inference_mode():
        assert weights(train(images, settings)) == expected
    torch.set_default_dtype(torch.float64)
    try:
        assert weights(train(images, settings)) == expected
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.equal(torch.get_rng_state(), before)


def test_checkpoint_that_is_none_is_not_taken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = checkpoints(tmp_path).path
    write_sealed(path, b"of a search")
    settings = replace(QUICK, n_epochs=1, milestones=())
    expected = weights(train(simulated_flow(), settings))
    assert weights(train(simulated_flow(), settings, checkpoints=checkpoints(tmp_path))) == expected
    assert "training starts afresh" in caplog.text
    path.write_bytes(b"torn")
    path.with_name(path.name + ".former").unlink()
    assert weights(train(simulated_flow(), settings, checkpoints=checkpoints(tmp_path))) == expected
    assert "torn, not taken" in caplog.text


def test_folder_in_a_checkpoints_place_is_refused(tmp_path: Path) -> None:
    path = checkpoints(tmp_path).path
    path.mkdir()
    with pytest.raises(MerecError, match="a file to write expected, found a folder"):
        train(simulated_flow(), QUICK, checkpoints=checkpoints(tmp_path))
