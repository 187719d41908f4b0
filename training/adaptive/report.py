"""What was found about early votes, as tables for the terminal."""

from rich.table import Table

from training.adaptive.votes import Calibrated


def rounds_table(found: Calibrated) -> Table:
    """Who has been asked about how much by the end of each round, and the lead that ends the vote there."""
    adaptive = found.adaptive
    table = Table("round", "models", "views", "ends with a lead of", title="An adaptive vote", box=None)
    for number, round in enumerate(adaptive.rounds, start=1):
        table.add_row(str(number), str(round.members), str(round.views), f"{round.margin:.3f}")
    members, views = len(adaptive.member_order), len(adaptive.view_order)
    table.add_row(str(len(adaptive.rounds) + 1), str(members), str(views), "any")
    return table


def measured_table(found: Calibrated) -> Table:
    """How early votes went against full ones, in percent."""
    table = Table("pictures", "same winner %", "rows %", "error %", "of the full vote %", box=None)
    for each in found.measured:
        table.add_row(
            f"{each.data_set} ({each.pictures:,})",
            f"{each.agreed:.2%}".rstrip("%"),
            f"{each.rows:.1%}".rstrip("%"),
            f"{each.early_error:.2%}".rstrip("%"),
            f"{each.full_error:.2%}".rstrip("%"),
        )
    return table
