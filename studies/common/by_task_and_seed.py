"""A study of some tasks and seeds, each on a frozen backbone of its own, and its section of docs/results.md."""

from collections import defaultdict
from itertools import product

from benchmarks.common.recording import DOCS, read, report, result_path, source, write_between
from studies.common.frozen import ROWS, frozen
from studies.common.own_results import command_line


def main(study, tried, tables):
    """The command line of a study: report the rows of `tried(backbone)` of all tasks and seeds, write the page.

    What its file has already is not done again. On the page `tables(rows)` stands between the markers that are named
    after the study.
    """
    parser = command_line()
    parser.add_argument("--tasks", nargs="+", choices=ROWS, default=[*ROWS])
    parser.add_argument("--seeds", type=int, default=2)
    arguments = parser.parse_args()
    name = f"studies/{study}"
    rows = read(name)["rows"] if result_path(name).is_file() else []
    wanted = [] if arguments.render else product(range(arguments.seeds), arguments.tasks)
    for seed, task in wanted:
        about = {"task": task, "seed": seed}
        if not any(about.items() <= row.items() for row in rows):
            rows += [{**about, **row} for row in tried(frozen(task, seed, arguments))]
            report(name, rows)
    marker, text = study.replace("_", " "), f"{tables(rows)}\n\n{source(read(name))}"
    write_between(DOCS / "results.md", f"<!-- {marker}: begin -->", f"<!-- {marker}: end -->", text)


def grouped(rows, *names):
    """The rows by what they have under these names; one name is a key alone, more are a tuple."""
    found = defaultdict(list)
    for row in rows:
        key = tuple(row[name] for name in names)
        found[key if len(names) > 1 else key[0]].append(row)
    return found
