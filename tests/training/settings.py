"""Settings that are quickly trained by."""

from dataclasses import replace

from merec_hpc.config.training import AugmentationSettings, TrainingSettings

QUICK = TrainingSettings(
    n_epochs=3,
    batch_size=8,
    n_validation_subjects=1,
    loss="focal",
    class_weight="balanced",
    milestones=((2, 5e-4),),
    decay=0.9,
)
"""STSTNet: batch norm and dropout, seven batches an epoch."""

STILLS = replace(
    QUICK,
    network="fused_vgg16",
    input_px=32,
    augmentation=AugmentationSettings(
        flip=True, rotations_deg=(-10, 0, 10), scales=(0.9, 1, 1.1), brightness=0.1, contrast=0.1
    ),
)
"""Attention, momentum and changes of images as well, four batches an epoch."""
