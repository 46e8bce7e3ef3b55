"""The playground in a browser, by clicks; skipped where there is none."""

import shutil

import pytest

from served import served

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def page(fitted):
    """A page of a service of the model, whose errors fail the test."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("there is no Chromium")
    with served(fitted) as (_, address), playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        opened = browser.new_page(viewport={"width": 390, "height": 800})
        errors = []
        opened.on("pageerror", lambda error: errors.append(str(error)))
        opened.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        opened.goto(address)
        opened.wait_for_selector("#settings-note")
        yield opened
        browser.close()
        assert not errors


def test_a_text_shows_its_layers_and_where_it_leaves(page):
    page.fill("#text", "it is <img src=x onerror=alert(1)> good")
    page.click("#ask button:not([type=button])")
    page.wait_for_selector("#answer:not([hidden])")
    assert page.locator(".layer").count() == 3
    assert page.locator(".layer.left").count() == 1
    assert "of the layers saved" in page.inner_text("#verdict")
    assert page.locator("#others tr").count() > 5
    assert page.locator("img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_other_settings_are_used_and_said_to_be_others(page):
    assert "These are the model's settings." in page.inner_text("#settings-note")
    page.locator("#setting-tau").evaluate("one => { one.value = 0; one.dispatchEvent(new Event('input')); }")
    assert "Other settings than the model's" in page.inner_text("#settings-note")
    page.click("#ask button:not([type=button])")
    page.locator("#verdict", has_text="at layer 3 of 3").wait_for()
    page.click("#settings button")
    assert "These are the model's settings." in page.inner_text("#settings-note")


def test_many_texts_of_a_file_and_their_answers_as_a_file(page, tmp_path):
    path = tmp_path / "many.csv"
    path.write_text('text,other\n"it is good, ""fine""",1\nso bad,2\n=1+1,3\n')
    page.set_input_files("#file", path)
    page.click("#ask-many button:not([type=button])")
    page.locator("#summary", has_text="3 texts in").wait_for()
    assert page.locator("#rows tr").count() == 3
    assert 'it is good, "fine"' in page.inner_text("#rows")
    with page.expect_download() as downloading:
        page.click("#download")
    lines = downloading.value.path().read_text().splitlines()
    assert lines[0] == '"text","label","score","exit_layer"'
    assert lines[1].startswith('"it is good, ""fine""",')
    assert lines[3].startswith('"\'=1+1"')
    path.write_text("texts\na\n")
    page.set_input_files("#file", path)
    page.click("#ask-many button:not([type=button])")
    page.locator("#many-problem", has_text="no column 'text'").wait_for()


def test_quotes_that_are_no_quoting_are_read_as_files_are(page, tmp_path):
    lines = ["text", '"Alien" is a good film', '"so bad', "fine", ""]
    for number, some in enumerate((lines, [lines[0], *lines[2:]])):  # text behind a quote, and one that is left open
        path = tmp_path / f"{number}.csv"
        path.write_text("\n".join(some))
        page.set_input_files("#file", path)
        page.click("#ask-many button:not([type=button])")
        page.locator("#many-problem", has_text="broken quoting in row 2").wait_for()
    (tmp_path / "many.tsv").write_text("\n".join(lines))
    page.set_input_files("#file", tmp_path / "many.tsv")
    page.click("#ask-many button:not([type=button])")
    page.locator("#rows", has_text='"Alien" is a good film').wait_for()
    assert page.locator("#rows tr").count() == 3
