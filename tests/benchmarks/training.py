"""Measures training against bare Keras and tf.data, and rewrites its tables in README.md.

make bench-training
"""

from pathlib import Path

from tests.benchmarks import augmentation, fit, input_pipeline
from training.markdown import put, today

README = Path(__file__).with_name("README.md")


def main() -> None:
    """Runs the three benchmarks, some minutes each, and prints and keeps what they say."""
    lines = [f"{today()}."]
    for benchmark in (augmentation, fit, input_pipeline):
        table = benchmark.table(benchmark.measure())
        print(table, end="\n\n", flush=True)
        lines += ["", table]
    put(README, "training", lines)


if __name__ == "__main__":
    main()
