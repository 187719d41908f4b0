"""Measures training against bare Keras and tf.data, and rewrites its tables in README.md.

make bench-training
"""

from pathlib import Path

import click

from tests.benchmarks import augmentation, fit, input_pipeline, memory
from training.markdown import put, today

README = Path(__file__).with_name("README.md")
BENCHMARKS = {"augmentation": augmentation, "fit": fit, "input-pipeline": input_pipeline, "memory": memory}


@click.command()
@click.argument("names", metavar="[BENCHMARK]...", nargs=-1, type=click.Choice(tuple(BENCHMARKS)))
def main(names: tuple[str, ...]) -> None:
    """Run each BENCHMARK (augmentation, fit, input-pipeline, memory), or all: some minutes each."""
    for name in names or BENCHMARKS:
        benchmark = BENCHMARKS[name]
        table = benchmark.table(benchmark.measure())
        print(table, end="\n\n", flush=True)
        put(README, name, [f"{today()}.", "", table])


if __name__ == "__main__":
    main()
