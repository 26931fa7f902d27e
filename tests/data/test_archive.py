"""Members of archives, and archives that are broken."""

import io
import tarfile
import zipfile

import pytest

from lstmlab.data.archive import read_member, read_members
from lstmlab.data.download import DataError

FILES = {"set/a.txt": b"first", "set/deep/b.bin": bytes(range(256)) * 40}


def zipped(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("set") if hasattr(archive, "mkdir") else None
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tarred(path, files, prefix=""):
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        folder = tarfile.TarInfo(f"{prefix}set")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, content in files.items():
            info = tarfile.TarInfo(prefix + name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


@pytest.fixture(params=["zip", "tar.gz", "tar", "tar.gz with ./"])
def archive(request, tmp_path):
    if request.param == "zip":
        return zipped(tmp_path / "data.zip", FILES)
    prefix = "./" if "./" in request.param else ""
    return tarred(tmp_path / f"data.{request.param.split()[0]}", FILES, prefix)


def test_members_are_read(archive):
    assert dict(read_members(archive)) == FILES
    assert [name for name, _ in read_members(archive, lambda name: name.endswith(".bin"))] == ["set/deep/b.bin"]
    assert read_member(archive, "set/a.txt") == b"first"


def test_a_member_that_is_missing_is_named(archive):
    with pytest.raises(DataError, match=r"data\..* holds no file set/c\.txt"):
        read_member(archive, "set/c.txt")


@pytest.mark.parametrize("keep", [0, 40, 0.5])
def test_a_broken_archive_is_told_in_one_line(archive, keep):
    content = archive.read_bytes()
    archive.write_bytes(content[: int(keep * len(content)) if keep < 1 else keep])
    with pytest.raises(DataError, match="is not a whole zip or tar archive") as error:
        dict(read_members(archive))
    assert "\n" not in str(error.value)


def test_a_missing_archive_is_told(tmp_path):
    with pytest.raises(DataError, match=r"gone\.zip"):
        read_member(tmp_path / "gone.zip", "a")
