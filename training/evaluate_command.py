"""tencrop evaluate"""

import json
from pathlib import Path

import click

from training import data_options

# As serving.pipeline.views and serving.models.ensemble have them; neither is entered for the help.
_VIEWS = ("single", "mirror", "five", "ten", "multi-scale", "grid", "inception-144", "dense")
_DEFAULT_VIEWS = _VIEWS[:4]
_VOTES = ("mean-probability", "mean-logit", "majority")


def _read_weights(context: click.Context, parameter: click.Parameter, text: str | None) -> list[float] | None:
    """ "2,1" as numbers."""
    if text is None:
        return None
    try:
        weights = [float(each) for each in text.split(",")]
    except ValueError:
        weights = []
    if len(weights) != len(context.params["models"]) or not all(0 < weight < float("inf") for weight in weights):
        raise click.BadParameter(f"There is one positive number for each model, 2,1 say; {text!r} came.")
    return weights


@click.command(
    epilog="""\b
Examples:
  tencrop evaluate models/lenet5-a --data digits
  tencrop evaluate models/fashion-* --data fashion-mnist --vote mean-logit
  tencrop evaluate models/vgg-a --data fashion-mnist --views single --by-class --confusion
  tencrop evaluate models/vgg-a models/resnet20 --weights 1,2 --data fashion-mnist --figure confusion.png
  tencrop evaluate models/vgg-a --data pictures/ --json | jq '.results[] | [.views, .top_1_error]'"""
)
@click.argument(
    "models", nargs=-1, required=True, is_eager=True, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@data_options.data
@click.option(
    "--views",
    "view_names",
    type=click.Choice(_VIEWS),
    multiple=True,
    help="Which views vote; may be repeated for those that are among each other's.  [default: single, mirror, five and "
    "ten in turn]",
)
@click.option(
    "--vote",
    "vote_name",
    type=click.Choice(_VOTES),
    default="mean-probability",
    show_default=True,
    help="How views and models become one answer.",
)
@click.option("--weights", metavar="W,W...", callback=_read_weights, help="Of the models' votes.  [default: all equal]")
@click.option("--by-class", is_flag=True, help="Print the error of each class, and what it was most often taken for.")
@click.option("--confusion", is_flag=True, help="Print how often each class was taken for each other.")
@click.option(
    "--figure",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="PATH.png",
    help="Draw the confusion matrix and a reliability diagram.",
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as one JSON object instead of tables.")
@data_options.data_dir
@data_options.hold_out
@data_options.skip_corrupt
def evaluate(
    models: tuple[Path, ...],
    data_name: str,
    view_names: tuple[str, ...],
    vote_name: str,
    weights: list[float] | None,
    by_class: bool,
    confusion: bool,
    figure: Path | None,
    as_json: bool,
    data_dir: Path | None,
    hold_out: int | None,
    tolerated: float,
) -> None:
    """Measure MODELS (models/NAME, or one version of it), each alone and all voting together.

    Prints top-1 and top-5 errors in percent with one view, with its mirror image, with five and
    with ten views, and how far the winner's probability is from the truth on average (expected
    calibration error). The code that votes here is the code that votes in production.

    Classes are looked at closely, by --by-class, --confusion and --figure, in the answers of all
    models together with the most of the views asked for.
    """
    from rich.console import Console

    from training import evaluate as evaluation
    from training.evaluation import report
    from training.evaluation.tally import smallest_with_all

    if len(set(models)) < len(models):
        raise click.UsageError("A model votes once; one is named twice. Give it a weight instead.")
    data = data_options.load(data_name, data_dir, hold_out, tolerated)
    if confusion and len(data.labels) > report.MOST_PRINTED:
        raise click.UsageError(
            f"A confusion matrix is printed for up to {report.MOST_PRINTED} classes; {data.name} has "
            f"{len(data.labels)}. Draw it with --figure."
        )
    try:
        plans = report.plans_named(view_names or _DEFAULT_VIEWS)
        smallest_with_all(plans)
    except ValueError:
        raise click.UsageError(
            f"Views that are measured together are all among those of one choice; {' and '.join(view_names)} are not. "
            "Measure them one after another."
        ) from None
    members = {str(directory): evaluation.open_member(directory) for directory in models}
    tally = evaluation.count_votes(members, data, vote_name, plans, weights)

    row, views, outcome = report.closest(tally)
    title = f"{row.name} on {tally.data_set}, views: {report.views_name(views)}"
    if as_json:
        click.echo(json.dumps(report.as_json(tally)))
    else:
        console = Console()
        console.print(report.errors_table(tally))
        console.print(report.calibration_table(tally))
        if by_class:
            console.print(report.class_table(data.labels, outcome, title))
        if confusion:
            click.echo(report.confusion_text(data.labels, outcome, title))
    if figure:  # last: a disk that is full costs no number
        from training.evaluation.figure import draw

        draw(data.labels, outcome, title, figure)
