"""The page: everything is in it, nothing leaves it, and texts from files stay texts."""

import json
import re
from html.parser import HTMLParser

import pytest
from PIL import Image

pytest.importorskip("plotly")
from lstmlab.report.write import write_report
from lstmlab.study import compare
from lstmlab.tracking.files import RunError

TAG = "<script>alert('x')</script>"


class Page(HTMLParser):
    """Texts, attributes and the contents of scripts of a page."""

    def __init__(self, path):
        super().__init__()
        self.elements, self.text, self.scripts, self._inside = [], "", [], ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self._inside = tag

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if self._inside in ("script", "style"):
            self.scripts.append(data)
        else:
            self.text += data

    def all(self, tag, key):
        return [attributes[key] for name, attributes in self.elements if name == tag and key in attributes]

    @property
    def figures(self):
        return [json.loads(data) for data in self.scripts if data.startswith('{"data"')]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory, runs_below):
    """Two cells, a failed run, and files whose names and contents are HTML."""
    runs = runs_below(
        tmp_path_factory.mktemp("hostile"), validation={"mse": 0.1}
    )  # equal, so that the first run is shown
    run = runs / "lstm" / "0"
    (runs / "gru" / "2" / "summary.json").write_text(json.dumps({"status": "failed", "error": f"RunFailed: {TAG} <b>"}))
    (run / "samples").mkdir()
    (run / "samples" / "text-0000010.txt").write_text("the older one")
    (run / "samples" / "text-0000020.txt").write_text(f"Once {TAG}")
    (run / "pictures").mkdir()
    Image.new("RGB", (2000, 100), "red").save(run / "pictures" / "wide-0000020.png")
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "green", "blue")]
    frames[0].save(run / "pictures" / "video-0000020.gif", save_all=True, append_images=frames[1:])
    (run / "pictures" / "broken-0000020.png").write_bytes(b"no picture")
    (runs / "secret.txt").write_text("not of the run")
    (run / "samples" / "link-0000020.txt").symlink_to(runs / "secret.txt")
    return runs


@pytest.fixture(scope="module")
def page(hostile, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "new" / "report.html"
    return Page(write_report([hostile], path, title=f"A {TAG}"))


def test_a_page_holds_the_comparison_and_nothing_is_loaded(page, hostile):
    comparison = compare([hostile])
    for line in [*comparison.verdicts, *comparison.mixtures]:
        assert line in page.text
    for text in ("constant 1", "Runs without a result", "gru/2", "Once <script>", "lstmlab report", "cpu: cpu"):
        assert text in page.text
    sources = [*page.all("img", "src"), *page.all("script", "src"), *page.all("link", "href")]
    assert all(source.startswith("data:") for source in sources)
    assert all(address.startswith("#") for address in page.all("a", "href"))
    (policy,) = [a["content"] for _, a in page.elements if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")


def test_texts_from_files_stay_texts(page):
    assert "alert('x')" in page.text
    assert not any("alert('x')" in script for script in page.scripts)
    assert len(page.all("script", "type")) == len(page.figures) + 1


def test_pictures_are_small_and_what_cannot_be_shown_is_named(page):
    assert [source[:22] for source in page.all("img", "src")] == ["data:image/webp;base64"] * 2
    assert "broken-0000020.png cannot be shown" in page.text
    assert "not of the run" not in page.text
    assert "the older one" not in page.text


def test_every_heading_has_an_anchor_and_every_figure_a_text(page):
    anchors = page.all("h2", "id")
    assert [f"#{anchor}" for anchor in anchors] == page.all("a", "href")[: len(anchors)]
    described = page.all("div", "aria-label")
    assert len(described) == len(page.figures) > 3
    assert all(described) and all(page.all("img", "alt"))


def test_curves_intervals_and_costs_are_drawn_in_one_colour_per_cell(page):
    colours = {}
    for figure in page.figures:
        for trace in figure["data"]:
            if trace.get("name") in ("lstm", "gru"):
                own = trace["line"] if trace.get("mode") == "lines" else trace["marker"]
                colours.setdefault(trace["name"], set()).add(own["color"])
    assert colours == {"lstm": {"#0072B2"}, "gru": {"#D55E00"}}
    described = " ".join(page.all("div", "aria-label"))
    assert re.search(r"mean peak memory of the process \(MiB\): \w+ 20\d; \w+ 20\d", described)


def test_commands_come_from_the_overrides_beside_the_runs(many_runs, tmp_path):
    runs = many_runs(cells=("lstm",), seeds=2)
    (runs / "lstm" / "0" / ".hydra").mkdir()
    (runs / "lstm" / "0" / ".hydra" / "overrides.yaml").write_text("- cell=lstm\n- data.file=a b.csv\n")
    page = Page(write_report([runs], tmp_path / "r.html"))
    assert "lstmlab cell=lstm 'data.file=a b.csv'" in page.text
    assert f"No command is known of {runs / 'lstm' / '1'}" in page.text
    sweep = {"hydra": {"overrides": {"task": ["cell=lstm", "seed=0,1"], "hydra": ["hydra.sweep.dir=x", "a=1"]}}}
    (runs / "lstm" / "multirun.yaml").write_text(json.dumps(sweep))
    assert "lstmlab -m cell=lstm seed=0,1 a=1" in Page(write_report([runs], tmp_path / "r.html")).text
    (runs / "lstm" / "multirun.yaml").write_text("hydra: [no, sweep]")
    assert "lstmlab cell=lstm 'data.file=a b.csv'" in Page(write_report([runs], tmp_path / "r.html")).text


def test_without_a_result_nothing_is_written(tmp_path):
    with pytest.raises(RunError, match="no finished run"):
        write_report([tmp_path], tmp_path / "out" / "r.html")
    assert not (tmp_path / "out").exists()


def test_a_directory_is_no_file_for_a_report(many_runs, tmp_path):
    with pytest.raises(RunError, match=r"is a directory: name the file, as .*report\.html"):
        write_report([tmp_path], tmp_path)
