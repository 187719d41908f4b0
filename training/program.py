"""How a module that is run by itself ends."""

import sys
from collections.abc import Callable

from serving.errors import TencropError


def run(main: Callable[[], None]) -> None:
    """Calls `main`; what is wrong, or an interruption, is said in one line, and not as a stack trace."""
    try:
        main()
    except TencropError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("Stopped. The same command goes on where this one was.")
