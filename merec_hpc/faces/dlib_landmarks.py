"""dlib's landmarks, where dlib is installed: ``pip install dlib-bin`` (or ``dlib``)."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from merec_hpc.errors import MerecError
from merec_hpc.faces.detection import Box

# The predictor expects dlib's own box, around which its detector is run again.
_AROUND = 0.3  # of the box's side, on each side
_SMALLEST_PX = 80  # face that dlib's detector finds; smaller ones are enlarged for it


class DlibLandmarks:
    """dlib's ensemble of regression trees, in the box of dlib's own detector.

    References
    ----------
    Kazemi, Sullivan: One millisecond face alignment with an ensemble of regression trees,
    CVPR 2014, doi:10.1109/CVPR.2014.241.
    """

    def __init__(self, weights: Path) -> None:
        try:
            import dlib  # noqa: PLC0415  (an optional engine)
        except ImportError:
            msg = "faces.landmarks: dlib expected to be installed (pip install dlib-bin), is not"
            raise MerecError(msg) from None
        if not weights.is_file():
            msg = f"{weights}: dlib's predictor of 68 landmarks expected, found no such file"
            raise MerecError(msg)
        try:
            self._predictor = dlib.shape_predictor(str(weights))
        except RuntimeError as error:
            msg = f"{weights}: dlib's predictor expected, found: {str(error).splitlines()[0]}"
            raise MerecError(msg) from None
        self._detector = dlib.get_frontal_face_detector()
        self._rectangle = dlib.rectangle

    def fit(self, image: NDArray[np.uint8], box: Box) -> NDArray[np.float32]:
        """Return the landmarks of the face in the box, shape (68, 2).

        Raises
        ------
        MerecError
            If dlib's detector sees no face there, or the predictor knows other landmarks.
        """
        reach = _AROUND * box.side
        left, top = max(0, round(box.left - reach)), max(0, round(box.top - reach))
        right, bottom = round(box.left + box.side + reach), round(box.top + box.side + reach)
        region = np.ascontiguousarray(image[top:bottom, left:right])
        n_doublings = 1 if box.side < _SMALLEST_PX else 0
        found, scores, _ = self._detector.run(region, n_doublings, 0.0)
        if not found:
            msg = "dlib's detector sees no face"
            raise MerecError(msg)
        best = found[int(np.argmax(scores))]
        moved = self._rectangle(
            best.left() + left, best.top() + top, best.right() + left, best.bottom() + top
        )
        shape = self._predictor(image, moved)
        if shape.num_parts != 68:
            msg = f"a predictor of 68 landmarks expected, found one of {shape.num_parts}"
            raise MerecError(msg)
        return np.array([[part.x, part.y] for part in shape.parts()], np.float32)
