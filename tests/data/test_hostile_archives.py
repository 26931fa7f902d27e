"""Archives made to do harm, and damaged ones: refused in one line, and nothing is written anywhere."""

import gzip
import io
import random
import stat
import tarfile
import zipfile

import pytest

from lstmlab.data import unpacked
from lstmlab.data.archive import read_member, read_members
from lstmlab.data.download import DataError
from lstmlab.data.table import read_table

OUTSIDE = ["../x", "/etc/x", "a/../../x", "..", "C:\\x", "..\\x", "", "./../x", "\\\\host\\x"]


def tar(path, *members):
    """An archive of ``(TarInfo, content)``."""
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def entry(name, kind=tarfile.REGTYPE, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def zipped(path, *members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content, mode in members:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return path


@pytest.fixture(autouse=True)
def nothing_is_written(tmp_path, monkeypatch):
    """The archive is all that there is, before and after."""
    inside = tmp_path / "inside"
    inside.mkdir()
    monkeypatch.chdir(inside)
    yield
    assert list(inside.iterdir()) == []
    assert len(list(tmp_path.iterdir())) <= 2


def refused(path, match):
    with pytest.raises(DataError, match=match) as error:
        list(read_members(path))
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("name", OUTSIDE)
def test_names_that_leave_the_folder(name, tmp_path):
    refused(tar(tmp_path / "a.tar.gz", (entry(name), b"x")), "leads out of the archive's folder")
    if name:  # zipfile writes none
        refused(zipped(tmp_path / "a.tar.gz", (name, b"x", 0)), "leads out of the archive's folder")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
@pytest.mark.parametrize("target", ["../../x", "/etc/passwd"])
def test_links_that_leave_the_folder(kind, target, tmp_path):
    refused(tar(tmp_path / "a.tar", (entry("set/a", kind, target), b"")), "'set/a' leads out")


def test_links_and_devices_in_a_zip_archive(tmp_path):
    refused(zipped(tmp_path / "a.zip", ("set/a", b"../../x", stat.S_IFLNK | 0o777)), "'set/a' leads out")
    refused(zipped(tmp_path / "a.zip", ("set/a", b"", stat.S_IFCHR | 0o666)), "neither a file nor a folder")


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_devices(kind, tmp_path):
    refused(tar(tmp_path / "a.tar", (entry("dev", kind), b"")), "'dev' is neither a file nor a folder nor a link")


def test_links_inside_the_folder_do_no_harm(tmp_path):
    links = [(entry("set/b", tarfile.SYMTYPE, "../set/a"), b""), (entry("set/c", tarfile.LNKTYPE, "set/a"), b"")]
    path = tar(tmp_path / "a.tar", (entry("set/a"), b"x"), *links)
    assert dict(read_members(path)) == {"set/a": b"x"}


def test_a_name_that_is_there_twice(tmp_path):
    refused(tar(tmp_path / "a.tar", (entry("a"), b"1"), (entry("./a"), b"2")), "it holds a twice")
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = zipped(tmp_path / "a.tar", ("a", b"1", 0), ("a", b"2", 0))
    refused(path, "it holds a twice")


@pytest.fixture
def little_allowed(monkeypatch):
    monkeypatch.setattr(unpacked, "ALLOWED", 1 << 16)


BOMB = bytes(1 << 20)


def test_bombs(little_allowed, tmp_path):
    told = "unpacks to more than .* MiB, which is out of proportion to its size"
    refused(tar(tmp_path / "a.tar.gz", (entry("a"), BOMB)), told)
    refused(zipped(tmp_path / "a.tar.gz", *((name, BOMB[: 1 << 15], 0) for name in "abcdefgh")), told)
    header = entry("a")
    header.pax_headers = {"comment": "x" * len(BOMB)}
    refused(tar(tmp_path / "a.tar.gz", (header, b"")), told)
    table = tmp_path / "a.tar.gz"
    table.write_bytes(gzip.compress(BOMB))
    with pytest.raises(DataError, match=told):
        read_table(table)


def test_a_sparse_file_that_says_it_is_large(little_allowed, tmp_path):
    info = entry("a")
    info.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.size": str(10**15),
                        "GNU.sparse.map": f"{10**15 - 1},1"}  # fmt: skip
    refused(tar(tmp_path / "a.tar", (info, b"x")), "unpacks to more than")


@pytest.mark.parametrize("kind", ["a.zip", "a.tar", "a.tar.gz"])
def test_damaged_archives(kind, tmp_path):
    """Many of the damages go unnoticed by a tar archive, which has checksums of its headers alone."""
    dice, path, told = random.Random(0), tmp_path / kind, 0
    files = {f"set/{name}.txt": bytes(dice.randbytes(200)) for name in "abc"}
    if kind == "a.zip":
        zipped(path, *((name, content, 0) for name, content in files.items()))
    else:
        tar(path, *((entry(name), content) for name, content in files.items()))
    whole = path.read_bytes()
    for number in range(150):
        content = bytearray(whole[: dice.randrange(len(whole))] if number % 3 == 0 else whole)
        for _ in range(dice.choice((1, 3, 30)) if number % 3 else 0):
            content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
        path.write_bytes(content)
        try:
            list(read_members(path))
            read_member(path, "set/a.txt")
        except DataError as error:
            assert "\n" not in str(error)
            told += 1
    assert told > 25
