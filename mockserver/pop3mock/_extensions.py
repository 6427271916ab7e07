"""What came to POP3 later: CAPA (RFC 2449), STLS (RFC 2595), UTF8 and LANG (RFC 6856)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pop3scenarios import parse_line

from ._answer import acceptance, refusal, repeated
from ._sasl import fitting, is_sasl
from ._state import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._answer import Answer
    from ._state import SessionState

_CHOSEN = parse_line("{language} {description}")


def capa(state: SessionState, _arguments: list[str]) -> Answer:
    """CAPA: what the server can do (RFC 2449, section 5)."""
    hidden_now = {"STLS"} if state.tls or state.state is State.TRANSACTION else set()
    true = (fitting(x, state.channel) if is_sasl(x) else x for x in state.capabilities)
    lines = [line for line in true if line and line.split(" ")[0] not in hidden_now]
    if state.state is State.TRANSACTION:
        lines = [_for_this_user(line) for line in lines]
    answer = acceptance("capability list follows")
    answer.lines = lines
    return answer


def _for_this_user(line: str) -> str:
    """A capability after login: what may differ from user to user is settled by then."""
    # RFC 2449, sections 6.5 and 6.7.
    words = line.upper().split(" ")
    differs = words[0] in ("LOGIN-DELAY", "EXPIRE") and words[-1] == "USER"
    return line[: -len(" USER")] if differs else line


def stls(state: SessionState, _arguments: list[str]) -> Answer:
    """STLS: the TLS handshake is to begin (RFC 2595, section 4)."""
    if state.tls:
        return refusal(
            "TLS is active",
            unexpected="TLS is active already (RFC 2595, section 4)",
            reason="state",
        )
    answer = acceptance("begin TLS")
    answer.starts_tls = True
    return answer


def utf8(state: SessionState, _arguments: list[str]) -> Answer:
    """UTF8: the client takes UTF-8 (RFC 6856, section 2)."""
    answer = acceptance("UTF-8 from here on")
    answer.commit = lambda: setattr(state, "utf8", True)
    return answer


def lang(state: SessionState, arguments: list[str]) -> Answer:
    """LANG: the languages that there are, or one of them (RFC 6856, section 3)."""
    if not arguments:
        answer = acceptance("languages follow")
        answer.lines = [f"{tag} {name}".rstrip() for tag, name in state.languages.items()]
        return answer
    tag = _language(state.languages, arguments[0])
    if tag is None:
        return refusal(f"no language {repeated(arguments[0])}", reason="missing")
    return acceptance(_CHOSEN, language=tag, description=state.languages[tag])


def _language(known: Mapping[str, str], wanted: str) -> str | None:
    """The first language that a range means (RFC 4647, basic filtering)."""
    if wanted == "*":
        return next(iter(known), None)
    prefix = wanted.lower()
    return next(
        (tag for tag in known if tag.lower() == prefix or tag.lower().startswith(prefix + "-")),
        None,
    )
