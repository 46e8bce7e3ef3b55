"""The playground: one page with everything in it, which asks the service that it comes from and nothing else."""

from functools import cache
from importlib.resources import files

from starlette.responses import HTMLResponse

POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:"


def playground() -> HTMLResponse:
    """The page."""
    return HTMLResponse(_page(), headers={"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"})


@cache
def _page() -> str:
    folder = files(__package__).joinpath("templates")
    page, style, script = (
        folder.joinpath(name).read_text(encoding="utf-8") for name in ("page.html", "style.css", "script.js")
    )
    return page.replace("/* style */", style).replace("/* script */", script)
