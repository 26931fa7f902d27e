"""Members of archives, and archives that are broken or not safe."""

import io
import tarfile
import zipfile

import pytest

from lstmlab.data.archive import read_member, read_members, unpack
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


def test_unpacked_it_is_whole_and_done_once(archive, tmp_path):
    place = tmp_path / "out" / "here"
    assert unpack(archive, place) == place
    found = {p.relative_to(place).as_posix(): p.read_bytes() for p in place.rglob("*") if p.is_file()}
    assert found == FILES
    assert [p.name for p in place.parent.iterdir()] == ["here"]
    archive.unlink()
    assert unpack(archive, place) == place


@pytest.mark.parametrize("keep", [0, 40, 0.5])
def test_a_broken_archive_is_told_in_one_line_and_leaves_nothing(archive, tmp_path, keep):
    content = archive.read_bytes()
    archive.write_bytes(content[: int(keep * len(content)) if keep < 1 else keep])
    for use in (lambda: dict(read_members(archive)), lambda: unpack(archive, tmp_path / "out" / "here")):
        with pytest.raises(DataError, match="is not a whole zip or tar archive") as error:
            use()
        assert "\n" not in str(error.value)
    assert not list((tmp_path / "out").glob("*"))


def test_a_missing_archive_is_told(tmp_path):
    with pytest.raises(DataError, match=r"gone\.zip"):
        read_member(tmp_path / "gone.zip", "a")


@pytest.mark.parametrize("name", ["../evil.txt", "/evil.txt", "a/../../evil.txt"])
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_names_that_lead_out_of_the_folder_are_refused(tmp_path, name, pack):
    path = pack(tmp_path / ("data.zip" if pack is zipped else "data.tar"), {"set/a.txt": b"", name: b"evil"})
    place = tmp_path / "deep" / "er" / "here"
    try:
        unpack(path, place)
    except DataError as error:
        assert "not safe" in str(error)
        assert not place.exists()
    else:  # tar's data filter takes the leading slash away
        assert (pack, name) == (tarred, "/evil.txt")
        assert (place / "evil.txt").read_bytes() == b"evil"
    assert [p for p in tmp_path.rglob("evil.txt") if place not in p.parents] == []


def test_links_out_of_the_folder_are_refused(tmp_path):
    path = tmp_path / "data.tar"
    with tarfile.open(path, "w") as archive:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "../../secret"
        archive.addfile(link)
    with pytest.raises(DataError, match="not safe"):
        unpack(path, tmp_path / "here")


def test_a_directory_that_cannot_be_written(archive, tmp_path):
    (tmp_path / "file").write_text("a file where the folder should be")
    with pytest.raises(DataError, match="cannot write"):
        unpack(archive, tmp_path / "file" / "here")
