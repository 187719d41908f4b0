"""What can go wrong between a recipe and a published model.

A message says the rule, then what arrived, then the way out.
"""

from serving.errors import TencropError


class UnknownName(TencropError):
    """No architecture, recipe or data set is called so."""


class DataUnusable(TencropError):
    """A data set is not where it was looked for, or its files are not what they should be."""


class BadRecipe(TencropError):
    """A recipe contradicts itself, or the data it is to be used with."""


class RecipeChanged(TencropError):
    """A run that was interrupted cannot go on with other numbers than it began with."""


class RunTaken(TencropError):
    """Another process trains in the same run directory."""


class Diverged(TencropError):
    """The loss became infinite or not a number."""


class NotExportable(TencropError):
    """A model that a user brings does not fit what its card would say."""


class WeightsUnusable(TencropError):
    """A file of weights cannot be read, or does not fit the network that it is to go into."""


class NotQuantizable(TencropError):
    """A version cannot be written in 8 bits."""


class BadCluster(TencropError):
    """The environment does not say who works together."""


class WorkerLost(TencropError):
    """Another machine of the run has ended or cannot be reached."""
