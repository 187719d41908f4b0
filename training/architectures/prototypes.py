"""What the outputs of LeNet-5 of 1998 compare with: a code of +1 and -1 for every class."""

import numpy as np
from numpy.typing import NDArray

# Digits of 7 x 12 dots, drawn for this file in the manner of the paper's Figure 3.
DIGITS = (
    ("..###..", ".#...#.", "#.....#", "#.....#", "#.....#", "#.....#", "#.....#", "#.....#", ".#...#.", "..###.."),
    ("...#...", "..##...", ".#.#...", "...#...", "...#...", "...#...", "...#...", "...#...", "...#...", ".#####."),
    (".#####.", "#.....#", "......#", "......#", ".....#.", "...##..", "..#....", ".#.....", "#......", "#######"),
    (".#####.", "#.....#", "......#", "......#", "..####.", "......#", "......#", "......#", "#.....#", ".#####."),
    (".....#.", "....##.", "...#.#.", "..#..#.", ".#...#.", "#....#.", "#######", ".....#.", ".....#.", ".....#."),
    ("#######", "#......", "#......", "#.####.", "##....#", "......#", "......#", "......#", "#.....#", ".#####."),
    ("..####.", ".#....#", "#......", "#......", "#.####.", "##....#", "#.....#", "#.....#", ".#....#", "..####."),
    ("#######", "......#", ".....#.", ".....#.", "....#..", "....#..", "...#...", "...#...", "..#....", "..#...."),
    (".#####.", "#.....#", "#.....#", "#.....#", ".#####.", "#.....#", "#.....#", "#.....#", "#.....#", ".#####."),
    (".####..", "#....#.", "#.....#", "#.....#", "#....##", ".####.#", "......#", "......#", "#....#.", ".####.."),
)


def prototypes(classes: int, width: int) -> NDArray[np.float32]:
    """A code for every class, float32 [classes, width]: the digits where there are ten classes of 84,
    and otherwise drawn at random, the same ones each time. The paper allows both (section II.B).
    """
    if (classes, width) != (10, 84):
        return np.random.default_rng(1998).choice(np.float32([-1, 1]), (classes, width))
    blank = "." * 7
    dots = ["".join((blank, *rows, blank)) for rows in DIGITS]
    return np.float32([[1 if dot == "#" else -1 for dot in digit] for digit in dots])
