"""Labels that files give: NAME/labels/production, beside the versions of NAME, holds the number of one.

So whoever can do no more than write there moves a label. One file a label, since a store replaces a file in one step,
and those who write two labels never meet. A file that cannot be followed leaves its label where it was.
"""

import re
from collections.abc import Container, Mapping
from pathlib import Path
from typing import NamedTuple

from serving.models.lifecycle.versions import version_of

FOLDER = "labels"
MAX_BYTES = 64
"""Of a file; a number has 19 digits at most."""
MAX_FILES = 100
"""Of a model."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class LabelFiles(NamedTuple):
    """What the files of a model come to."""

    versions: Mapping[str, int] = {}
    """By label."""
    troubles: Mapping[str, str] = {}
    """Labels whose files cannot be followed, and why."""


def read_label_files(model: Path) -> LabelFiles:
    """What the files of the model in this directory say. Blocks. Names that begin with a dot are not looked at, so that
    a file can be written under such a name and renamed. Raises OSError where the directory cannot be read.
    """
    try:
        paths = sorted(path for path in (model / FOLDER).iterdir() if not path.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return LabelFiles()
    versions, troubles = {}, {}
    for path in paths[:MAX_FILES]:
        label = ascii(path.name)[1:-1]
        try:
            versions[label] = _version_in(path)
        except (ValueError, OSError) as error:
            troubles[label] = str(error)
    if more := paths[MAX_FILES:]:
        troubles[ascii(more[0].name)[1:-1]] = (
            f"a model has at most {MAX_FILES} files of labels; this one and {len(more) - 1} after it are not followed"
        )
    return LabelFiles(versions, troubles)


def followed(files: LabelFiles, usable: Container[int], before: Mapping[str, int]) -> LabelFiles:
    """Where the labels are to be: at the versions that `files` name as far as these are `usable`, and the others where
    they were `before`. Pure.
    """
    absent = {label: version for label, version in files.versions.items() if version not in usable}
    troubles = {label: f"version {version} does not lie there, or not all of it" for label, version in absent.items()}
    troubles |= files.troubles
    stay = {label: before[label] for label in troubles if label in before}
    there = {label: version for label, version in files.versions.items() if label not in absent}
    return LabelFiles({**stay, **there}, troubles)


def _version_in(path: Path) -> int:
    """Raises ValueError where the file names none. What it holds is not told, for it may lead anywhere."""
    if not _NAME.fullmatch(path.name):
        raise ValueError("a label is of letters, digits, '.', '_' and '-', at most 64; rename its file")
    if not path.is_file():  # a pipe would be waited for
        raise ValueError("a label is given by a file, and this is none")
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    number = version_of(content.strip().decode("ascii", "replace"))
    if len(content) > MAX_BYTES or number is None:
        has = f"more than {MAX_BYTES}" if len(content) > MAX_BYTES else len(content)
        raise ValueError(f"its file holds the number of a version and nothing else; {has} bytes came that are none")
    return number
