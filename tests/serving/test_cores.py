"""Threads are sized by what a container may use, and not by its host."""

import os

import pytest

from serving.cores import cores


@pytest.fixture
def of(tmp_path, monkeypatch):
    """The cores of a process on a host of 64, whose /proc/self/cgroup and files below /sys/fs/cgroup are given."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)

    def of(says: str, **files: str) -> int:
        (tmp_path / "self").write_text(says)
        for name, content in files.items():
            path = tmp_path / "cgroup" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return cores(tmp_path / "self", tmp_path / "cgroup")

    return of


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ("max 100000", 64),
        ("200000 100000", 2),
        ("150000 100000", 2),
        ("10000 100000", 1),
        ("9900000 100000", 64),
        ("nonsense", 64),
    ],
)
def test_a_limit_is_rounded_up_and_the_host_is_the_most(of, limit, expected):
    assert of("0::/\n", **{"cpu.max": limit}) == expected


def test_the_least_limit_of_all_groups_around_holds(of):
    limits = {"pod/box/cpu.max": "max 100000", "pod/cpu.max": "300000 100000", "cpu.max": "800000 100000"}
    assert of("0::/pod/box\n", **limits) == 3


def test_a_container_that_sees_its_own_group_as_the_root_is_limited_by_it(of):
    assert of("0::/../pod\n", **{"cpu.max": "300000 100000"}) == 3


@pytest.mark.parametrize(("quota", "expected"), [("-1", 64), ("250000", 3)])
def test_the_first_version_of_cgroups_is_understood(of, quota, expected):
    limits = {"cpu/a/cpu.cfs_quota_us": quota, "cpu/a/cpu.cfs_period_us": "100000\n"}
    assert of("4:memory:/a\n3:cpuacct,cpu:/a\n0::/\n", **limits) == expected


def test_where_there_are_no_cgroups_all_cores_count(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(3)), raising=False)
    assert cores(tmp_path / "none", tmp_path) == 3
