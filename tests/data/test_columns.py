"""Which rows and columns of a file are read: empty rows, delimiters, names, and what is no measurement."""

import gzip
import logging

import numpy as np
import pytest

from lstmlab.data.download import DataError
from lstmlab.data.table import read_table


@pytest.fixture
def read(tmp_path):
    def table(text, **settings):
        file = tmp_path / f"my{abs(hash(text))}.csv"  # a name of its own, as notes are given once a file
        file.write_text(text)
        return read_table(file, **settings)

    return table


@pytest.fixture
def refused(read):
    def message(text, **settings):
        with pytest.raises(DataError) as error:
            read(text, **settings)
        assert "\n" not in str(error.value)
        return str(error.value)

    return message


def test_a_blank_line_of_one_column_is_an_empty_cell(read, refused):
    assert read("v\n1\n\n3\n4\n", missing="interpolate").values[:, 0].tolist() == [1, 2, 3, 4]
    assert read('v\n1\n""\n \n4\n', missing="forward").values[:, 0].tolist() == [1, 1, 1, 4]
    assert "line 3, column 'v': the cell is empty" in refused("v\n1\n\n3\n4\n")
    assert len(read("\n\nv\n1\n2\n3\n\n\n").values) == 3


def test_an_outlier_keeps_its_row_below_blank_lines(read):
    rows = [f"{k % 7}" for k in range(600)]
    rows[500] = "999"
    for blank in (100, 200, 300, 400):
        rows[blank] = ""
    values = read("v\n" + "\n".join(rows) + "\n", missing="forward").values
    assert (len(values), int(np.argmax(values))) == (600, 500)


def test_empty_rows_of_several_columns_count_unless_times_tell_where_rows_belong(read, refused):
    text = "a,b\n1,5\n\n3,4\n,\n2,4\n,\n\n"
    assert read(text, missing="forward").values.tolist() == [[1, 5], [1, 5], [3, 4], [3, 4], [2, 4]]
    assert "line 3, column 'a': the cell is empty, and so are 3 more" in refused(text)
    dated = "day,v\n2020-01-01,1\n\n2020-01-02,3\n2020-01-03,2\n"
    assert read(dated).values[:, 0].tolist() == [1, 3, 2]
    assert "line 3, column 'day': the time of the row is empty" in refused("day,v\n2020-01-01,1\n,5\n2020-01-02,3\n")


@pytest.mark.parametrize(
    ("header", "column"),
    [("Unnamed: 0", range(5)), ("", range(5)), ("index", range(1, 6)), ("No", [1, 2, 3, 4, 5]),
     ("row_id", [7, 9, 12, 15, 40]),
     ("timestamp", [1, 2, 3, 4, 5]), ("time", [0, 0.1, 0.2, 0.3, 0.4]), ("hour", [22, 23, 0, 1, 2]),
     ("anything", range(40)), ("counter", range(9, 4, -1)), ("yyyymmdd", [20200101 + k for k in range(5)])],
)  # fmt: skip
def test_what_is_no_measurement_is_left_out_with_a_word(read, caplog, header, column):
    rows = [f"2021-03-{1 + k:02d},{cell},{k * k % 5}" for k, cell in enumerate(column)]
    if len(rows) > 30:
        rows = [f"{np.datetime64('2021-03-01') + k},{cell},{k * k % 5}" for k, cell in enumerate(column)]
    with caplog.at_level(logging.WARNING, logger="lstmlab.data"):
        table = read("\n".join([f"date,{header},load", *rows]) + "\n")
    assert table.names == ("load",)
    [note] = [record.getMessage() for record in caplog.records]
    assert f"left out '{header or 'unnamed column 2'}' (" in note
    assert "data.columns=[a,b] names what is read" in note


def test_what_is_asked_for_is_read_and_measurements_are_kept(read, refused, caplog):
    text = "timestamp,load\n" + "".join(f"{k},{k * k % 7}\n" for k in range(1, 9))
    assert read(text, columns=["timestamp", "load"]).names == ("timestamp", "load")
    assert read(text, keep=["timestamp"]).names == ("timestamp", "load")
    with caplog.at_level(logging.WARNING, logger="lstmlab.data"):
        assert read("level,total,count\n5,1,3\n6,4,1\n7,9,2\n").names == ("level", "total", "count")
        assert read("a,b\n1,0.1\n2,0.2\n3,0.3\n").names == ("a", "b")
        assert not caplog.records[1:]
    assert "has no column of measurements: 'timestamp' (counts up, but holds no dates)" in refused(
        "timestamp\n1\n2\n3\n"
    )


def test_a_file_may_be_read_without_its_times(read):
    text = "date,load\n2020-01-01,3\n2020-01-05,4\n2020-01-02,1\n"
    table = read(text, time="none")
    assert (table.names, table.times, table.step) == (("load",), None, None)


def test_columns_that_nobody_asked_for_may_have_no_name_or_share_one(read, refused):
    assert read("v,w,\n1,3,\n2,4,\n3,0,\n").names == ("v", "w")
    assert read("v,,w\n1,x,3\n2,y,5\n", columns=["v", "w"]).values.tolist() == [[1, 3], [2, 5]]
    twice = "v,w,w\n1,3,3\n5,4,1\n"
    assert read(twice, columns=["v"]).values.tolist() == [[1], [5]]
    assert "the columns 2 and 3 are both called 'w'" in refused(twice, columns=["w"])
    assert "column 2 has no name" in refused("v,,w\n1,8,3\n2,1,5\n")


@pytest.mark.parametrize(
    ("text", "names"),
    [('"a;b",c\n1,2\n3,5\n', ("a;b", "c")), ('"a;b;c;d",e\n1,2\n3,5\n', ("a;b;c;d", "e")),
     ('"a,b,c";d\n1;2\n3;5\n', ("a,b,c", "d")), ("load (kW, mean);wind (m/s, max)\n1;2\n3;5\n",
     ("load (kW, mean)", "wind (m/s, max)")), ("a|b\n1|2\n3|5\n", ("a", "b")), ("sep=;\na;b\n1;2\n3;5\n", ("a", "b")),
     ('"a\tb"\tc\n1\t2\n3\t5\n', ("a\tb", "c"))],
)  # fmt: skip
def test_the_delimiter_is_the_one_that_the_rows_share(read, text, names):
    table = read(text)
    assert table.names == names
    assert table.values.tolist() == [[1, 2], [3, 5]]


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (["10,184", "11,200"], "10184 where the comma marks thousands, 10.184 where it is a decimal comma"),
        (["10,184", "11,2"], "(write 10.184)"), (["10,184", "1,211,200"], "(write 10184)"),
        (["10,184", "1,200.5"], "(write 10184)"), (["0,184", "0,5"], "(write 0.184)"),
        (["1.110,5", "2"], "(write 1110.5)"),
    ],
)  # fmt: skip
def test_a_comma_is_taken_for_what_the_column_says(refused, cells, told):
    quoted = "".join(f'"{cell}",1\n' for cell in cells)
    assert told in refused(f"load,n\n{quoted}")


def test_further_marks_of_missing_values(read, refused):
    text = "v,w\n1,3\n2,.\n3,#N/A\n4,-999\n5,-999.0\n"
    marks = [".", "#n/a", "-999"]
    assert read(text, na=marks, missing="forward").values[:, 1].tolist() == [3, 3, 3, 3, 3]
    assert "line 3, column 'w': the cell is empty, and so are 3 more" in refused(text, na=marks)
    assert "'.' is not a number; where it stands for no value, set data.na=['.']" in refused(text)


def test_a_mark_at_the_beginning_is_no_part_of_the_first_name(tmp_path):
    file = tmp_path / "a.csv.gz"
    file.write_bytes(gzip.compress("\ufeffload;wind\n1;2\n4;3\n".encode()))
    assert read_table(file).names == ("load", "wind")


def test_a_file_that_was_moved_with_its_folder_is_found(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("v\n1\n2\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        DataError, match=r"No such file.*; there is data/a\.csv in this directory: data\.file=data/a\.csv"
    ):
        read_table("/elsewhere/data/a.csv")
