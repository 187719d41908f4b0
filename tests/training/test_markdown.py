import pytest

from training.markdown import between, heading, put, row

DOCUMENT = "before\n<!-- some table: begin -->\nold\n<!-- some table: end -->\nafter\n"


def test_a_table_has_a_heading_and_rows():
    assert [*heading("what", ["much"]), row("this", ["1"])] == ["| what | much |", "| --- | ---: |", "| this | 1 |"]


def test_only_what_stands_between_the_markers_is_replaced(tmp_path):
    document = tmp_path / "README.md"
    document.write_text(DOCUMENT)
    put(document, "some", ["new", "lines"])
    assert document.read_text() == DOCUMENT.replace("old", "new\nlines")


def test_a_document_without_the_markers_is_left_as_it_is(tmp_path):
    document = tmp_path / "README.md"
    document.write_text("before\n<!-- some table: begin -->\nold")
    with pytest.raises(ValueError, match="one is missing"):
        put(document, "some", ["new"])
    assert document.read_text() == "before\n<!-- some table: begin -->\nold"
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]


def test_between_needs_both_markers_in_order():
    with pytest.raises(ValueError, match="one is missing"):
        between("<end>\n<begin>\n", "<begin>\n", "<end>\n", "new\n")
