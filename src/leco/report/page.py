"""The page: one HTML file with everything in it, so that it can be kept, sent and read without a network."""

from importlib.resources import files
from typing import Any
from xml.etree.ElementTree import Element

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from leco.criteria import Oracle, exits_in_words
from leco.display import quoted, time_saved, visible, with_factor
from leco.evaluation import Evaluation
from leco.exits.architecture import EDGES, Architecture
from leco.registry import format_settings
from leco.report.alphas import alphas_chart
from leco.report.content import Content
from leco.report.curves import curves_chart, looks, sample
from leco.report.diagram import diagram
from leco.report.exits import leaving_chart, metric_name, most_frequent, scores_chart, shares_of
from leco.report.labels import label_tables
from leco.report.svg import markup
from leco.runtime import doubt_of

MARK = '<meta name="generator" content="leco">'
"""By which a page of ours is known again."""


def render(content: Content) -> str:
    """The page of a report with this `content`, in HTML: every text is escaped, and it asks for nothing elsewhere."""
    environment = Environment(
        loader=PackageLoader(__name__.rpartition(".")[0]),
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["settings"] = format_settings
    environment.filters |= {"quoted": quoted, "time_saved": time_saved, "with_factor": with_factor}
    found = content.evaluation
    charts = {**_exit_charts(content), **({} if found is None else _charts(found))}
    return environment.get_template("page.html").render(
        report=content,
        mark=Markup(MARK),
        found=found,
        layers=content.model.num_layers,
        where=exits_in_words(content.model.task, "them"),
        metric="" if found is None else metric_name(found),
        style=_template("style.css"),
        script=_template("script.js"),
        bound=Oracle.name,
        doubt=doubt_of(content.model),
        **charts,
    )


def _charts(found: Evaluation) -> dict[str, Any]:
    """The charts of an evaluation."""
    by_label = most_frequent(found.exit_layer_counts_by_label or {"all texts": found.exit_layer_counts})
    highest = max(max(shares_of(counts)) for _, counts in by_label) or 1.0  # where no text has a label
    sizes, layers = ((860, 500), (350, 330)) if found.curves else (), found.counted_layers
    return {
        "score_charts": [_inline(scores_chart(found, width, height)) for width, height in ((640, 310), (330, 250))],
        "curve_charts": [_inline(curves_chart(found, width, height)) for width, height in sizes],
        "legend": [(name, look, _inline(sample(marker))) for name, (look, marker) in looks(found.curves).items()],
        **label_tables(found),
        "leaving": [(name, counts, _inline(leaving_chart(name, layers, counts, highest))) for name, counts in by_label],
    }


def _exit_charts(content: Content) -> dict[str, Any]:
    """The exits as drawings, and the search's weights by edge where there was a search."""
    exits, outputs = content.model.config.exits, content.model.task.num_outputs
    on = list(zip(content.model.task.exit_layers, exits, strict=True))
    drawn = [(layer, _inline(diagram(one, layer, content.hidden_size, outputs))) for layer, one in on]
    history, alphas = content.history, {}
    if history is not None and all(isinstance(one, Architecture) for one in exits):
        for edge in EDGES:
            alphas[edge.replace("_", " ")] = [
                _inline(alphas_chart(history, edge, layer, getattr(one, edge))) for layer, one in on if layer
            ]
    return {"diagrams": drawn, "alphas": alphas}


def _shown(value: Any) -> Any:
    """What goes into the page: texts are escaped after this, and markup, which is ours, is left as it is."""
    return value if isinstance(value, Markup) or not isinstance(value, str) else visible(value, lines=True)


def _template(name: str) -> Markup:
    """A file of the page that goes into it as it is."""
    return Markup((files(__package__) / "templates" / name).read_text(encoding="utf-8"))


def _inline(drawn: Element) -> Markup:
    return Markup(markup(drawn))
