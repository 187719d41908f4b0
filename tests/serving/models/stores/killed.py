"""A program: a mirror is killed at every step that it takes on the disk, and is looked at after each.

Run with an empty directory. Prints how many steps there were; exits with a message where a repository would have seen
half a version.
"""

import os
import shutil
import signal
import sys
from pathlib import Path

from serving.models import card as cards
from tests.serving.models.stores.shops import Shop, version_of

OLD, NEW, NEXT = version_of(), version_of(graph=b"changed"), version_of(graph=b"next")
_STEPS = ("open", "os.", "shutil.", "tempfile.")


def kill_at(step: int) -> None:
    """Ends this process, as a power cut would, before it takes so many steps more on the disk."""
    left = step

    def count(event: str, _: object) -> None:
        nonlocal left
        if event.startswith(_STEPS):
            left -= 1
            if left == -1:  # killing is a step too
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)


def check(shop: Shop) -> None:
    """Fails where something is shown that is not whole."""
    assert shop.shown("shades/1") in (OLD, NEW), shop.shown("shades/1")
    assert shop.shown("shades/2") in (None, NEXT), shop.shown("shades/2")
    assert (shop.mirror.models / "models.yaml").read_bytes() in (b"labels: {}", b"ensembles: {}")
    for version in shop.versions():
        directory = shop.mirror.models / version
        cards.check_files(cards.read(directory).files, directory)


def survives(root: Path, step: int) -> bool:
    """Whether the round had ended before that step; the mirror is held against what it may be either way."""
    shop = Shop(root)
    shop.put("shades/1", OLD)
    shop.put(".", {"models.yaml": b"labels: {}"})
    shop.follow()
    shop.put("shades/1", NEW)
    shop.put("shades/2", NEXT)
    shop.put(".", {"models.yaml": b"ensembles: {}"})
    child = os.fork()
    if not child:
        kill_at(step)
        shop.follow()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL), status
    check(shop)
    shop.restart()
    shop.follow()
    assert (shop.shown("shades/1"), shop.shown("shades/2")) == (NEW, NEXT)
    assert len(list((root / "contents").glob("*/*"))) == 2
    assert list((root / "incoming").iterdir()) == []
    return status == 0


if __name__ == "__main__":
    steps = 0
    while not survives(Path(sys.argv[1], str(steps)), steps):
        shutil.rmtree(Path(sys.argv[1], str(steps)))
        steps += 1
    print(steps)
