"""Tables from CSV files: what is read, and the one line that says what is wrong and where."""

import subprocess
import sys

import numpy as np
import pytest

from lstmlab.data.download import DataError
from lstmlab.data.table import read_table
from lstmlab.data.times import following, parse_column, regular_step, step_name

GOOD = "date,load,wind\n2020-01-01 00:00,1,4\n2020-01-01 01:00,2.5,-5e-1\n2020-01-01 02:00,3,6\n"


@pytest.fixture
def table(tmp_path):
    def read(text, **settings):
        path = tmp_path / "my.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_table(path, **settings)

    return read


@pytest.fixture
def refused(table):
    def message(text, **settings):
        with pytest.raises(DataError) as error:
            table(text, **settings)
        assert "\n" not in str(error.value)
        assert "my.csv" in str(error.value)
        return str(error.value)

    return message


@pytest.mark.parametrize("change", [("", ""), (",", ";"), (",", "\t"), ("\n", "\r\n"), ("date,", "\ufeffdate,"),
                                    ("date,", ","), ("2,", '"2",'), (" ", "T"), (":00,", ":00Z,")])  # fmt: skip
def test_a_table_is_read_whatever_its_dialect(table, change):
    read = table(GOOD.replace(*change) if change[0] else GOOD)
    assert read.names == ("load", "wind")
    np.testing.assert_array_equal(read.values, [[1, 4], [2.5, -0.5], [3, 6]])
    np.testing.assert_array_equal(read.times, np.datetime64("2020-01-01T00") + np.arange(3) * np.timedelta64(1, "h"))
    assert read.step == np.timedelta64(1, "h")


def test_without_dates_there_are_no_times_and_columns_may_be_chosen(table):
    read = table("a,b\n1,2\n3,4\n")
    assert (read.times, read.step, read.names) == (None, None, ("a", "b"))
    assert table("a,b,c\n1,x,2\n3,y,4\n", columns=["c", "a"]).values.tolist() == [[2, 1], [4, 3]]


def test_a_cell_may_hold_what_python_takes_for_the_end_of_a_line(table):
    assert table("name,b\nx\x85y,2\nx\u2028y,4\n", columns=["b"]).values.tolist() == [[2], [4]]


@pytest.mark.parametrize(
    ("text", "settings", "told"),
    [
        ("", {}, "is empty"),
        ("\n \n", {}, "is empty"),
        ("a,b\n", {}, "has no rows of data"),
        ("a,b\n1,2\n", {}, "has 1 row of data"),
        (GOOD.replace("2.5", "abc"), {}, "line 3, column 'load': 'abc' is not a number"),
        (GOOD.replace("2.5", "1_0"), {}, "'1_0' is not a number"),
        (GOOD.replace("2.5", "inf"), {}, "'inf' is not a number"),
        (GOOD.replace(",", ";").replace("2.5", "2,5"), {}, "line 3, column 'load': '2,5' is not a number (write 2.5)"),
        (GOOD.replace("2.5", "").replace(",6", ",NaN"), {}, "line 3, column 'load': the cell is empty, and so are 1"),
        (GOOD.replace(",6", ""), {}, "line 4: 2 cells, but the first line names 3 columns"),
        (GOOD.replace("load", "lädt").encode("latin-1"), {}, "line 1: not UTF-8 (byte 0xe4)"),
        (GOOD.encode("utf-16"), {}, "UTF-16 text, but must be a CSV file in UTF-8"),
        (b"\x1f\x8b\x08abc", {}, "cannot read"),
        (b"PK\x03\x04 sheet", {}, "ZIP archive or spreadsheet"),
        (b"a,b\n1,\x002\n", {}, "binary file"),
        (GOOD.replace("wind", "load"), {}, "the columns 2 and 3 are both called 'load'"),
        (GOOD.replace(",wind", ","), {}, "column 3 has no name"),
        ("1,2\n3,4\n5,6\n", {}, "must name the columns"),
        ("2020-01-01,2\n2020-01-02,4\n2020-01-03,6\n", {}, "the first line has values (2020-01-01 …), but must name"),
        ('a,b\n1,"2\n3,4\n', {}, "line 2: not CSV"),
        (GOOD.replace("2.5", "1,100.5").replace(",", ";").replace("1;1", "1,1"), {}, "(write 1100.5)"),
        (GOOD.replace("2.5", "1e300"), {}, "line 3, column 'load': 1e300 is too large to compute with"),
        (GOOD, {"columns": ["lod"]}, "no column 'lod'; did you mean 'load'? (columns: date, load, wind)"),
        (GOOD, {"time": "when"}, "has no column 'when'"),
        (GOOD, {"columns": ["date"]}, "holds the times"),
        (GOOD.replace(" 02:", " 01:"), {}, "line 4, column 'date': 2020-01-01 01:00 repeats"),
        (GOOD.replace(" 02:", " 00:"), {}, "line 4, column 'date': 2020-01-01 00:00 comes before"),
        (GOOD.replace("01 02:00", "01 noon"), {}, "line 4, column 'date': '2020-01-01 noon' is not a time"),
        (GOOD + "2020-01-01 05:00,1,1\n", {}, "line 5: 3 hours after the row before, but most rows are 1 hour apart"),
        (GOOD.replace("01:00,", "01:00:00.5,"), {}, "line 3, column 'date': '2020-01-01 01:00:00.5' has a part"),
        ("d,v\n01/02/2020,1\n02/02/2020,2\n03/02/2020,3\n", {}, "can be read in two ways"),
        ("date\n2020-01-01\n2020-01-02\n", {}, "no column besides the times"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(refused, text, settings, told):
    assert told in refused(text, **settings)


COMMAS = GOOD.replace(",", ";").replace("2.5", "2,5").replace("-5e-1", "-,5")


def test_decimal_commas_are_read_where_they_are_announced(table, refused):
    for text in (COMMAS, COMMAS.replace(";", "\t"), GOOD.replace("2.5", '"2,5"').replace("-5e-1", '"-0,5"')):
        read = table(text, decimal=",")
        np.testing.assert_array_equal(read.values, [[1, 4], [2.5, -0.5], [3, 6]])
        assert read.step == np.timedelta64(1, "h")
        assert "(write 2.5); where commas are decimal marks throughout, set data.decimal=','" in refused(text)
    gone = table(COMMAS.replace("2,5", "-99,9"), decimal=",", na=["-99,9"], missing="forward")
    np.testing.assert_array_equal(gone.values[:, 0], [1, 1, 3])


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("2.5", "'2.5' is not a number whose decimal mark is a comma"),
        ("1.234,5", "write it without points"),
        ("1,2,3", "'1,2,3' is not a number"),
        ("a.b", "'a.b' is not a number"),
        ("1,5e300", "1,5e300 is too large"),
    ],
)
def test_what_is_no_number_with_a_decimal_comma(refused, cell, told):
    message = refused(COMMAS.replace("2,5", cell), decimal=",")
    assert f"line 3, column 'load': {told}" in message or told in message
    assert "set data.decimal" not in message


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match=r"cannot read .*none\.csv: No such file"):
        read_table(tmp_path / "none.csv")


def test_empty_cells_are_filled_as_asked(table, refused):
    text = "v,w\n1,1\n,2\nNA,3\n7,null\n"
    assert table(text, missing="forward").values[:, 0].tolist() == [1, 1, 1, 7]
    assert table(text, missing="interpolate").values.tolist() == [[1, 1], [3, 2], [5, 3], [7, 3]]
    assert "line 2, column 'v': the first cell is empty" in refused("v,w\n,1\n2,2\n", missing="forward")


def test_absent_rows_are_filled_or_taken_as_they_come(table):
    text = GOOD + "2020-01-01 05:00,6,9\n"
    filled = table(text, missing="interpolate")
    assert filled.values[:, 0].tolist() == [1, 2.5, 3, 4, 5, 6]
    assert (np.diff(filled.times) == np.timedelta64(1, "h")).all()
    assert table(text, missing="forward").values[:, 1].tolist() == [4, -0.5, 6, 6, 6, 9]
    as_they_come = table(text, gaps="ignore")
    assert (len(as_they_come.values), as_they_come.step) == (4, None)


@pytest.mark.parametrize(
    ("cells", "step", "after"),
    [
        (("2020-01-31", "2020-02-29", "2020-03-31"), "1 month", "2020-04-30"),
        (("2020-01-15", "2020-04-15", "2020-07-15"), "3 months", "2020-10-15"),
        (("2020-08-30", "2020-10-30", "2020-12-30"), "2 months", "2021-02-28"),
        (("2020-01", "2020-02", "2020-03"), "1 month", "2020-04-01"),
        (("2019", "2020", "2021"), "12 months", "2022-01-01"),
        (("13.01.2020", "14.01.2020"), "1 day", "2020-01-15"),
        (("20200104", "20200111"), "1 week", "2020-01-18"),
        (("1577836800", "1577837700"), "15 minutes", "2020-01-01T00:30"),
        (("1/13/2020 00:00:01", "1/13/2020 00:00:03"), "2 seconds", "2020-01-13T00:00:05"),
        (("2020-03-28T01:00+02:00", "2020-03-28T02:00+02:00"), "1 hour", "2020-03-28T03:00"),
        (("2020-03-29T01:00+01:00", "2020-03-29T03:00+02:00"), "1 hour", "2020-03-29T02:00"),
    ],
)
def test_times_steps_and_what_follows(cells, step, after):
    times, _ = parse_column(cells)
    found, _ = regular_step(times)
    assert step_name(found) == step
    assert following(times, found, 2)[0] == np.datetime64(after)


def test_what_only_looks_things_up_does_not_wait_for_pandas_or_pooch():
    """The configuration and the list of cells import these modules, and pandas alone takes half a second."""
    code = (
        "import sys, lstmlab.data.table, lstmlab.data.download, lstmlab.data.cache, lstmlab.data.archive;"
        "print(sorted({'pandas', 'pooch', 'requests'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
