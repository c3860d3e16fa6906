"""Small stills of simulated faces, of several people and expressions."""

from dataclasses import replace
from functools import cache

import cv2
import numpy as np

from merec_hpc.dataset.action_units import SMIC_EXPRESSIONS
from merec_hpc.dataset.simulated_face import draw_motion, make_frames, make_subject
from merec_hpc.records import Images

CLASSES = ("negative", "positive", "surprise")


@cache
def simulated_stills(n_subjects: int = 4, n_each: int = 3, side: int = 48) -> Images:
    """Frames near the apex of large motions, ``n_each`` of each class of each subject."""
    pixels, labels, subjects = [], [], []
    for number in range(n_subjects):
        rng = np.random.default_rng([7, number])
        subject = make_subject(rng, SMIC_EXPRESSIONS)
        for label, name in enumerate(CLASSES):
            motion = draw_motion(subject, SMIC_EXPRESSIONS[name], n_each, (16, 20), rng)
            near = replace(motion, profile=np.linspace(0.8, 1, n_each))
            for face, _ in make_frames(subject, near, rng):
                crop = face[face.shape[0] // 2 - 140 :, face.shape[1] // 2 - 140 :][:280, :280]
                pixels.append(cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA))
                labels.append(label)
                subjects.append(f"s{number}")
    return Images(
        np.stack(pixels),
        np.array(labels),
        np.array(subjects),
        np.array([f"image{place:03d}" for place in range(len(labels))]),
        np.array(CLASSES),
    )


def landmarked_stills() -> Images:
    """The same two points on every face."""
    images = simulated_stills()
    points = np.array([[12, 30], [34, 30]], np.float32)
    return replace(images, landmarks=np.tile(points, (len(images.labels), 1, 1)))


@cache
def simulated_flow(n_subjects: int = 4, n_each: int = 6) -> Images:
    """Flow images, 28 x 28: of each class something moves somewhere else."""
    rng = np.random.default_rng(3)
    n_images = 3 * n_subjects * n_each
    labels = np.arange(n_images) % 3
    pixels = rng.normal(0, 0.1, (n_images, 28, 28, 3)).astype(np.float32)
    for place, label in enumerate(labels):
        pixels[place, 4 + 7 * label : 9 + 7 * label, 8:20, :2] += 1
    return Images(
        pixels,
        labels,
        np.repeat([f"s{number}" for number in range(n_subjects)], 3 * n_each),
        np.array([f"clip{place:03d}" for place in range(n_images)]),
        np.array(CLASSES),
    )
