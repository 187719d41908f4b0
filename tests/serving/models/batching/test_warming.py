"""Every size of batch is met before there are calls, and timed as what else the machine does allows."""

from serving.models.batching.warming import met

SIZES = (1, 2, 4, 8, 16, 32)


class Network:
    """Takes so many seconds for batches of a size, and more in the runs named by their number."""

    def __init__(self, seconds_a_row, disturbed=()):
        self.seconds_a_row, self.disturbed = seconds_a_row, disturbed
        self.met, self.timed = [], []

    def meet(self, size):
        self.met.append(size)

    def time(self, size):
        self.timed.append(size)
        slower = 2 if len(self.timed) - 1 in self.disturbed else 1
        return slower * size * self.seconds_a_row(size)

    def meets(self, sizes=SIZES):
        return met(self.meet, self.time, sizes)


def test_every_size_is_met_before_it_is_timed():
    network = Network(lambda size: 0.001)
    seconds = network.meets()
    assert network.met == list(SIZES)
    assert seconds == {size: size * 0.001 for size in SIZES}


def test_sizes_are_timed_in_turns_and_the_shortest_time_counts():
    network = Network(lambda size: 0.001, disturbed=(2, 3, 6))
    assert network.meets() == {size: size * 0.001 for size in SIZES}
    assert network.timed == [*SIZES, *SIZES]


def test_nothing_larger_is_met_than_the_second_long_batch_whose_rows_are_no_cheaper():
    network = Network(lambda size: 0.15 if size < 8 else 0.1)
    assert list(network.meets()) == [1, 2, 4]
    assert network.met == [1, 2, 4]


def test_a_long_batch_whose_rows_are_cheaper_or_that_was_disturbed_is_followed_by_a_larger():
    network = Network({1: 0.2, 2: 0.2, 4: 0.15, 8: 0.1, 16: 0.098, 32: 0.05}.__getitem__, disturbed=(3,))
    assert list(network.meets()) == [1, 2, 4, 8, 16, 32]


def test_a_long_batch_is_timed_again_only_where_it_seems_to_be_in_vain():
    network = Network(lambda size: 0.1 / size**0.5, disturbed=(3,))
    assert network.meets() == {size: size * 0.1 / size**0.5 for size in SIZES}
    assert network.timed == [1, 2, 4, 8, 8, 16, 32, 1]


def test_a_size_alone_is_met_however_long_it_takes():
    assert Network(lambda size: 10.0).meets((32,)) == {32: 320.0}
