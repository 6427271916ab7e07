"""What the mock answers, playing a scenario, to what a real server was asked; without a socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pop3check import Probe, unmarked
from pop3mock import Channel, MockServer, spoken

if TYPE_CHECKING:
    from pop3check import Observed
    from pop3scenarios import Scenario

#: Seconds that pass between two sessions: no LOGIN-DELAY is felt.
_BETWEEN = 3600.0

#: TLS as a server has it that is asked: there is something for SASL to bind to, so that CAPA lists
#: what binds. Nothing is ever bound: no question begins SCRAM, and no recording holds it.
_CHANNEL = Channel(certificate="there is one")


def played(scenario: Scenario, observed: Observed) -> list[Probe]:
    """The answers of the mock, one for each probe.

    Args:
        scenario: What it plays; the user is one of its own.
        observed: What was asked of the server.
    """
    now = 0.0
    server = MockServer(scenario, clock=lambda: now)
    password = server.users.get(observed.user, "")
    found: list[Probe] = []
    for session in observed.sessions:
        now += _BETWEEN
        found += _session(server, session, observed, password)
    return found


def _session(
    server: MockServer, asked: list[Probe], observed: Observed, password: str
) -> list[Probe]:
    session = server.session()
    if observed.implicit:
        session.secured(_CHANNEL)
    found: list[Probe] = []
    for probe in asked:
        if not probe.sent:
            said = spoken(session.connected())
        else:
            line = unmarked(probe.sent, observed.user, password, found[0].octets)
            said = spoken([] if found[-1].ended else session.receive(line))
        if said.secures:
            session.secured(_CHANNEL)
        ended = said.ended or bool(found and found[-1].ended)
        found.append(Probe(probe.sent, said.octets, ended, said.secures))
    session.lost()
    return found
