"""The application without a browser: who gets what."""

import re

import pytest
from run_directories import finished, write_run

pytest.importorskip("dash")

from lstmlab.dashboard.app import make_app
from lstmlab.dashboard.run import run_id
from lstmlab.dashboard.watch import Watch


@pytest.fixture
def place(tmp_path):
    """A watched directory with one run, and a secret beside it."""
    run = write_run(tmp_path / "watched" / "a", 3, summary=finished(0.1))
    for folder in ("pictures", "samples"):
        (run / folder).mkdir()
    (run / "pictures" / "plot-0000010.png").write_bytes(b"\x89PNG")
    (run / "samples" / "text-0000010.txt").write_text("<script>alert(1)</script>")
    (run / "samples" / "page-0000010.html").write_text("<script>alert(1)</script>")
    (tmp_path / "secret.txt").write_text("secret")
    (run / "samples" / "link-0000010.txt").symlink_to(tmp_path / "secret.txt")
    return tmp_path


@pytest.fixture
def client(place):
    watch = Watch([place / "watched"])
    watch.poll()
    return make_app(watch).server.test_client()


def of_run(place, path):
    return f"/files/{run_id((place / 'watched' / 'a').resolve())}/{path}"


def get(client, path, host="127.0.0.1:8050"):
    return client.get(path, headers={"Host": host})


@pytest.mark.parametrize("host", ["127.0.0.1:8050", "localhost:8050", "localhost"])
def test_local_names_are_answered(client, host):
    assert get(client, "/", host).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8050", "127.0.0.1.evil.example", "192.168.0.7:8050"])
@pytest.mark.parametrize("path", ["/", "/_dash-layout", "/report"])
def test_other_names_are_not(client, host, path):
    assert get(client, path, host).status_code == 403


def test_pictures_and_samples_are_served_as_what_they_are(client, place):
    picture, text = (get(client, of_run(place, p)) for p in ("pictures/plot-0000010.png", "samples/text-0000010.txt"))
    assert (picture.status_code, picture.mimetype, picture.data) == (200, "image/png", b"\x89PNG")
    assert (text.status_code, text.mimetype) == (200, "text/plain")
    assert text.headers["X-Content-Type-Options"] == "nosniff"


OUTSIDE = [
    "samples/../config.yaml", "samples/..%2fconfig.yaml", "samples/../../../../secret.txt",
    "samples/%2e%2e/config.yaml", "samples/link-0000010.txt", "samples/page-0000010.html", "checkpoints/x.txt",
    ".hydra/config.yaml", "samples/", "samples/..", "../a/samples/text-0000010.txt", "samples//etc/passwd",
    "samples/%00.txt", "samples/..\\config.txt", "samples/missing.txt",
]  # fmt: skip


@pytest.mark.parametrize("path", OUTSIDE)
def test_nothing_else_is_served(client, place, path):
    answer = get(client, of_run(place, path))
    assert answer.status_code == 404
    assert b"secret" not in answer.data


def test_files_of_unknown_runs_are_not_served(client):
    assert get(client, "/files/0123456789/samples/text-0000010.txt").status_code == 404


def test_the_page_asks_for_nothing_from_elsewhere(client):
    page = get(client, "/").get_data(as_text=True)
    sources = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(sources) > 3
    assert all(source.startswith("/") and not source.startswith("//") for source in sources)
    assert "default-src 'self'" in get(client, "/").headers["Content-Security-Policy"]


def test_a_report_of_no_run_says_so_in_one_line(client):
    answer = get(client, "/report?runs=0123456789")
    assert answer.status_code == 422
    assert answer.get_data(as_text=True) == "none of these runs is there\n"
