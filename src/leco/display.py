"""Texts of users, as they can be shown: nothing in them is obeyed by a terminal, a page, a card or a plot."""

import html
import re
import shlex
from collections.abc import Sequence

UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb]")
"""Control characters of ASCII and Latin-1 (escape sequences begin with them), line separators, marks that turn the
direction of writing, halves of characters, and marks that nobody sees."""

SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
MARKDOWN = re.compile(r"[\\`*_\[\]#|~$!]")


def visible(text: object, *, lines: bool = False) -> str:
    r"""`text` with an escape, as in JSON, for what would be obeyed or not be seen; with `lines`, but for ends of lines.

    >>> visible("\x1b[31mred\x1b[0m \u202egnp.exe\n")
    '\\u001b[31mred\\u001b[0m \\u202egnp.exe\\n'
    """

    def escape(found: "re.Match[str]") -> str:
        character = found.group()
        if lines and character in "\n\t":
            return character
        return SHORT.get(character) or f"\\u{ord(character):04x}"

    return UNSAFE.sub(escape, str(text))


def shortened(text: object, width: int = 60) -> str:
    """`text`, visible, with an ellipsis in its middle where it has more than `width` characters.

    >>> shortened("a label that is far too long", 15)
    'a label … long'
    """
    whole = str(text)
    if len(whole) > width:
        whole = f"{whole[: width // 2].rstrip()} … {whole[len(whole) - (width - width // 2 - 3) :].lstrip()}"
    return visible(whole)


def listed(names: Sequence[str], most: int = 20) -> str:
    """The first of some names, short, and how many more there are.

    >>> listed(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(map(shortened, names[:most])) + more


def in_markdown(text: object) -> str:
    r"""`text`, visible, as a piece of a line of Markdown in which it stands for itself, HTML included.

    >>> in_markdown("<b>*x*</b>")
    '&lt;b&gt;\\*x\\*&lt;/b&gt;'
    """
    return html.escape(MARKDOWN.sub(r"\\\g<0>", visible(text)), quote=False)


def quoted(word: object) -> str:
    r"""A word as a shell takes it.

    >>> print(quoted("my file.csv"), quoted("a\nb"))
    'my file.csv' $'a\nb'
    """
    text = str(word)
    if UNSAFE.search(text):  # as it is shown, which bash understands
        return "$'" + visible(text.replace("\\", r"\\").replace("'", r"\'")) + "'"
    return shlex.quote(text)


def in_plot(text: object) -> str:
    r"""`text`, short, as Matplotlib draws it letter by letter: no formula in it, and never left out of a legend.

    >>> in_plot("_$x$")
    ' _\\$x\\$'
    """
    made = shortened(text, 40).replace("$", r"\$")
    return f" {made}" if made.startswith("_") else made


def with_factor(share: float) -> str:
    """A share of time that is saved, which the paper calls speedup, with the factor; what takes longer is below 0.

    >>> with_factor(0.5), with_factor(-0.25)
    ('50% (2.00x)', '-25% (0.80x)')
    """
    return f"{share:.0%} ({1 / (1 - share):.2f}x)"


def time_saved(speedup: float) -> str:
    """A speedup, the share of time that is saved, in words: what takes longer is called slower.

    >>> time_saved(0.25), time_saved(-0.25)
    ('25% less time (1.33x)', '25% more time, slower (0.80x)')
    """
    share, factor = f"{abs(speedup):.0%}", 1 / (1 - speedup)
    return f"{share} less time ({factor:.2f}x)" if speedup >= 0 else f"{share} more time, slower ({factor:.2f}x)"
