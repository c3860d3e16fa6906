"""Make a reference face of registered ones."""

from pathlib import Path
from typing import Annotated

import typer

from merec_hpc.commands.options import Output
from merec_hpc.errors import MerecError
from merec_hpc.faces.reference import mean_shape
from merec_hpc.files.atomic import published
from merec_hpc.store.faces import read_face_landmarks


def run(
    faces: Annotated[list[Path], typer.Option(help="Registered faces of a subject; repeat it.")],
    output: Output,
) -> None:
    """Write the mean shape of the first frames of all clips, for faces.reference.

    Take faces of people that are not evaluated: a reference face is learnt, too.
    """
    shapes = [landmarks[0] for path in faces for landmarks in read_face_landmarks(path)]
    if not shapes:
        msg = "clips expected, found none in any of the files"
        raise MerecError(msg)
    with published(output) as partial:
        rows = [f"{x:.6f},{y:.6f}" for x, y in mean_shape(shapes)]
        partial.write_text("\n".join(["x,y", *rows]) + "\n", encoding="utf-8")
