"""See check."""

import base64
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "build/page"
SIZES = {"phone": (390, 844), "desktop": (1280, 900)}


class Page:
    """A page in a browser without network, which logs all requests."""

    def __init__(self, scratch: Path):
        options = webdriver.ChromeOptions()
        for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
                     "--disable-background-networking", "--disable-component-update",
                     "--disable-sync", "--hide-scrollbars", f"--user-data-dir={scratch}/profile"):
            options.add_argument(word)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.faults: list[str] = []
        self.driver.get("about:blank")  # ends the requests of Chromium's own first page
        for kind in ("browser", "performance"):
            self.driver.get_log(kind)

    def open(self, file: Path, width: int, height: int, dark: bool) -> None:
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
        self.driver.get(file.as_uri())

    def text(self, css: str) -> str:
        return self.driver.find_element(By.CSS_SELECTOR, css).text

    def all(self, css: str) -> list:
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def click(self, element) -> None:
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def expect(self, holds: bool, what: str) -> None:
        if not holds:
            self.faults.append(what)

    def listen(self, file: Path) -> None:
        """Collects console errors, and requests for anything except the page itself."""
        for entry in self.driver.get_log("browser"):
            self.faults.append(f"console: {entry['message']}")
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                url = message["params"]["request"]["url"]
                self.expect(url.startswith("data:") or url == file.as_uri(), f"request: {url[:200]}")

    def expect_readable(self) -> None:
        words = self.text("main")
        for wrong in ("[object", "undefined", "NaN"):
            self.expect(wrong not in words, f"the page says {wrong}")
        self.expect(self.driver.execute_script(
            "return document.documentElement.scrollWidth <= innerWidth"),
            "the page is wider than the window")

    def print(self, file: Path) -> None:
        data = self.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": False})["data"]
        file.write_bytes(base64.b64decode(data))

    def picture(self, file: Path) -> None:
        height = self.driver.execute_script("return document.documentElement.scrollHeight")
        width = self.driver.execute_script("return innerWidth")
        data = self.driver.execute_cdp_cmd("Page.captureScreenshot", {
            "captureBeyondViewport": True,
            "clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}})["data"]
        file.write_bytes(base64.b64decode(data))


def percent(share: float) -> str:
    return f"{100 * share:.1f}%"


def check_numbers(page: Page, results: dict) -> None:
    """Compares the page's numbers with results.json."""
    verdict = results["verdict"]
    page.expect(page.text(".sentence") == verdict["sentence"], "the sentence differs")
    answers = [element.text for element in page.all(".answers dd")]
    words = {"yes": "Yes", "no": "No", "not shown": "This run does not show it"}
    page.expect(answers == [words[verdict["improved"]], words[verdict["worth_it"]]],
                f"answers are {answers}")
    rows = {row.find_element(By.TAG_NAME, "th").text:
            [cell.text for cell in row.find_elements(By.TAG_NAME, "td")]
            for row in page.all("#figures > .scroll:nth-of-type(1) tbody tr")}
    expected = [verdict["baseline"], verdict["mixture"], *verdict["controls"].values()]
    page.expect(rows.get("Test accuracy") == [percent(each["accuracy"]) for each in expected],
                f"accuracies are {rows.get('Test accuracy')}")
    page.expect(rows.get("Balanced accuracy")
                == [percent(each["balanced_accuracy"]) for each in expected],
                f"balanced accuracies are {rows.get('Balanced accuracy')}")
    page.expect(rows.get("Macro F1") == [f"{each['macro_f1']:.3f}" for each in expected],
                f"macro F1s are {rows.get('Macro F1')}")
    page.expect(rows.get("Log loss") == [f"{each['log_loss']:.3f}" for each in expected],
                f"log losses are {rows.get('Log loss')}")
    page.expect(rows.get("Parameters", [])[:2] == [f"{results[name]['parameters']:,}"
                                                  for name in ("baseline", "mixture")],
                f"parameters are {rows.get('Parameters')}")


def check_digits(page: Page) -> None:
    """Rounding must not change a conclusion: no p below .05 to .050, no bound to 0."""
    shown = page.driver.execute_script(
        "return [pValue(0.0496), pValue(0.05), signed(-0.0004), signed(0), signed(0.027)]")
    page.expect(shown == [".0496", ".050", "−0.04", "0.0", "+2.7"], f"figures are {shown}")


def check_labels(page: Page, results: dict) -> None:
    """Bar charts must show all labels, even in little space."""
    wanted = {"#figures": 2 + len(results["verdict"]["controls"]),
              "#budget": len(results["data"]["class_names"]) + len(results["groups"]) + 1}
    for section, count in wanted.items():
        canvas = page.all(f"{section} canvas")[0]
        shown = page.driver.execute_script(
            "return Chart.getChart(arguments[0]).scales.y.ticks.length", canvas)
        page.expect(shown == count, f"{section} labels {shown} of {count} rows")


def cells(page: Page, matrix: int) -> list[list[str]]:
    table = page.all("#confusions .matrices table")[matrix]
    return [[cell.text for cell in row.find_elements(By.TAG_NAME, "td")]
            for row in table.find_elements(By.CSS_SELECTOR, "tbody tr")]


def check_confusions(page: Page, results: dict) -> None:
    counts = [results[name]["confusion"]["counts"] for name in ("baseline", "mixture")]
    for matrix in range(2):
        page.expect(cells(page, matrix) == [[str(count) for count in row] for row in counts[matrix]],
                    f"confusion matrix {matrix} differs")
    by_value = {element.get_attribute("value"): element for element in page.all("#confusions input")}
    page.click(by_value["rates"].find_element(By.XPATH, ".."))
    first = counts[0][0]
    page.expect(cells(page, 0)[0] == [f"{100 * count / sum(first):.0f}" for count in first],
                f"rates are {cells(page, 0)[0]}")
    page.click(by_value["counts"].find_element(By.XPATH, ".."))
    page.click(by_value["difference"].find_element(By.XPATH, ".."))
    change = counts[1][0][0] - counts[0][0][0]
    sign = "+" if change > 0 else "−" if change < 0 else ""
    page.expect(cells(page, 0)[0][0] == f"{sign}{abs(change)}", f"difference is {cells(page, 0)[0]}")
    page.click(by_value["both"].find_element(By.XPATH, ".."))


def check_all(page: Page, run: Path) -> None:
    results = json.loads((run / "results.json").read_text())
    check_numbers(page, results)
    check_digits(page)
    check_labels(page, results)
    check_confusions(page, results)
    models = page.all("#curves input")
    page.expect(len(models) == len(page_histories(run)), f"{len(models)} models have curves")
    for model in models:
        page.click(model.find_element(By.XPATH, ".."))
        page.expect(len(page.all("#curves canvas")) == 2, "a model has no curves")
    gallery = json.loads((run / "gallery.json").read_text())
    wanted = sum(item["kind"] == "mistake" for item in gallery)
    page.expect(len(page.all(".mistake")) == wanted, f"not {wanted} mistakes")
    for kind in page.all("#gallery input"):
        page.click(kind.find_element(By.XPATH, ".."))
        wanted = sum(item["kind"] == kind.get_attribute("value") for item in gallery)
        page.expect(len(page.all("#gallery .card")) == wanted,
                    f"not {wanted} {kind.get_attribute('value')}")
        widths = [image.get_property("naturalWidth") for image in page.all(".card img")]
        page.expect(all(widths), "a picture cannot be shown")
    page.click(page.all("#gallery label")[0])
    for summary in page.all("summary"):
        page.click(summary)
    page.expect(all(element.is_displayed() for element in page.all("details table, details pre")),
                "a table or a summary cannot be opened")
    page.expect("conv1.1" in page.text("#models"), "no model is summarised")
    for summary in page.all("summary"):
        page.click(summary)
    for canvas in page.all("canvas"):
        page.expect(bool(canvas.get_attribute("aria-label")), "a chart has no label")
        page.expect(page.driver.execute_script(DRAWN, canvas), "a chart is empty")
    page.expect_readable()


def explain(program: str, run: Path, folder: Path) -> tuple[Path, list[str]]:
    """Returns a page of one picture, and its groups' shares as the terminal shows them."""
    subprocess.run([program, "data", "sample", run / "experiment.toml", "--data", "builtin",
                    "--count", "1"], cwd=folder, check=True, capture_output=True)
    told = subprocess.run([program, "explain", run, "samples/cat/0.png", "--to", "explained.html"],
                          cwd=folder, check=True, capture_output=True, text=True).stdout
    gate = re.search(r"gate (.*?): chooses", told, re.DOTALL)
    return folder / "explained.html", re.findall(r"[\d.]+%", gate.group(1))


def check_explained(page: Page, shares: list[str]) -> None:
    page.expect(page.text("h1") == "samples/cat/0.png", f"it explains {page.text('h1')}")
    page.expect(page.all("main img")[0].get_property("naturalWidth") > 0, "no picture is shown")
    words = page.text("main")
    page.expect(len(shares) == 2 and all(share in words for share in shares),
                f"the gate's {shares} are not there")
    page.expect_readable()


def frontier(program: str, folder: Path) -> Path:
    """Returns the folder of a small sweep of the cascade that the project ships."""
    settings = ["data.train_images=200", "data.test_images=60", "train.epochs=2",
                "train.batch_size=64", "frontier.seeds=2", "frontier.widths=[1.0, 2.0]"]
    subprocess.run([program, "frontier", ROOT / "experiments/cascade.toml", "--data", "builtin",
                    "--run", folder / "sweep", *(f"--set={each}" for each in settings)],
                   check=True, capture_output=True)
    return folder / "sweep"


def check_frontier(page: Page, sweep: Path) -> None:
    frontier = json.loads((sweep / "frontier.json").read_text())
    page.expect(page.text(".sentence") == frontier["sentence"], "the frontier's sentence is another")
    page.expect(len(page.all("canvas")) == 3, "the frontier has no three charts")
    for canvas in page.all("canvas"):
        page.expect(page.driver.execute_script(DRAWN, canvas), "a chart of the frontier is empty")
    rows = [row.text for row in page.all("#points tbody th")]
    names = [point["name"] for point in frontier["points"]]
    page.expect([row.replace(" (the rival)", "") for row in rows[:len(names)]] == names,
                f"the frontier's points are {rows}")
    page.expect_readable()


def check_experts(page: Page, run: Path) -> None:
    """The report of a network with experts has the part of each class that they take."""
    baseline = json.loads((run / "results.json").read_text())["baseline"]
    (layer,) = baseline["experts"].values()
    support = dict(zip(baseline["confusion"]["classes"], map(sum, baseline["confusion"]["counts"])))
    due = [f"{100 * images[0] / support[name]:.0f}" for name, images in layer["images"].items()
           if support[name] > 0]
    page.expect([cell.text for cell in page.all("#experts .confusion td")] == due,
                f"the experts' parts are not {due}")
    page.expect_readable()


DRAWN = """const c = arguments[0];
return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((value) => value !== 0);"""


def page_histories(run: Path) -> list[Path]:
    return list(run.glob("*/history.csv"))


def look_at(page: Page, run: Path, single: Path, several: Path, explained: Path,
            shares: list[str], sweep: Path) -> None:
    cascade = sweep / "seed-0/mixture"
    PICTURES.mkdir(parents=True, exist_ok=True)
    for name, (width, height) in SIZES.items():
        for dark in (False, True):
            look = f"{name}-{'dark' if dark else 'light'}"
            page.open(single, width, height, dark)
            check_all(page, run)
            page.listen(single)
            page.picture(PICTURES / f"{look}.png")
            page.open(several, width, height, dark)
            page.expect("Comparison of" in page.text("h1"), "no comparison")
            page.listen(several)
            page.expect_readable()
            page.picture(PICTURES / f"comparison-{look}.png")
            page.open(explained, width, height, dark)
            check_explained(page, shares)
            page.listen(explained)
            page.picture(PICTURES / f"explained-{look}.png")
            page.open(sweep / "frontier.html", width, height, dark)
            check_frontier(page, sweep)
            page.listen(sweep / "frontier.html")
            page.picture(PICTURES / f"frontier-{look}.png")
            page.open(cascade / "report.html", width, height, dark)
            check_experts(page, cascade)
            page.listen(cascade / "report.html")
            page.picture(PICTURES / f"experts-{look}.png")
    page.open(single, *SIZES["desktop"], dark=False)
    page.print(PICTURES / "report.pdf")


def main() -> None:
    program, runs = Path(sys.argv[1]).resolve(), [Path(run).resolve() for run in sys.argv[2:]]
    with tempfile.TemporaryDirectory() as scratch:
        single, several = Path(scratch) / "report.html", Path(scratch) / "comparison.html"
        subprocess.run([program, "report", runs[0], "--to", single], check=True)
        subprocess.run([program, "report", *runs, runs[0], "--to", several], check=True)
        explained, shares = explain(program, runs[0], Path(scratch))
        page = Page(Path(scratch))
        look_at(page, runs[0], single, several, explained, shares,
                frontier(program, Path(scratch)))
        page.driver.quit()
    for fault in page.faults:
        print(f"page: {fault}", file=sys.stderr)
    print(f"page: {len(page.faults)} faults; pictures are in {PICTURES}")
    sys.exit(1 if page.faults else 0)


if __name__ == "__main__":
    main()
