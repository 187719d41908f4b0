"""Where the seconds went until a server was ready."""

from serving.startup import Startup
from tests.serving.fakes import FakeClock


def test_each_stage_has_the_seconds_since_the_one_before():
    clock = FakeClock()
    startup = Startup(clock)
    clock.advance(2.0)
    startup.ended("imports")
    clock.advance(0.5)
    startup.ended("models")
    assert str(startup) == "2.5 s: 2.0 s imports, 0.5 s models"
