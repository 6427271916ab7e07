"""What to say of a line that a script does not have where it came: the nearest step, and why not.

The model is how a good mock of another protocol tells a near miss: what came, the nearest thing
that was expected, word by word where they differ, and where that stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pop3scenarios import MASK, Template, difference, likeness, parse_line, split_secret

if TYPE_CHECKING:
    from pop3scenarios import Script

    from ._conversation import Part


#: A line that is less like everything that was expected was meant for none of it.
ALIKE = 0.3


@dataclass(frozen=True, slots=True)
class Miss:
    """Something that the script does not have here.

    Attributes:
        why: The nearest step, and how what came differs from it.
        place: The file and line of the step that was due; empty if there is none.
        meant: The steps that the line may have been meant for, as places of its connection.
    """

    why: str
    place: str = ""
    meant: tuple[int, ...] = ()


def diagnose(part: Part, line: str, shown: str) -> Miss:
    """Say what a line should have been.

    Args:
        part: The part of the connection, where it stands before the line.
        line: The client's line; its secrets are not repeated.
        shown: The line with its secrets masked.
    """
    due = part.due()
    at, said = _out_of_order(part, line)
    if not due:
        return Miss(f"the script is over{said and f'; {said}'}")
    must_come = next(filter(part.must_come, due), due[-1])
    if said:
        return _miss(part, must_come, said, (at,) if at > must_come else ())
    nearest = max(due, key=lambda each: _likeness(part, each, line))
    if _likeness(part, nearest, line) < ALIKE:
        nearest = must_come
    return _miss(part, nearest, _difference(part, nearest, line, shown), (nearest,))


def _miss(part: Part, at: int, why: str, meant: tuple[int, ...]) -> Miss:
    index, script = part.steps[at][0], part.conversation
    total = len(script.script.steps)
    return Miss(
        f"expected {script.told(index)} (step {index + 1} of {total}); {why}",
        script.place(index),
        meant,
    )


# A line that stands elsewhere in the script


def _out_of_order(part: Part, line: str) -> tuple[int, str]:
    """The nearest other step that has the line, and what to say; nothing if there is none."""
    here = part.places[0]
    # A step that begins with a hole would have almost any line.
    alike = [at for at in range(len(part.steps)) if _has(part, at, line)]
    if not alike:
        return _elsewhere(part, line)
    at = min(alike, key=lambda at: (at - here if at >= here else here - at - 1, at < here))
    index = part.steps[at][0]
    this = _this(part, index)
    if at >= here:
        return at, f"{this}, too early; {_left_out(part, here, at)}"
    return at, f"{this}, {'again' if index in part.conversation.happened else 'too late'}"


def _has(part: Part, at: int, line: str) -> bool:
    expect = part.steps[at][1].expect
    return expect is not None and expect.keyword != "" and part.match(at, line) is not None


def _left_out(part: Part, here: int, at: int) -> str:
    steps = (part.steps[each][1] for each in range(here, at) if part.must_come(each))
    missing = [_secretless(step.expect.source) for step in steps if step.expect is not None]
    names = ", ".join(missing)
    was = "1 exchange was" if len(missing) == 1 else f"{len(missing)} exchanges were"
    return f"{was} left out: {names}"


def _elsewhere(part: Part, line: str) -> tuple[int, str]:
    """The step of another connection that waits for the line."""
    for other in part.conversation.others(part):
        for at in other.due():
            if _has(other, at, line):
                return -1, _this(part, other.steps[at][0])
    return -1, ""


def _this(part: Part, index: int) -> str:
    script = part.conversation
    return f"this is {script.told(index)}, step {index + 1} ({script.place(index)})"


# A line that is nearly right


def _likeness(part: Part, at: int, line: str) -> float:
    expect = part.steps[at][1].expect
    return -1.0 if expect is None else likeness(expect, line, part.conversation.bindings)


def _difference(part: Part, at: int, line: str, shown: str) -> str:
    index, step = part.steps[at]
    expect = step.expect
    if expect is None:
        return "the client was to go away without a word"
    is_response = responds(part.conversation.script, index)
    if shown.startswith("("):  # a SASL response, which is a secret as a whole
        return "another response came" if is_response else f"a {shown.strip('()')} came"
    if is_response:
        return "a SASL response is due"
    known = {k: v for k, v in part.conversation.bindings.items() if k != "password"}
    if shown == line:
        return difference(expect, line, known, part.conversation.bound_on())
    return difference(_open(expect), shown, known) or "its secret is another one"


def _open(expect: Template) -> Template:
    """A template with its secret left open."""
    words, secret = split_secret(expect.source)
    return parse_line(f"{words} {{secret:text}}") if secret else expect


def told(script: Script, index: int) -> str:
    """A step as the script has it, but for a secret that is written out there.

    Args:
        script: The script.
        index: The number of the step, from 0.
    """
    step = script.steps[index]
    if step.expect is None:
        return step.source
    head = step.source.removesuffix(step.expect.source)
    if not step.expect.holes and responds(script, index):
        return f"{head}(SASL response)"
    return head + _secretless(step.expect.source)


def _secretless(source: str) -> str:
    words, secret = split_secret(source)
    return source if not secret or "{" in secret else f"{words} {MASK}"


def responds(script: Script, index: int) -> bool:
    """Whether a step is the response to a SASL challenge.

    Args:
        script: The script.
        index: The number of the step, from 0.
    """
    before = (
        s for s in script.steps[:index][::-1] if s.connection == script.steps[index].connection
    )
    step = next(before, None)
    return step is not None and step.reply.challenges
