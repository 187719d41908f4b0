"""What a user sees of a run: a bar on a terminal, a line an epoch elsewhere."""

import time

import keras
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


class ShowProgress(keras.callbacks.Callback):
    """Shows epochs, loss, top-1 error on the training crops, and the time that is left.

    Enter it as a context around the training, so that the terminal is given back whatever happens.
    """

    def __init__(self, title: str, epochs: int, console: Console) -> None:
        super().__init__()
        self._title = title
        self._epochs = epochs
        self._console = console
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}  {task.fields[state]}"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> "ShowProgress":
        self._bar.start()
        return self

    def __exit__(self, *exception) -> None:
        self._bar.stop()

    def on_train_begin(self, logs=None):
        if not self._bar.tasks:
            self._bar.add_task(self._title, total=self._epochs, epoch=0, epochs=self._epochs, state="")
        self._task = self._bar.task_ids[0]

    def on_epoch_begin(self, epoch, logs=None):
        self._began = time.monotonic()
        self._bar.update(self._task, completed=epoch, epoch=epoch + 1)

    def on_train_batch_end(self, batch, logs=None):
        self._bar.update(self._task, advance=1 / self.params["steps"], state=_state(logs))

    def on_epoch_end(self, epoch, logs=None):
        if not self._console.is_terminal and (epoch + 1) % max(1, self._epochs // 10) == 0:
            seconds = time.monotonic() - self._began
            self._console.print(f"{self._title}  epoch {epoch + 1}/{self._epochs}  {_state(logs)}  {seconds:.1f} s")


def _state(logs: dict[str, float]) -> str:
    return f"loss {logs['loss']:.4f}  error {logs['top_1_error']:.2%}"
