"""The page in a browser without network: figures drawn, tables sorted, readable on a phone and in the dark."""

import shutil
import time

import pytest

from lstmlab.report.write import write_report

selenium = pytest.importorskip("selenium.webdriver")
pytest.importorskip("plotly")
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver (Debian: chromium-driver)"),
]
CELLS = ("lstm", "gru", "rnn", "janet", "lem", "mgu", "min_gru", "indrnn", "irnn", "sru")


@pytest.fixture(scope="module")
def browser():
    options = selenium.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--enable-unsafe-swiftshader"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = selenium.Chrome(options=options, service=selenium.ChromeService(DRIVER))
    driver.execute_cdp_cmd("Network.enable", {})
    offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    yield driver
    driver.quit()


@pytest.fixture
def opened(browser, many_runs, tmp_path):
    """Opens a report of this width in this colour scheme."""
    path = write_report([many_runs(cells=("lstm", "gru", "rnn"))], tmp_path / "report.html")

    def open_(width=1200, scheme="light"):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.get(path.as_uri())
        return browser

    return open_


def drawn(browser, anchor):
    """The first figure of a section, once it is drawn."""
    section = f"document.getElementById('{anchor}').closest('section')"
    browser.execute_script(f"{section}.scrollIntoView()")
    wait(lambda: browser.execute_script(f"return !!{section}.querySelector('.plot .main-svg')"))
    return f"{section}.querySelector('.plot')"


def wait(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_report_works_without_network_and_errors(opened):
    browser = opened()
    plot = drawn(browser, "curves")
    assert browser.execute_script(f"return {plot}.querySelectorAll('.legend .traces').length") == 4
    # A click on the legend hides a cell with its band and runs.
    shown = f"return {plot}._fullData.filter(trace => trace.visible === true).length"
    before = browser.execute_script(shown)
    toggle = f"{plot}.querySelector('.legend .legendtoggle')"
    browser.execute_script(
        f"for (const kind of ['mousedown', 'mouseup']) {{ {toggle}.dispatchEvent(new MouseEvent(kind)) }}"
    )
    wait(lambda: browser.execute_script(shown) == before - 5)
    column = "[...document.querySelectorAll('#results ~ .wide tbody tr')].map(r => r.cells[2].textContent)"
    before = browser.execute_script(f"return {column}")
    header = browser.find_elements("css selector", "#results ~ .wide th button")[2]
    header.click()
    ascending = browser.execute_script(f"return {column}")
    header.click()
    assert ascending == sorted(before, key=int)
    assert browser.execute_script(f"return {column}") == ascending[::-1]
    button = browser.find_element("css selector", "#curves ~ figure button.log")
    browser.execute_script("arguments[0].click()", button)
    assert browser.execute_script(f"return {plot}.layout.yaxis.type") == "log"
    lowest = f"return Math.min(...{plot}._fullData[0].y)"
    assert browser.execute_script(lowest) > 0
    browser.execute_script("arguments[0].click()", button)
    assert browser.execute_script(lowest) < 0
    browser.execute_script("dispatchEvent(new Event('beforeprint')); dispatchEvent(new Event('afterprint'))")
    assert [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_a_report_fits_a_phone_and_follows_the_colour_scheme(opened):
    colour = "return getComputedStyle(document.body).backgroundColor"
    text = "return getComputedStyle({}.querySelector('.xtick text')).fill"
    browser = opened(width=390, scheme="dark")
    assert browser.execute_script("return document.documentElement.scrollWidth") == 390
    assert browser.execute_script(colour) == "rgb(13, 15, 18)"
    assert browser.execute_script(text.format(drawn(browser, "results"))) == "rgb(228, 230, 235)"
    browser = opened(width=390)
    assert browser.execute_script(colour) == "rgb(255, 255, 255)"
    assert browser.execute_script(text.format(drawn(browser, "results"))) == "rgb(36, 41, 47)"


def test_a_thousand_runs_open_in_three_seconds_and_fit_a_mail(browser, many_runs, tmp_path):
    path = write_report([many_runs(cells=CELLS, seeds=100, rows=1000)], tmp_path / "report.html")
    assert path.stat().st_size < 15e6
    browser.get("about:blank")
    browser.get(path.as_uri())
    drawn(browser, "results")
    # Time of the processor, not of the clock: other programs may run beside the browser.
    browser.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
    browser.get(path.as_uri())
    drawn(browser, "results")
    metrics = {m["name"]: m["value"] for m in browser.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]}
    assert 0 < metrics["TaskDuration"] < 3
