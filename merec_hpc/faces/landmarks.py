"""Fits 68 landmarks to a face: image and box -> (68, 2), iBUG order."""

from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from merec_hpc.errors import MerecError
from merec_hpc.faces.detection import Box

Points = NDArray[np.float32]  # (68, 2), pixels, (x, y)

# The vertex of the face mesh that stands for each of the 68 points.
# fmt: off
MESH_VERTICES = np.array([
    162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389,  # jaw
    71, 63, 105, 66, 107, 336, 296, 334, 293, 301,                                      # brows
    168, 197, 5, 4, 75, 97, 2, 326, 305,                                                # nose
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,                          # eyes
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181,                                # outer lip
    78, 82, 13, 312, 308, 317, 14, 87,                                                  # inner lip
])
# fmt: on
_N_VERTICES = 468
_INPUT_PX = 192
_BOX_TO_CROP = 1.3  # a Haar box ends at brows and chin
_MESH_TO_CROP = 1.5  # MediaPipe's own margin around the mesh
_N_PASSES = 3  # each pass crops by the mesh of the pass before it
_RIGHT_EYE, _LEFT_EYE = 33, 263  # outer corners; "right" is the face's own


class LandmarkEngine(Protocol):
    """Anything that puts 68 points on a face."""

    def fit(self, image: NDArray[np.uint8], box: Box) -> Points:
        """Return the landmarks of the face in the box, or raise ``MerecError``."""
        ...


class FaceMesh:
    """MediaPipe's face mesh, read by OpenCV; 68 of its 468 vertices.

    References
    ----------
    Kartynnik et al.: Real-time facial surface geometry from monocular video on mobile
    GPUs, 2019, doi:10.48550/arXiv.1907.06724.
    """

    def __init__(self, weights: Path) -> None:
        if not weights.is_file():
            msg = f"{weights}: expected the face mesh, found no such file"
            raise MerecError(msg)
        try:
            self._network = cv2.dnn.readNetFromTFLite(str(weights))
        except cv2.error:
            msg = f"{weights}: expected the face mesh as a TFLite file, found another content"
            raise MerecError(msg) from None

    def fit(self, image: NDArray[np.uint8], box: Box) -> Points:
        """Return the landmarks of the face in the box, shape (68, 2).

        Raises
        ------
        MerecError
            If the network sees no face there.
        """
        centre, side, angle = np.array(box.centre), _BOX_TO_CROP * box.side, 0.0
        for _ in range(_N_PASSES):
            mesh, presence = self._predict(image, centre, side, angle)
            if presence < 0:
                msg = f"the landmark network sees no face (logit {presence:.1f})"
                raise MerecError(msg)
            low, high = mesh.min(axis=0), mesh.max(axis=0)
            across = mesh[_LEFT_EYE] - mesh[_RIGHT_EYE]
            centre, side = (low + high) / 2, _MESH_TO_CROP * float((high - low).max())
            angle = float(np.arctan2(across[1], across[0]))
        return np.asarray(mesh[MESH_VERTICES], np.float32)

    def _predict(
        self, image: NDArray[np.uint8], centre: NDArray[np.float64], side: float, angle: float
    ) -> tuple[NDArray[np.float64], float]:
        """Return the mesh, shape (468, 2), of a rotated square, and the logit of a face."""
        scale = side / _INPUT_PX
        turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        shift = centre - turn @ np.full(2, _INPUT_PX / 2)
        crop = cv2.warpAffine(
            image,
            np.column_stack([turn, shift]),
            (_INPUT_PX, _INPUT_PX),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        self._network.setInput(cv2.dnn.blobFromImage(crop, 1 / 255))
        outputs = self._network.forward(self._network.getUnconnectedOutLayersNames())
        vertices, presence = sorted(outputs, key=np.size, reverse=True)
        mesh = vertices.reshape(_N_VERTICES, 3)[:, :2] @ turn.T + shift
        return mesh, float(presence.item())
