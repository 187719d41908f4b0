"""A program: a mirror is killed, or its disk fails, at every step that it takes there, and is looked at after each.

Run with "killed" or "failed", and an empty directory. Prints how many steps there were; exits with a message where a
repository would have seen half a version.
"""

import errno
import os
import shutil
import signal
import sys
from pathlib import Path

from serving.models import card as cards
from tests.serving.models.stores.shops import Shop, version_of

OLD, NEW, NEXT = version_of(), version_of(graph=b"changed"), version_of(graph=b"next")
_STEPS = ("open", "os.", "shutil.", "tempfile.")


FAILED = 3
HARMLESS_IN_A_ROW = 10
"""Then the round had ended before."""


def end_at(step: int, fate: str) -> None:
    """Has this process end as `fate` says before it takes so many steps more on the disk."""
    left = step

    def count(event: str, _: object) -> None:
        nonlocal left
        if event.startswith(_STEPS):
            left -= 1
            if left == -1 and fate == "killed":  # killing is a step too
                os.kill(os.getpid(), signal.SIGKILL)
            if left == -1:
                raise OSError(errno.ENOSPC, "No space left on device")

    sys.addaudithook(count)


def follow_to_the_end(shop: Shop, step: int, fate: str) -> int:
    """Follows in a process of its own that ends at `step`. Returns what it ended with; 0 where it came to no harm."""
    child = os.fork()
    if not child:
        end_at(step, fate)
        try:
            unread = shop.follow().unread
        except OSError:
            os._exit(FAILED)
        os._exit(FAILED if unread else 0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def check(shop: Shop) -> None:
    """Fails where something is shown that is not whole."""
    assert shop.shown("shades/1") in (OLD, NEW), shop.shown("shades/1")
    assert shop.shown("shades/2") in (None, NEXT), shop.shown("shades/2")
    assert (shop.mirror.models / "models.yaml").read_bytes() in (b"labels: {}", b"ensembles: {}")
    for version in shop.versions():
        directory = shop.mirror.models / version
        cards.check_files(cards.read(directory).files, directory)


def survives(root: Path, step: int, fate: str) -> bool:
    """Whether the round came to no harm at that step; the mirror is held against what it may be either way."""
    shop = Shop(root)
    shop.put("shades/1", OLD)
    shop.put(".", {"models.yaml": b"labels: {}"})
    shop.follow()
    shop.put("shades/1", NEW)
    shop.put("shades/2", NEXT)
    shop.put(".", {"models.yaml": b"ensembles: {}"})
    ended = follow_to_the_end(shop, step, fate)
    assert ended in (0, FAILED, -signal.SIGKILL), ended
    check(shop)
    shop.restart()
    shop.follow()
    assert (shop.shown("shades/1"), shop.shown("shades/2")) == (NEW, NEXT)
    assert len(list((root / "contents").glob("*/*"))) == 2
    assert list((root / "incoming").iterdir()) == []
    return ended == 0


if __name__ == "__main__":
    fate, root = sys.argv[1], Path(sys.argv[2])
    steps = harmless = 0
    while harmless < HARMLESS_IN_A_ROW:  # some failures are of no matter: a directory that is removed anyway
        harmless = harmless + 1 if survives(root / str(steps), steps, fate) else 0
        shutil.rmtree(root / str(steps))
        steps += 1
    print(steps - HARMLESS_IN_A_ROW)
