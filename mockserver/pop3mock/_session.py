"""One session of the mock server: octets in, actions out; no socket, no clock.

At each line the session asks three things in turn: what would the RFC-correct server answer
(:mod:`._commands`), what does the script or do the rules make of it, and does the command take
effect. Then it says what is to be done.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from pop3scenarios import ScenarioError, Source

from . import _commands as commands
from ._actions import Hold, StartTLS
from ._answer import Answer, refusal, render, status_line
from ._authentication import Authentication
from ._changes import NO_CHANGES, Changes, Occasion, selects
from ._channel import IN_THE_CLEAR
from ._composer import Composer, speak
from ._conversation import PATIENCE, Held
from ._events import Fault
from ._input import MAX_LINE, Input
from ._message import Text
from ._nearmiss import Miss
from ._state import State
from ._wire import stuff

if TYPE_CHECKING:
    from collections.abc import Callable

    from pop3scenarios import Hole, MessageData, Reply, Scenario, Template

    from ._actions import Action
    from ._changes import Rulebook
    from ._channel import Channel
    from ._connection_log import ConnectionLog
    from ._conversation import Conversation, Part
    from ._message import StoredMessage
    from ._performance import Performance
    from ._quirk_users import QuirkUsers
    from ._state import SessionState

_GREETING = "GREETING"
_RESPONSE = "(SASL response)"

#: Response codes, and the capability that allows each of them.
_CODES = {
    "AUTH": "AUTH-RESP-CODE",
    "IN-USE": "RESP-CODES",
    "LOGIN-DELAY": "RESP-CODES",
    "UTF8": "UTF8",
}


class Session:
    """The server's side of one connection.

    Args:
        scenario: What is played.
        rulebook: Its rules, with counts that outlive the connection.
        state: What the session knows; holds the maildrops.
        log: Where it is written down what happens.
        quirk_users: Users whose names choose what is played to them, if there are such.
        conversation: The scenario's script, as far as it has come, if it has one.

    Attributes:
        log: Where it is written down what happens.
        behind: Whether the client has sent more than has been answered for now.
        wake: Called when other connections have gone on: :meth:`resume` may then have an answer.
    """

    def __init__(
        self,
        scenario: Scenario,
        rulebook: Rulebook,
        state: SessionState,
        log: ConnectionLog,
        quirk_users: QuirkUsers | None = None,
        conversation: Conversation | None = None,
    ) -> None:
        self._scenario = scenario
        self._rulebook = rulebook
        self._state = state
        self.log = log
        self._quirk_users = quirk_users
        self._input = Input(scenario.server)
        self._over = False
        self.behind = False
        self._authentication = Authentication(state)
        self._conversation = conversation
        self._part: Part | None = None
        self._held: Callable[[], list[Action]] | None = None
        self.wake: Callable[[], None] = lambda: None
        self._script = _script_source(scenario) if scenario.script else None
        self._codes = _codes(state)

    @property
    def over(self) -> bool:
        """Whether nothing that the client sends will be heard any more."""
        return self._over

    def connected(self) -> list[Action]:
        """The connection is up: the server speaks first (RFC 1939, section 3)."""
        template = self._scenario.server.greeting
        answer = Answer(True, values={"stamp": self._state.stamp})
        if template is not None:
            answer.text = template
        scripted = self._take_part()
        if isinstance(scripted, Held):
            return self._hold(scripted, self.connected)
        changes = NO_CHANGES
        if scripted is None:
            changes = self._rulebook.consult(self._occasion(_GREETING, "ok", event=True))
        return self._perform(_GREETING, answer, changes, scripted, label=_GREETING)

    def secured(self, channel: Channel = IN_THE_CLEAR) -> None:
        """The TLS handshake is done; what was known before it is forgotten (RFC 2595, 4).

        Args:
            channel: What may be known of the connection.
        """
        self._state.tls = True
        self._state.channel = channel
        if self._state.state is State.AUTHORIZATION and self._scenario.tls.forgets is not False:
            self._state.user = ""
        self._over = False

    def receive(self, data: bytes, *, at_most: int | None = None) -> list[Action]:
        """Octets have come from the client.

        Args:
            data: The octets, in whatever pieces they come.
            at_most: How many lines to answer for now; then ``behind`` says whether more are there,
                and an empty ``data`` goes on with them. None for all.

        Returns:
            What is to be done, in order.
        """
        actions: list[Action] = []
        self.behind = False
        self._input.add(data)
        for _ in count() if at_most is None else range(at_most):
            line = self._input.line() if self._held is None and not self._over else None
            if line is None:
                break
            actions += self._hear(line)
        else:
            self.behind = bool(self._input) and self._held is None and not self._over
            if self.behind:
                return actions
        return self._leave_behind(actions) if self._over else actions + self._unfinished()

    def _leave_behind(self, actions: list[Action]) -> list[Action]:
        """What stands behind STLS or QUIT in the same segment is never executed.

        RFC 2595, section 4; a scenario can play a server that gets it wrong.
        """
        kept = self._scenario.tls.pipelined if _upgrades(actions) else None
        if kept == "handshake":
            actions[-1] = StartTLS(self._input.take().encode("utf-8", "surrogateescape"))
        elif kept != "execute":
            self._input.clear()
        return actions

    def _unfinished(self) -> list[Action]:
        """What becomes of a line of which the end has not come yet."""
        if self._held is not None:
            return []  # whole lines may wait there
        if self._input.endless:
            return self._too_long(self._input.take(), ends=True)
        if self._input and not self._authentication.under_way and self._rulebook.knows("PARTIAL"):
            return self._partial()
        return []

    def _partial(self) -> list[Action]:
        """Some servers take what one segment brings for a whole command."""
        changes = self._rulebook.consult(self._occasion("PARTIAL", "refused", event=True))
        if not changes.sources:
            return []
        line = self._input.take()
        return self._perform(line, refusal("no whole command"), changes, label="(partial line)")

    @property
    def patience(self) -> float | None:
        """Seconds without a command after which :meth:`idle` is due; None if it never is."""
        server = self._scenario.server
        if self._state.state is State.AUTHORIZATION and server.autologout_before_login is not None:
            return server.autologout_before_login
        return server.autologout

    def idle(self) -> list[Action]:
        """The client has been silent too long: the connection is closed (RFC 1939, section 3)."""
        self._state.leave()  # without UPDATE: what was marked stays
        changes = self._rulebook.consult(self._occasion("AUTOLOGOUT", "ok", event=True))
        return self._perform("", Answer(True, ends=True, silent=True), changes, label="(silence)")

    def handshake_failed(self) -> list[Action]:
        """The TLS handshake has failed: a server may go on in the clear, if a rule says so."""
        changes = self._rulebook.consult(self._occasion("HANDSHAKE-FAILED", "ok", event=True))
        if not changes.sources:
            return []
        self._over = False
        return self._perform("", Answer(True, silent=True), changes, label="(handshake failed)")

    def lost(self) -> None:
        """The connection is gone: without QUIT nothing is removed (RFC 1939, section 6)."""
        self._over = True
        if self._state.state is State.TRANSACTION:
            self._dropped()
        self._state.leave()
        self._rulebook.forget(self.log.number)
        self._held = None
        miss = self._part.left() if self._part is not None else None
        if miss is not None:
            self.log.fault(Fault("script not finished", miss.why, miss.place))

    def _dropped(self) -> None:
        """Some servers do at the end of a connection what only QUIT should."""
        match self._rulebook.consult(self._occasion("DISCONNECT", event=True)).effect:
            case "apply":
                self._state.update()
            case "empty":
                self._state.empty()
        self.log.update(self._state.removed)

    def _too_long(self, line: str, *, ends: bool) -> list[Action]:
        answer = refusal("line too long", reason="syntax")
        answer.ends = ends
        changes = self._rulebook.consult(self._occasion("OVERLONG", "syntax", event=True))
        return self._perform(line[: self._input.limit], answer, changes, label="(line too long)")

    def _line(self, line: str, scripted: Reply | None) -> list[Action]:
        if self._authentication.under_way:
            return self._response(line, scripted)
        if _octets(line) > self._input.limit:
            return self._too_long(line, ends=False)
        meant, source = self._meant(line)
        if meant.split(" ", 1)[0].upper() == "AUTH":
            answer = self._authentication.begin(meant)
        else:
            answer = commands.answer_to(self._state, meant)
            if meant != line:
                answer.unexpected = commands.answer_to(self._state, line).unexpected
        answer = self._cast(answer)
        changes = NO_CHANGES
        if scripted is None:
            changes = self._changes(line, meant, answer)
            if source is not None:
                changes = changes.because(source)
        if changes.deleted is not None and answer.outcome in ("ok", "deleted"):
            with self._state.as_if_none_deleted(emptied=changes.deleted == "emptied"):
                answer = commands.answer_to(self._state, meant)
        return self._perform(line, answer, changes, scripted, meant=meant)

    def _response(self, line: str, scripted: Reply | None) -> list[Action]:
        mechanism = self._authentication.mechanism
        answer = self._cast(self._authentication.respond(line))
        changes = NO_CHANGES
        if scripted is None:
            occasion = self._occasion(
                f"RESPONSE {line}", answer.outcome, event=True, mechanism=mechanism
            )
            changes = self._rulebook.consult(occasion)
            if answer.unexpected and not changes.excused and self._conversation is None:
                self._unexpected_response(occasion.line, answer.unexpected)
        return self._perform("", answer, changes, scripted, label=_RESPONSE)

    def _unexpected_response(self, line: str, why: str) -> None:
        if not any(selects(pattern, line) for pattern in self._scenario.expect.allow):
            self.log.fault(Fault(f"unexpected {_RESPONSE}", why))

    def _cast(self, answer: Answer) -> Answer:
        """A user's name may choose what is played from here on; a name that cannot is refused."""
        user = answer.values.get("user", "") if self._quirk_users is not None else ""
        if self._quirk_users is None or not self._quirk_users.chooses(user):
            return answer
        try:
            performance = self._quirk_users.performance(user)
        except ScenarioError as error:
            why = " ".join(str(error).split())  # it goes into one line
            self.log.remark(f"user {user}: {why}")
            return refusal(why)
        if performance.rulebook is not self._rulebook:
            self.play(performance)
        return answer

    def play(self, performance: Performance) -> None:
        """From here on play something else; greeting, TLS and script stay what they were.

        Args:
            performance: What is played.
        """
        self._rulebook.forget(self.log.number)
        self._scenario, self._rulebook = performance.scenario, performance.rulebook
        performance.prepare(self._state)
        self._codes = _codes(self._state)
        self._input.follow(self._scenario.server)
        self.log.recast(performance.name)

    def _meant(self, line: str) -> tuple[str, Source | None]:
        """The command that a line is taken for, and the rule that does so."""
        meant = self._input.tidied(line)
        if not self._rulebook.takes:
            return meant, None
        taken = self._rulebook.taken_for(self._occasion(meant))
        return (meant, None) if taken is None else taken

    # The script

    def resume(self) -> list[Action]:
        """Other connections have gone on: what was held may now be answered."""
        held, self._held = self._held, None
        return [] if held is None else held() + self.receive(b"")

    def give_up(self) -> list[Action]:
        """What is held has waited long enough: it is answered, and was too early."""
        if self._held is None or self._part is None:
            return []
        miss = self._part.too_early()
        self.log.fault(Fault("too early", miss.why, miss.place))
        return self.resume()

    def _take_part(self) -> Reply | Held | None:
        """What the script says first on this connection, if it has it."""
        if self._conversation is None:
            return None
        if self._part is None:
            self._part = self._conversation.join(self.wake)
        if self._part is not None:
            return self._part.greeting()
        miss = self._conversation.one_too_many()
        self.log.fault(Fault("one connection too many", miss.why, miss.place))
        return None

    def _hear(self, line: str) -> list[Action]:
        """Answer a line, or hold it until other connections have gone on."""
        if _octets(line) > MAX_LINE:
            return self._too_long(line, ends=True)  # as if its end had not come yet
        scripted = self._scripted(line)
        if isinstance(scripted, Held):
            return self._hold(scripted, lambda: self._hear(line))
        return self._line(line, scripted)

    def _hold(self, held: Held, again: Callable[[], list[Action]]) -> list[Action]:
        self._held = again
        self.log.remark(f"waits for {held.before}")
        return [Hold(PATIENCE)]

    def _scripted(self, line: str) -> Reply | Held | None:
        """What the script answers to a line, if there is a script and it has the line here."""
        if self._part is None:
            return None
        shown = _RESPONSE if self._authentication.under_way else self.log.masked(line)
        heard = self._part.hear(line, shown)
        if isinstance(heard, Miss):
            self.log.fault(Fault(f"unexpected {shown or 'empty line'}", heard.why, heard.place))
            return None
        return heard

    # What the answer becomes

    def _perform(
        self,
        line: str,
        answer: Answer,
        changes: Changes,
        scripted: Reply | None = None,
        *,
        label: str = "",
        meant: str = "",
    ) -> list[Action]:
        """Say an answer, and let the command take effect.

        Args:
            line: The client's line.
            answer: What the RFC-correct server answers.
            changes: What rules change in that.
            scripted: What the script answers, if it has the line.
            label: What it is, if it is no command line: the greeting, a SASL response.
            meant: The command that the line is taken for.
        """
        reply = scripted or changes.reply
        state, tls = self._state.state, self._state.tls
        applied = self._apply(meant or line, answer, changes, reply, label)
        composer = Composer(changes.dribble, changes.cut)
        composer.wait(changes.delay or 0.0)
        self._say(composer, line, answer, changes, reply)
        self._finish(composer, answer, changes, starts_tls=applied and answer.starts_tls)
        self._over = composer.over
        if changes.discard:
            self._input.clear()
        actions = composer.actions()
        source = self._source(changes, scripted)
        self.log.exchange(
            line,
            source,
            actions,
            tls=tls,
            state=state.word,
            label=label,
            user=self._state.user if self._state.state is State.TRANSACTION else "",
            removed=self._state.removed,
        )
        if self._state.state is State.AUTHORIZATION and not _upgrades(actions):
            self._keep_user((meant or line).split(" ", 1)[0].upper(), applied)
        return actions

    def _keep_user(self, command: str, applied: bool) -> None:
        """Forget the name that USER gave, unless PASS may still follow."""
        keeps = self._scenario.server.keeps_user or ()
        # RFC 1939, section 7: PASS must follow directly upon a successful USER.
        kept = "refusals" in keeps if command == "PASS" else "commands" in keeps
        if not kept and not (command == "USER" and applied):
            self._state.user = ""

    def _changes(self, line: str, meant: str, answer: Answer) -> Changes:
        authenticates = meant.split(" ", 1)[0].upper() == "AUTH"
        mechanism = self._authentication.mechanism if authenticates else ""
        occasion = self._occasion(meant, answer.outcome, mechanism=mechanism)
        changes = self._rulebook.consult(occasion)
        # A rule that only changes how an answer looks does not make the command a right one.
        if answer.unexpected and not changes.excused and self._conversation is None:
            self._unexpected(line, answer.unexpected)
        return changes

    def _source(self, changes: Changes, scripted: Reply | None) -> Source | None:
        """What answers; None if it is the RFCs."""
        if scripted is not None:
            return self._script
        return changes.sources[0] if changes.sources else None

    def _apply(
        self, line: str, answer: Answer, changes: Changes, reply: Reply | None, label: str
    ) -> bool:
        """Let the command take effect, if it does; says whether."""
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
            self._follow(reply, line, label)
        return applied

    def _affect(self, effect: str | None, line: str) -> None:
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

    def _follow(self, reply: Reply, line: str, label: str) -> None:
        """Keep the SASL exchange in step with a reply that a rule gives in its place."""
        if not reply.challenges:
            self._authentication.abandon()
        elif label == _RESPONSE or line.split(" ", 1)[0].upper() == "AUTH":
            self._authentication.hold()

    def _say(
        self,
        composer: Composer,
        line: str,
        answer: Answer,
        changes: Changes,
        reply: Reply | None,
    ) -> None:
        """Compose the answer."""
        if reply is not None:
            self._speak(reply, composer, line, answer, changes)
            return
        if answer.silent:
            return
        own = (changes.text, changes.error, changes.entry)
        if changes is not NO_CHANGES and any(each is not None and each.holes for each in own):
            answer.values = self._values(line, answer, changes)
        composer.send(*render(answer, changes, self._codes))

    def _finish(
        self, composer: Composer, answer: Answer, changes: Changes, *, starts_tls: bool
    ) -> None:
        if changes.then is not None:
            composer.end(changes.then)
        elif changes.cut is not None:
            composer.end("close")
        elif starts_tls:
            composer.start_tls()
        elif answer.ends:
            composer.end("close")

    def _speak(
        self, reply: Reply, composer: Composer, line: str, answer: Answer, changes: Changes
    ) -> None:
        values = self._values(line, answer, changes)

        def value_of(hole: Hole) -> str:
            value = values.get(hole.name)
            if value is None:
                value = values[hole.name] = hole.example or ""
            if self._part is not None:
                self._part.bindings.setdefault(hole.name, value)
            return value

        def finish(template: Template, text: str) -> str:
            rest = values.get("text", "")
            agrees = text == ("+OK" if answer.ok else "-ERR")
            return f"{text} {rest}" if template.open_ended and agrees and rest else text

        speak(
            reply,
            composer,
            value_of=value_of,
            default=lambda: render(answer, changes, self._codes),
            message=lambda item: self._message_data(item, values),
            finish=finish,
            eol=b"\n" if changes.eol == "lf" else b"\r\n",
        )

    def _values(self, line: str, answer: Answer, changes: Changes) -> dict[str, str]:
        """What holes may hold: bindings first, then what the answer and the session know."""
        count, octets = self._state.totals()
        words = line.split(" ")
        shown = answer if not answer.silent else Answer(True)
        known = {
            "count": str(count),
            "octets": str(octets),
            "last": str(self._state.last),
            "user": self._state.user,
            "stamp": self._state.stamp,
            "host": "127.0.0.1",
            "command": words[0],
            "line": line,
            "argument": " ".join(words[1:]),
            "mechanism": self._authentication.mechanism,
            "text": status_line(shown, NO_CHANGES, self._codes).partition(" ")[2],
        }
        if len(words) > 1 and words[1].isascii() and words[1].isdigit():
            known["n"] = known["number"] = words[1]
            number = int(words[1][:18])
            if 0 < number <= len(self._state.view):
                known["octets"] = str(self._state.view[number - 1].octets)
                known["uid"] = self._state.view[number - 1].uid
        if not self._state.user:
            known.pop("user")
        bound = self._part.bindings if self._part is not None else {}
        return {**known, **answer.values, **changes.bindings, **bound}

    def _message_data(self, item: MessageData, values: dict[str, str]) -> bytes:
        number = item.number if isinstance(item.number, int) else int(values.get(item.number, "1"))
        view = self._state.view or self._state.maildrops[next(iter(self._state.users))].messages
        if not 0 < number <= len(view):
            return b""
        data = stuff(_part(view[number - 1], item))
        if item.first is None:
            return data
        return data[: len(data) * item.first // 100 if item.percent else item.first]

    # What a client should not have done

    def _occasion(
        self, line: str, outcome: str = "", *, event: bool = False, mechanism: str = ""
    ) -> Occasion:
        state = self._state
        return Occasion(
            line,
            state.state.word,
            state.tls,
            state.user,
            self.log.number,
            event,
            mechanism,
            outcome,
            pipelined=bool(self._input),
            marked=bool(state.deleted),
        )

    def _unexpected(self, line: str, why: str) -> None:
        if any(selects(pattern, line) for pattern in self._scenario.expect.allow):
            return
        shown = self.log.masked(line)
        nearest = self._rulebook.nearest(shown)
        text = f"{why}; nearest rule {nearest[0]}: {nearest[1]}" if nearest else why
        place = f"{nearest[0].file}:{nearest[0].line}" if nearest else ""
        self.log.fault(Fault(f"unexpected {shown or 'empty line'}", text, place))


def _octets(line: str) -> int:
    """The size of a line as it came."""
    return len(line.encode("utf-8", "surrogateescape"))


def _part(message: StoredMessage, item: MessageData) -> bytes:
    """The octets of a message that ``<message …>`` means, not yet stuffed."""
    match item.part:
        case "header":
            return message.head.removesuffix(b"\r\n") if message.head_end > 0 else message.data
        case "body":
            return message.data[message.head_end :] if message.head_end > 0 else b""
        case "top":
            return Text(message, item.lines).data
        case _:
            return message.data


def _upgrades(actions: list[Action]) -> bool:
    """Whether the TLS handshake is what comes next."""
    return bool(actions) and isinstance(actions[-1], StartTLS)


def _codes(state: SessionState) -> frozenset[str]:
    """The response codes that the capabilities allow."""
    there = {line.split(" ")[0] for line in state.capabilities}
    return frozenset(code for code, capability in _CODES.items() if capability in there)


def _script_source(scenario: Scenario) -> Source:
    """Where the conversation stands, for answers that come out of it."""
    return Source(scenario=scenario.name, file=scenario.shown, line=scenario.script_line)
