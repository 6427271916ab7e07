"""Patterns that ask what clients have sent: what is secret in a command is not kept, and asked."""

from __future__ import annotations

from ._lines import Template, parse_line

#: Commands of which an argument is secret, with all behind it: how many come before that one.
SECRET_WORDS = {"PASS": 0, "APOP": 1, "AUTH": 1}

#: What is written down in place of a secret.
MASK = "****"


def split_secret(source: str) -> tuple[str, str]:
    """The words of a command that may be shown, and what is secret; empty if nothing is.

    Args:
        source: The command, or a pattern for it, as it is written.
    """
    keyword = source.split(" ", 1)[0].upper()
    if keyword not in SECRET_WORDS:
        return source, ""
    words = source.split(" ", SECRET_WORDS[keyword] + 1)
    if len(words) < SECRET_WORDS[keyword] + 2:
        return source, ""
    return " ".join(words[:-1]), words[-1]


def asked(pattern: str | Template) -> Template:
    """A pattern that may be held against what was written down of a client.

    Args:
        pattern: A command line pattern.

    Raises:
        ValueError: It spells out a secret: nothing could ever match it, since secrets are not
            kept.
    """
    template = parse_line(pattern) if isinstance(pattern, str) else pattern
    words, secret = split_secret(template.source)
    if secret and parse_line(secret).match(MASK, {}) is None:
        raise ValueError(
            f"expected {words} {{secret}}, got a secret that is spelt out: secrets are not kept,"
            " so that nothing could ever match it"
        )
    return template
