"""A time means what the file says: offsets, zones, digits, fractions, several columns."""

import datetime
import zoneinfo

import numpy as np
import pytest

from lstmlab.data.clock import Clock, clock_of
from lstmlab.data.download import DataError
from lstmlab.data.table import read_table
from lstmlab.data.time_columns import TimeRules
from lstmlab.data.time_formats import parser_of
from lstmlab.data.times import following_on

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


@pytest.fixture
def read(tmp_path):
    def table(cells, name="time", form=None, zone=None, ambiguous="error", **settings):
        file = tmp_path / "my.csv"
        rows = [f"{cell};{7 * row % 5}" for row, cell in enumerate(cells)]
        file.write_text("\n".join([f"{name};load", *rows]) + "\n")
        return read_table(file, rules=TimeRules(form, zone, ambiguous), **settings)

    return table


@pytest.fixture
def refused(read):
    def message(*arguments, **settings):
        with pytest.raises(DataError) as error:
            read(*arguments, **settings)
        assert "\n" not in str(error.value)
        return str(error.value)

    return message


def after(table, count=1):
    return table.clock.written(following_on(table.clock, table.times, table.step, count))


def hours(first, count, zone):
    """As Python's own zones write them."""
    start = datetime.datetime.fromisoformat(first)
    return [(start + datetime.timedelta(hours=k)).astimezone(zone).isoformat() for k in range(count)]


def test_two_ways_to_write_one_instant_are_followed_by_the_same_instant(read):
    one = read(["2021-11-10T15:00:00+01:00", "2021-11-10T16:00:00+01:00"])
    mixed = read(["2021-11-10T13:00:00+00:00", "2021-11-10T15:00:00+01:00", "2021-11-10T16:00:00+01:00"])
    assert after(one) == ["2021-11-10 17:00:00+01:00"]
    assert after(mixed) == ["2021-11-10 16:00:00+00:00"]
    zoned = read(["2021-11-10T15:00:00+01:00", "2021-11-10T16:00:00+01:00"], zone="America/New_York")
    assert after(zoned) == ["2021-11-10 11:00:00-05:00"]
    unknown = read(["2021-11-10T15:00:00", "2021-11-10T16:00:00"])
    assert after(unknown) == ["2021-11-10 17:00:00"]
    assert after(read(["2021-11-10 15:00 UTC", "2021-11-10 16:00 UTC"])) == ["2021-11-10 17:00:00+00:00"]


@pytest.mark.parametrize("first", ["2021-10-30T20:00+00:00", "2021-03-27T20:00+00:00"])
def test_local_hours_without_offsets_are_the_instants_of_their_zone(read, first):
    exact = hours(first, 12, BERLIN)
    table = read([text[:19] for text in exact], zone="Europe/Berlin")
    assert [text.replace(" ", "T") for text in table.written_times()] == exact
    assert table.step == np.timedelta64(1, "h")
    same = read(exact, zone="Europe/Berlin")
    np.testing.assert_array_equal(same.times, table.times)
    following = [text.replace("T", " ") for text in hours(exact[-1], 4, BERLIN)[1:]]
    assert after(table, 3) == following
    shown = np.array([text[:19] for text in exact], "datetime64[s]")
    np.testing.assert_array_equal(table.local_times, shown)  # what the calendar features are made of


def test_forecasts_across_a_change_of_clocks_have_both_offsets(read):
    assert after(read(["2021-10-31 00:00", "2021-10-31 01:00"], zone="Europe/Berlin"), 4) == [
        "2021-10-31 02:00:00+02:00", "2021-10-31 02:00:00+01:00", "2021-10-31 03:00:00+01:00",
        "2021-10-31 04:00:00+01:00",
    ]  # fmt: skip
    days = read(["2021-10-29", "2021-10-30", "2021-10-31"], zone="Europe/Berlin")
    assert days.step == np.timedelta64(1, "D")
    assert after(days) == ["2021-11-01 00:00:00+01:00"]
    months = read(["2021-08", "2021-09", "2021-10"], zone="Europe/Berlin")
    assert after(months, 2) == ["2021-11-01 00:00:00+01:00", "2021-12-01 00:00:00+01:00"]


def test_days_of_a_zone_that_are_absent_are_filled(read):
    table = read(["2021-03-26", "2021-03-27", "2021-03-29", "2021-03-30"], zone="Europe/Berlin", missing="forward")
    assert table.written_times()[2:4] == ["2021-03-28 00:00:00+01:00", "2021-03-29 00:00:00+02:00"]


def test_an_hour_that_is_there_twice_needs_a_word_where_the_order_does_not_tell(read, refused):
    alone = ["2021-10-31 00:00", "2021-10-31 01:00", "2021-10-31 02:00"]
    assert "line 4, column 'time': '2021-10-31 02:00': this time is there twice in Europe/Berlin" in refused(
        alone, zone="Europe/Berlin"
    )
    assert read(alone, zone="Europe/Berlin", ambiguous="earlier").written_times()[-1] == "2021-10-31 02:00:00+02:00"
    later = read(alone, zone="Europe/Berlin", ambiguous="later", gaps="ignore")
    assert later.written_times()[-1] == "2021-10-31 02:00:00+01:00"
    quarters = ["2021-10-31 02:30", "2021-10-31 02:45", "2021-10-31 02:00", "2021-10-31 02:15"]
    assert [text[-6:] for text in read(quarters, zone="Europe/Berlin").written_times()] == ["+02:00"] * 2 + [
        "+01:00"
    ] * 2
    absent = ["2021-03-28 01:00", "2021-03-28 02:00", "2021-03-28 03:00"]
    assert "there is no such time in Europe/Berlin" in refused(absent, zone="Europe/Berlin")
    twice = ["2021-10-31 01:00", "2021-10-31 02:00", "2021-10-31 02:00", "2021-10-31 03:00"]
    assert "where clocks were put back, give their zone, such as data.timezone=" in refused(twice)
    assert "where clocks were changed, give their zone" in refused(
        ["2021-03-28 00:00", "2021-03-28 01:00", "2021-03-28 03:00", "2021-03-28 04:00"]
    )


def test_clocks_are_compared_by_instants():
    times = np.array(["2021-07-01T12:00"], "datetime64[s]")
    assert str(clock_of("Europe/Berlin").local_from(times, Clock(0))[0]) == "2021-07-01T14:00:00"
    assert str(Clock(3600).local_from(times, clock_of("Europe/Berlin"))[0]) == "2021-07-01T13:00:00"
    assert str(Clock(-3600).local_from(times, Clock(7200))[0]) == "2021-07-01T09:00:00"
    with pytest.raises(ValueError, match="times of the offset -01:00, but these are without an offset from UTC"):
        Clock(-3600).local_from(times, Clock())
    with pytest.raises(ValueError, match=r"but must be a zone such as .* did you mean Europe/Berlin\?"):
        clock_of("Berlin")


def by_hour(pattern, count=24):
    return [datetime.datetime(2020, 1, 1 + k // 24, k % 24).strftime(pattern) for k in range(count)]


@pytest.mark.parametrize("pattern", ["%Y%m%d%H", "%Y%m%d%H%M", "%Y%m%d%H%M%S", "%Y%m%d%H%M%S000", "%d-%m-%Y %H:%M",
                                     "%m/%d/%Y %I:%M %p", "%Y%m%dT%H"])  # fmt: skip
@pytest.mark.parametrize("name", ["timestamp", "MESS_DATUM"])
def test_dates_by_the_hour_are_those_of_their_digits(read, pattern, name):
    table = read(by_hour(pattern, 48), name)
    assert table.names == ("load",)
    assert table.written_times()[:2] == ["2020-01-01 00:00:00", "2020-01-01 01:00:00"]
    assert after(table) == ["2020-01-03 00:00:00"]


@pytest.mark.parametrize(
    ("cells", "step", "following"),
    [
        (["202001", "202002", "202003"], np.timedelta64(1, "M"), "2020-04-01 00:00:00"),
        (["20200101", "20200102"], np.timedelta64(1, "D"), "2020-01-03 00:00:00"),
        (["1577836800", "1577840400"], np.timedelta64(1, "h"), "2020-01-01 02:00:00+00:00"),
        (["1577836800.0", "1577840400.0"], np.timedelta64(1, "h"), "2020-01-01 02:00:00+00:00"),
        (["1664448000000", "1664448000200"], np.timedelta64(200, "ms"), "2022-09-29 10:40:00.400000+00:00"),
        (["1664448000000000", "1664448000000200"], np.timedelta64(200, "us"), "2022-09-29 10:40:00.000400+00:00"),
        (["1664448000000000000", "1664448001000000000"], np.timedelta64(1, "s"), "2022-09-29 10:40:02+00:00"),
        (["1664448000.25", "1664448000.5"], np.timedelta64(250, "ms"), "2022-09-29 10:40:00.750000+00:00"),
        (["2020-01-01 00:00:00.1", "2020-01-01 00:00:00.2"], np.timedelta64(100, "ms"), "2020-01-01 00:00:00.300000"),
    ],
)
def test_numbers_and_fractions_are_read_in_their_unit(read, cells, step, following):
    table = read(cells)
    assert table.step == step
    assert after(table) == [following]


def test_what_is_finer_than_a_microsecond_is_not_rounded_away(refused):
    assert "is finer than a microsecond" in refused(["2020-01-01 00:00:00.1000001", "2020-01-01 00:00:00.2"])
    assert "'1664448000000000001' is not a time" in refused(["1664448000000000000", "1664448000000000001"])


def test_days_of_a_spreadsheet_are_asked_about_and_read_on_demand(read, refused):
    days = [f"{43831 + k / 24:.6f}" for k in range(30)]
    assert "43831.000000 may be a day as spreadsheets count them; data.time_format=excel" in refused(days, "date")
    table = read(days, "date", form="excel")
    assert table.written_times()[::29] == ["2020-01-01 00:00:00", "2020-01-02 05:00:00"]
    assert read(days, "date", time="none", columns=["load"]).times is None


def test_a_pattern_reads_what_cannot_be_guessed(read, refused):
    texts = ["Jan-20", "Feb-20", "Mar-20"]
    assert "column 'date': 'Jan-20' is not a time that is known; data.time_format=" in refused(texts, "date")
    assert read(texts, "date", form="%b-%y").step == np.timedelta64(1, "M")
    days = ["01/02/2020", "02/02/2020", "03/02/2020"]
    assert "set data.time_format" in refused(days)
    assert read(days, form="%d/%m/%Y").written_times()[0] == "2020-02-01 00:00:00"
    assert "is not a time of the form %m.%d" in refused(days, form="%m.%d")
    for wrong in ("iso", "%Q"):
        with pytest.raises(ValueError, match=r"^data\.time_format"):
            parser_of(wrong)


def test_dates_in_several_columns(tmp_path):
    file = tmp_path / "parts.csv"

    def times(header, rows, time):
        lines = [f"{row};{k % 3}" for k, row in enumerate(rows)]
        file.write_text("\n".join([f"{header};v", *lines]) + "\n")
        return read_table(file, time=time, columns=["v"]).written_times()

    expected = ["2020-01-31 22:00:00", "2020-01-31 23:00:00", "2020-02-01 00:00:00"]
    parts = ["2020;1;31;22", "2020;1;31;23", "2020;2;1;0"]
    assert times("year;month;day;hour", parts, ["year", "month", "day", "hour"]) == expected
    assert times("a;b;c;d", parts, ["a", "b", "c", "d"]) == expected
    swapped = ["31;1;2020;22", "31;1;2020;23", "1;2;2020;0"]
    assert times("day;month;year;hour", swapped, ["day", "month", "year", "hour"]) == expected
    assert times("Date;Time", ["31.01.2020;22:00", "31.01.2020;23:00", "01.02.2020;0:00"], ["Date", "Time"]) == expected
    assert times("Date;Time", ["1/31/2020;22.00.00", "1/31/2020;23.00.00", "2/1/2020;00.00.00"], ["Date", "Time"]) == (
        expected
    )
    assert times("day;clock", ["20200131;2200", "20200131;2300", "20200201;0"], ["day", "clock"]) == expected
    assert times("date;hour", ["2020-01-31;22", "2020-01-31;23", "2020-02-01;0"], ["date", "hour"]) == expected
    with pytest.raises(DataError, match=r"where 'month' belongs to it, set data\.time=\[year,month,day,hour\]"):
        times("year;month;day;hour", parts, None)
    with pytest.raises(DataError, match=r"where 'Time' belongs to it, set data\.time=\[Date,Time\]"):
        times("Date;Time", ["31.01.2020;22:00", "31.01.2020;23:00", "01.02.2020;0:00"], None)
    with pytest.raises(DataError, match=r"data\.time=\[year,day,hour\] lacks the month"):
        times("year;month;day;hour", parts, ["year", "day", "hour"])
