"""What a command does to the session and to the mail, whatever is said to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._state import State

if TYPE_CHECKING:
    from collections.abc import Container

    from pop3scenarios import Reply

    from ._answer import Answer
    from ._authentication import Authentication
    from ._changes import Changes
    from ._state import SessionState


class Effects:
    """Lets commands take effect.

    Args:
        state: What the session knows.
        authentication: Its SASL exchange.
    """

    __slots__ = ("_authentication", "_state")

    def __init__(self, state: SessionState, authentication: Authentication) -> None:
        self._state = state
        self._authentication = authentication

    def take(
        self, line: str, answer: Answer, changes: Changes, reply: Reply | None, *, response: bool
    ) -> bool:
        """Let a command take effect, if it does.

        Args:
            line: The command that the client's line is taken for.
            answer: What the RFC-correct server answers.
            changes: What rules change in that.
            reply: What is said in its place; None if it is said itself.
            response: Whether the line is a SASL response.

        Returns:
            Whether it has taken effect.
        """
        if reply is not None and reply.by_default:
            reply = None  # what follows the right answer does not change what it did
        applied = answer.ok if reply is None else reply.positive
        if changes.effect in ("apply", "skip"):
            applied = changes.effect == "apply"
        if applied and answer.commit is not None:
            answer.commit()
        elif answer.ends and self._state.state is State.TRANSACTION:
            self._state.leave()  # the maildrop is free again, with all that was in it
        if applied and changes.effect is not None:
            self._affect(changes.effect, line)
        if reply is not None and changes.effect != "apply":
            self._follow(reply, response or line.split(" ", 1)[0].upper() == "AUTH")
        return applied

    def keep_user(self, keeps: Container[str], command: str, *, applied: bool) -> None:
        """Forget the name that USER gave, unless PASS may still follow.

        Args:
            keeps: What the server does not forget it for: ``refusals``, ``commands``.
            command: The command that came.
            applied: Whether it has taken effect.
        """
        # RFC 1939, section 7: PASS must follow directly upon a successful USER.
        kept = "refusals" in keeps if command == "PASS" else "commands" in keeps
        if not kept and not (command == "USER" and applied):
            self._state.user = ""

    def _affect(self, effect: str, line: str) -> None:
        """Do to the mail what the command should not do."""
        if effect == "empty":
            self._state.empty()
        elif effect in ("retrieve", "mark", "remove"):
            number = line.split(" ")[1:2]
            if number and number[0].isdigit() and 0 < int(number[0][:18]) <= len(self._state.view):
                self._affect_message(effect, int(number[0]))

    def _affect_message(self, effect: str, number: int) -> None:
        match effect:
            case "retrieve":
                self._state.retrieve(number)
            case "mark":
                self._state.mark(number)
            case "remove":
                self._state.remove([number])

    def _follow(self, reply: Reply, authenticates: bool) -> None:
        """Keep the SASL exchange in step with a reply that a rule gives in its place."""
        if not reply.challenges:
            self._authentication.abandon()
        elif authenticates:
            self._authentication.hold()
