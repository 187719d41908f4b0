"""tencrop records"""

from pathlib import Path

import click

from training import data_options


@click.command(
    epilog="""\b
Examples:
  tencrop records pictures/ --out pictures-records
  tencrop records imagenet/ --out /data/imagenet --shards 1024 --skip-corrupt 0.001
  tencrop train alexnet --data /data/imagenet --out models/alexnet"""
)
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A new directory.")
@click.option(
    "--shards",
    type=click.IntRange(1, 99_999),
    metavar="N",
    help="Files of training pictures.  [default: one a thousand pictures]",
)
@data_options.skip_corrupt
def records(directory: Path, out: Path, shards: int | None, tolerated: float) -> None:
    """Write DIRECTORY, one folder of pictures a class, as TFRecords in the ImageNet convention.

    Large data sets are read faster from a few large files than from very many small ones. Pictures
    keep their bytes, and are shuffled. --out gets files train-00000-of-NNNNN and
    validation-00000-of-NNNNN, labels.txt with the classes, whose labels count from 1, and
    manifest.json with the number of records in each file.
    """
    from rich.console import Console
    from rich.progress import Progress

    from serving.models.engines.quiet import chatter_kept_back
    from training.data import image_folder

    with chatter_kept_back():
        from training.data import writing

    data = image_folder.load(directory, tolerated)
    terminal = Console(stderr=True)
    with Progress(console=terminal, transient=True, disable=not terminal.is_terminal) as bar:
        task = bar.add_task(f"Writing {out}", total=len(data.train) + len(data.test))
        manifest = writing.write(data, out, shards, lambda: bar.advance(task))
    click.echo(f"{out}: {sum(manifest.records.values())} pictures in {len(manifest.records)} files")
