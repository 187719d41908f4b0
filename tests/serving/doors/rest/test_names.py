"""The names of REST are all of the proto's, and those of the Python client."""

from typing import get_args

import pytest

from serving import client
from serving.doors.rest.names import PRIORITIES, VIEWS, VOTES, PriorityName, ViewsName, VoteName


@pytest.mark.parametrize(("names", "literal"), [(VIEWS, ViewsName), (VOTES, VoteName), (PRIORITIES, PriorityName)])
def test_every_value_but_the_unspecified_one_has_a_name_and_no_other(names, literal):
    specified = [number for number in names.enumeration.values() if number]
    assert [names.name(number) for number in specified] == list(get_args(literal))
    assert [names.number(name) for name in get_args(literal)] == specified


def test_the_python_client_has_the_same():
    assert (get_args(ViewsName), get_args(VoteName)) == (client.VIEWS, client.VOTES)
