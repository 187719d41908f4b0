"""State dicts are read without Torch, both forms of them, and nothing that a file brings is run."""

import contextlib
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from tests.training.weights import torch_writer as torch
from training.errors import WeightsUnusable
from training.weights.torch_files import read

FORMS = pytest.mark.parametrize("legacy", [False, True], ids=["archive", "legacy"])
NUMBERS = np.arange(24, dtype=np.float32)
CONTENT = NUMBERS.tobytes()
STATE = {"conv.weight": NUMBERS.reshape(2, 3, 4), "conv.bias": NUMBERS[:5].copy()}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("torch") / "state.pth"


def read_one(path, opcodes, content=CONTENT, **form):
    """The array that a state dict of one tensor, "x", holds."""
    torch.write(path, torch.EMPTY + torch.text("x") + opcodes + b"s", {"0": content}, **form)
    return read(path)["x"]


def whole(**changes):
    return torch.View("0", "FloatStorage", 24, 0, (24,), (1,))._replace(**changes)


@FORMS
def test_arrays_come_out_as_they_were_saved(path, legacy):
    torch.save(path, STATE, legacy=legacy)
    saved = read(path)
    assert list(saved) == list(STATE)
    for name, array in STATE.items():
        np.testing.assert_array_equal(saved[name], array)


@given(
    array=st.sampled_from(["<f8", "<f4", "<f2", "<i8", "u1"]).flatmap(
        lambda kind: arrays_of.arrays(kind, arrays_of.array_shapes(min_dims=0, max_dims=4, max_side=4))
    ),
    legacy=st.booleans(),
    transposed=st.booleans(),
)
def test_every_kind_of_number_shape_and_order_is_read(path, array, legacy, transposed):
    array = array.T if transposed else array
    opcodes = torch.tensor(torch.view(array, "0"), legacy)
    saved = read_one(path, opcodes, array.tobytes("A"), legacy=legacy, size=array.itemsize)
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(saved, array.astype(saved.dtype))
    assert saved.dtype == (np.float32 if array.dtype.kind == "f" else np.int64)


def test_bfloat16_is_the_upper_half_of_float32(path):
    numbers = np.array([1.0, -2.5, 3.140625, 1e30], np.float32)
    halves = (numbers.view("<u4") >> 16).astype("<u2")
    saved = read_one(path, torch.tensor(torch.View("0", "BFloat16Storage", 4, 0, (2, 2), (1, 2))), halves.tobytes())
    np.testing.assert_array_equal(saved, (halves.astype("<u4") << 16).view("<f4").reshape(2, 2).T)
    assert saved.dtype == np.float32


@FORMS
def test_tensors_are_views_into_a_storage_that_they_share(path, legacy):
    views = {"rows": whole(offset=4, shape=(2, 3), strides=(8, 2)), "columns": whole(shape=(3, 2), strides=(1, 12))}
    tensors = b"".join(torch.text(name) + torch.tensor(each, legacy) + b"s" for name, each in views.items())
    torch.write(path, torch.EMPTY + tensors, {"0": NUMBERS.tobytes()}, legacy=legacy)
    saved = read(path)
    np.testing.assert_array_equal(saved["rows"], [[4, 6, 8], [12, 14, 16]])
    np.testing.assert_array_equal(saved["columns"], [[0, 12], [1, 13], [2, 14]])


def test_parameters_and_the_tensors_of_the_first_versions_are_read_too(path):
    np.testing.assert_array_equal(read_one(path, torch.parameter(torch.tensor(whole()))), NUMBERS)
    np.testing.assert_array_equal(read_one(path, torch.tensor(whole(rebuild="_rebuild_tensor"))), NUMBERS)


def test_what_a_module_notes_beside_its_state_is_passed_over(path):
    noted = b"}" + torch.text("_metadata") + torch.EMPTY + b"sb"
    torch.write(path, torch.EMPTY + torch.text("x") + torch.tensor(whole()) + b"s" + noted, {"0": NUMBERS.tobytes()})
    assert list(read(path)) == ["x"]


HOSTILE = {
    "posix.system": b"cposix\nsystem\n",
    "builtins.eval": b"cbuiltins\neval\n",
    "builtins.getattr": torch.text("builtins") + torch.text("getattr") + b"\x93",
    "collections.OrderedDict.fromkeys": torch.text("collections") + torch.text("OrderedDict.fromkeys") + b"\x93",
    "torch._utils._rebuild_wrapper_subclass": b"ctorch._utils\n_rebuild_wrapper_subclass\n",
    "torch.nn.modules.linear.Linear": b"ctorch.nn.modules.linear\nLinear\n",
}


@FORMS
@pytest.mark.parametrize("wanted", HOSTILE)
def test_anything_but_tensors_is_refused_by_name(path, wanted, legacy):
    call = HOSTILE[wanted] + b"(" + torch.text("touch hostile") + b"tR"
    torch.write(path, torch.EMPTY + torch.text("x") + call + b"s", {}, legacy=legacy)
    with pytest.raises(WeightsUnusable, match=f"this file wants {wanted}, which is not called"):
        read(path)


def test_code_before_the_state_of_a_legacy_file_is_not_run(path, tmp_path):
    touched = tmp_path / "touched"
    path.write_bytes(b"\x80\x02cposix\nsystem\n(" + torch.text(f"touch {touched}") + b"tR.")
    with pytest.raises(WeightsUnusable, match=r"wants posix\.system"):
        read(path)
    assert not touched.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"shape": (25,)},
        {"offset": 1},
        {"offset": -1},
        {"shape": (2, 12), "strides": (13, 1)},
        {"shape": (3,), "strides": (-1,)},
        {"shape": (1_000_000, 1_000_000), "strides": (0, 0)},
    ],
)
def test_a_view_beyond_its_storage_is_refused(path, wrong):
    with pytest.raises(WeightsUnusable, match="x is a view of 24 numbers; it is said to begin at"):
        read_one(path, torch.tensor(whole(**wrong)))


@FORMS
@pytest.mark.parametrize("there", [23 * 4, 25 * 4, 0])
def test_a_storage_has_as_many_bytes_as_it_says(path, there, legacy):
    with pytest.raises(WeightsUnusable, match=r"92|100|\b0\b|\b23\b|\b25\b"):
        read_one(path, torch.tensor(whole(), legacy), bytes(there), legacy=legacy)


@given(legacy=st.booleans(), data=st.data())
def test_a_file_that_is_cut_short_is_refused(path, legacy, data):
    torch.save(path, STATE, legacy=legacy)
    content = path.read_bytes()
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(WeightsUnusable):
        read(path)


@given(legacy=st.booleans(), data=st.data())
def test_a_file_that_was_changed_is_read_or_refused(path, legacy, data):
    torch.save(path, STATE, legacy=legacy)
    content = bytearray(path.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    with contextlib.suppress(WeightsUnusable):
        assert all(isinstance(each, np.ndarray) for each in read(path).values())


@pytest.mark.parametrize(
    "saved",
    [
        torch.EMPTY,
        torch.text("a word"),
        torch.tensor(whole()),
        b"}" + torch.text("model") + torch.EMPTY + b"s",
        b"}" + torch.number(1) + torch.tensor(whole()) + b"s",
    ],
    ids=["nothing", "a word", "a tensor", "a state dict in another", "a number for a name"],
)
def test_what_is_no_state_dict_is_refused(path, saved):
    torch.write(path, saved, {"0": NUMBERS.tobytes()})
    with pytest.raises(WeightsUnusable, match="A state dict maps names to tensors"):
        read(path)


def test_a_part_of_a_storage_as_a_storage_is_refused(path):
    opcodes = torch.tensor(whole(), legacy=True).replace(b"NtQ", torch.tuple_of((1, 0, 4)) + b"tQ")
    with pytest.raises(WeightsUnusable, match="a whole storage of a known type"):
        read_one(path, opcodes, legacy=True)


def test_compressed_numbers_are_refused(path):
    torch.save(path, STATE)
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    with pytest.raises(WeightsUnusable, match="these are compressed"):
        read(path)


def test_another_order_of_bytes_is_refused(path):
    torch.save(path, STATE)
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (entries | {"saved/byteorder": b"big"}).items():
            archive.writestr(name, content)
    with pytest.raises(WeightsUnusable, match="the other way round"):
        read(path)


@pytest.mark.parametrize("content", [b"", b"no weights", b"\x80\x02N."])
def test_a_file_of_another_kind_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(WeightsUnusable, match=r"state\.pth"):
        read(path)
