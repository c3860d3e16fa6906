"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Root = Annotated[Path, typer.Option(help="Folder of the dataset, as released.")]
Settings = Annotated[str, typer.Option(help="Section of the configuration, as JSON.")]
Output = Annotated[Path, typer.Option(help="File to write.")]
Threads = Annotated[int, typer.Option(min=1, help="Clips to work on at the same time.")]
Catalog = Annotated[Path, typer.Option(help="Catalog of the dataset's clips.")]
Faces = Annotated[list[Path], typer.Option(help="Registered faces of a subject; repeat it.")]
Interpolation = Annotated[str, typer.Option(help="Section interpolation, as JSON.")]
Store = Annotated[Path, typer.Option(help="Feature store.")]
StoreOrTable = Annotated[
    Path,
    typer.Option(
        "--store",
        help="Feature store, or a table (.csv, .npz) of features, label and group.",
    ),
]
HeldOut = Annotated[
    list[str],
    typer.Option(help="Fold (a subject, without --fold-table) to keep out; repeat it."),
]
AnyHeldOut = Annotated[
    list[str] | None,
    typer.Option(
        "--held-out",
        help="Fold (a subject, without --fold-table) to keep out; without it all are seen.",
    ),
]
FoldTable = Annotated[
    Path | None,
    typer.Option(help="Table of each fold's subjects; without it each subject is a fold."),
]
Outputs = Annotated[list[Path], typer.Option("--output", help="File of each fold, in turn.")]
ScalingOption = Annotated[
    str,
    typer.Option(
        "--scaling",
        help="none, standard, transductive_full or transductive_shrunk (as "
        "transductive_shrunk,min_clips=3,kappa=1.0), learnt on the training subjects.",
    ),
]
ConfigFiles = Annotated[
    list[Path],
    typer.Option("--configfile", help="As Snakemake's; repeat it, later files prevail."),
]
ConfigKeys = Annotated[
    list[str] | None,
    typer.Option("--config", help="As Snakemake's: KEY=VALUE, which prevails; repeat it."),
]
