"""The client's safety checks: how each is pulled out, and which test notices."""

from __future__ import annotations

from typing import NamedTuple


class Check(NamedTuple):
    """A check, how it is pulled out, and who notices."""

    module: str
    source: str
    without: str
    test: str


CHECKS = {
    "CR and LF in arguments": Check(
        "_arguments.py",
        r'if any(character in value for character in "\r\n\0"):',
        "if False:",
        "test_opening.py::test_no_line_end_in_an_argument",
    ),
    "password in the clear": Check(
        "_authentication.py",
        "        _require_privacy(session)\n    session.user",
        "        pass\n    session.user",
        "test_opening.py::test_login_step_by_step_is_as_careful",
    ),
    "password in the clear, before anything is sent": Check(
        "_authentication.py",
        "        _require_privacy(session)  # before the first octet",
        "        pass  # before the first octet",
        "test_opening.py::test_password_over_a_network",
    ),
    "loopback is told from a network": Check(
        "_peer.py",
        'return (getattr(address, "ipv4_mapped", None) or address).is_loopback',
        "return True",
        "test_opening.py::test_password_over_a_network",
    ),
    "a local proxy is no local server": Check(
        "_blocking.py",
        "is_local(sock) and not through_a_proxy",
        "is_local(sock)",
        "test_opening.py::test_password_through_a_proxy",
    ),
    "mapped addresses are looked into": Check(
        "_peer.py",
        'return (getattr(address, "ipv4_mapped", None) or address).is_loopback',
        # Python 3.13 looks into them by itself.
        'return getattr(address, "ipv4_mapped", None) is None and address.is_loopback',
        "test_opening.py::test_password_to_this_machine",
    ),
    "+OK is an exact token": Check(
        "_replies.py",
        'if token == b"+OK":',
        'if token.startswith(b"+"):',
        "test_commands.py::test_only_the_exact_token_is_success",
    ),
    "+OK stands at the start": Check(
        "_replies.py",
        'if token == b"+OK":',
        'if b"+OK" in line:',
        "test_commands.py::test_err_that_contains_ok_is_a_refusal",
    ),
    "response codes stand directly after the status": Check(
        "_replies.py",
        "_RESPONSE_CODE.match(text)",
        "_RESPONSE_CODE.search(text)",
        "test_commands.py::test_refused_login",
    ),
    "injected data": Check(
        "_opening.py",
        "if (yield from session.wire.poll()):",
        "if False:",
        "test_tls.py::test_injected_octets",
    ),
    "injected data in the buffer": Check(
        "_wire.py",
        "        if self._start < self._end:\n            return self._end - self._start\n",
        "",
        "test_tls.py::test_injected_octets",
    ),
    "STLS must be offered": Check(
        "_opening.py",
        "    if not session.capabilities.stls:\n        names",
        "    if False:\n        names",
        "test_tls.py::test_stls_fails_before_the_handshake",
    ),
    "STLS must be accepted": Check(
        "_opening.py",
        'raise TLSError(f"STLS was offered, then refused: {error.text}", step="refused")',
        "return  #",
        "test_tls.py::test_stls_fails_before_the_handshake",
    ),
    "STLS is done when asked for": Check(
        "_opening.py",
        "if session.config.tls is TLS.STLS:\n        yield from _stls",
        "if False:\n        yield from _stls",
        "test_tls.py::test_stls_fails_before_the_handshake",
    ),
    "CAPA is forgotten after TLS": Check(
        "_opening.py",
        "session.capabilities, session.capa_asked = Capabilities(), False",
        "pass",
        "test_tls.py::test_capa_is_forgotten",
    ),
    "STLS that is offered is used": Check(
        "_opening.py",
        "    if not session.capabilities.stls:\n        return\n",
        "    return\n",
        "test_tls.py::test_it_works",
    ),
    "CAPA is asked again after login": Check(
        "_authentication.py",
        "    yield from ask_again(session)\n",
        "",
        "test_authentication.py::test_capa_is_asked_again_after_login",
    ),
    "secrets of mechanisms in the clear": Check(
        "_authentication.py",
        "    if mechanism.clear:\n        _require_privacy(session)\n",
        "",
        "test_authentication.py::test_objects_that_show_a_secret",
    ),
    "secrets of mechanisms in errors": Check(
        "_exchange.py",
        "    session.keep(*mechanism.secrets)\n    words",
        "    words",
        "test_authentication.py::test_secrets_are_never_shown",
    ),
    "what was sent, in errors": Check(
        "_exchange.py",
        "    session.keep(line)\n",
        "",
        "test_authentication.py::test_secrets_are_never_shown",
    ),
    "a refusal of the user is final": Check(
        "_authentication.py",
        "if hopeless or not _blames_mechanism(refusal):",
        "if hopeless:",
        "test_authentication.py::test_a_refusal_of_the_user_is_final",
    ),
    "+OK before all is said is no success": Check(
        "_exchange.py",
        "if reply.ok and not (done and mechanism.finished):",
        "if False:",
        "test_sasl.py::test_a_server_that_does_not_know_the_password",
    ),
    "the server's proof": Check(
        "_scram.py",
        "            self._check(challenge)\n",
        "            pass\n",
        "test_sasl.py::test_a_server_that_does_not_know_the_password",
    ),
    "a password is kept from who cannot prove to know it": Check(
        "_exceptions.py",
        '    It may be somebody else\'s server: do not tell it the password.\n    """\n\n'
        "    ends_session = True",
        '    It may be somebody else\'s server: do not tell it the password.\n    """\n',
        "test_sasl.py::test_a_server_that_does_not_know_the_password",
    ),
    "channel binding": Check(
        "_scram.py",
        "binding = channel_binding(tls) if tls else None",
        'binding = ("tls-unique", b"x") if tls else None',
        "test_sasl.py::test_scram_plus",
    ),
    "a hidden offer of channel binding": Check(
        "_scram.py",
        'self._binding = None if offers_plus and not name.endswith("-PLUS") else binding',
        'self._binding = binding if name.endswith("-PLUS") else None',
        "test_sasl.py::test_whoever_hides_the_offer_is_found_out",
    ),
    "an exchange is cancelled": Check(
        "_exchange.py",
        "            yield from _cancel(session, step)\n",
        "            pass\n",
        "test_sasl.py::test_one_challenge_too_many",
    ),
    "tokens wait for a challenge": Check(
        "_oauth.py",
        "return self._message if self._at_once else None",
        "return self._message",
        "test_sasl.py::test_tokens_wait_for_a_challenge",
    ),
    "one command at a time": Check(
        "_session.py",
        "if self.busy and self.state is not State.CLOSED:",
        "if False:",
        "test_asyncio.py::test_one_thing_at_a_time",
    ),
    "other tasks": Check(
        "_asyncio.py",
        "            await asyncio.sleep(0)\n",
        "            pass\n",
        "test_asyncio.py::test_others_get_their_turn",
    ),
    "sockets that come too late": Check(
        "_asyncio.py",
        "            making.add_done_callback(_close_what_was_made)\n",
        "",
        "test_asyncio.py::test_a_socket_that_comes_too_late",
    ),
    "certificates are verified": Check(
        "_tls.py",
        "context = ssl.create_default_context()",
        "context = ssl._create_unverified_context()",
        "test_tls.py::test_default_policy",
    ),
    "host names are verified": Check(
        "_tls.py",
        "server_hostname=host",
        'server_hostname="other.example"',
        "test_tls.py::test_handshake_fails",
    ),
    "the callback may refuse": Check(
        "_opening.py",
        "        config.tls_callback(info)\n",
        "        pass\n",
        "test_tls.py::test_callback_refuses",
    ),
    "APOP signs a msg-id only": Check(
        "_replies.py",
        'rb"<[!-;=?A-~]+@[!-;=?A-~]+>"',
        'rb"<.*>"',
        "test_opening.py::test_apop_signs_nothing_else",
    ),
    "surplus octets": Check(
        "_session.py",
        "        if count:\n            raise OutOfStep(step, self.wire.pending)\n",
        "",
        "test_failures.py::test_surplus_octets",
    ),
    "the terminator decides": Check(
        "_wire.py",
        "            if end is not None:\n",
        "            if end is not None and self._end - self._start >= hint:\n",
        "test_sizes.py::test_a_lying_size_costs_little_memory",
    ),
    "a size is not believed": Check(
        "_wire.py",
        "min(hint, _MOST_ROOM)",
        "min(hint, 2**26)",
        "test_sizes.py::test_a_lying_size_costs_little_memory",
    ),
    "bare LF dots are content": Check(
        "_wire.py",
        "self._searched_lf_only = first_crlf < 0",
        "pass",
        "test_framing.py::test_bodies",
    ),
    "the first line is unstuffed": Check(
        "_wire.py",
        "self._start -= len(status_end)",
        "status_end = b''",
        "test_framing.py::test_bodies",
    ),
    "one deadline for the whole reply": Check(
        "_patience.py",
        "min(self._deadline - self._clock(), self._seconds)",
        "self._seconds",
        "test_failures.py::test_dribble",
    ),
    "silence in a message": Check(
        "_patience.py",
        "min(self._deadline - self._clock(), self._seconds)",
        "self._deadline - self._clock()",
        "test_failures.py::test_silence_inside_a_long_message",
    ),
    "a message that dribbles": Check(
        "_session.py",
        "yield Expect(step, self.config.timeout, limits.minimum_rate)",
        "yield Expect(step, self.config.timeout, 0.001)",
        "test_failures.py::test_dribble",
    ),
    "a poisoned session": Check(
        "_session.py",
        "            if error.ends_session:\n                self.end(str(error))\n",
        "",
        "test_failures.py::test_a_poisoned_session",
    ),
    "an interrupted session": Check(
        "_session.py",
        'self.end(f"interrupted by {type(error).__name__}")',
        "pass",
        "test_failures.py::test_an_interruption_poisons_too",
    ),
    "partial results": Check(
        "_retrieval.py",
        "error.retrieved = tuple(sorted((*messages, *error.retrieved), key=_NUMBER))",
        "pass",
        "test_commands.py::test_what_was_fetched_goes_with_the_error",
    ),
    "secrets in errors": Check(
        "_session.py",
        "error.hide(self.secrets)",
        "pass",
        "test_failures.py::test_secrets_are_never_shown",
    ),
    "secrets in deviations": Check(
        "_session.py",
        "detail = mask_octets(detail, secret)",
        "pass",
        "test_failures.py::test_secrets_are_never_shown",
    ),
    "secrets in wants": Check(
        "_wants.py",
        'return f"Send({self.step})"',
        'return f"Send({self.data!r})"',
        "test_failures.py::test_wants_do_not_show_what_is_sent",
    ),
    "length of lines": Check(
        "_wire.py",
        "if length > limit or (end < 0 and length == limit):",
        "if False:",
        "test_failures.py::test_long_lines",
    ),
    "size of messages": Check(
        "_wire.py",
        "if self._limit is not None and self._sent + dot - start > self._limit:",
        "if False:",
        "test_failures.py::test_an_endless_message",
    ),
    "length of listings": Check(
        "_session.py",
        "elif count == allowed:",
        "elif False:",
        "test_failures.py::test_limits",
    ),
    "a constructor that fails closes": Check(
        "_client.py",
        "        except BaseException:\n            self.abort()\n            raise\n",
        "        except BaseException:\n            raise\n",
        "test_opening.py::test_stat_refused_after_login",
    ),
    "no QUIT after an error": Check(
        "_client.py",
        "        else:\n            self.abort()\n",
        "        else:\n            self.close()\n",
        "test_commands.py::test_with_block_that_raises",
    ),
    "an unanswered QUIT with deletions": Check(
        "_commands.py",
        "        if session.marked:\n            raise\n",
        "",
        "test_failures.py::test_silent_quit",
    ),
    "octets under way": Check(
        "_pipeline.py",
        "if sent and self._octets + octets > self._most_octets:",
        "if False:",
        "test_pipelining.py::test_the_window",
    ),
    "commands under way": Check(
        "_pipeline.py",
        "while len(sent) < self._most_commands:",
        "while True:",
        "test_pipelining.py::test_the_window",
    ),
    "a server that does not read": Check(
        "_pipeline.py",
        "            self._most_octets = limits.pipeline_octets\n",
        "            self._most_octets = self._most_commands = 10**9\n",
        "test_pipelining.py::test_a_server_that_does_not_read",
    ),
    "the first command is alone": Check(
        "_pipeline.py",
        "self._most_commands = self._most_octets = 1",
        "self._most_commands = self._most_octets = 1000",
        "test_pipelining.py::test_several_at_once",
    ),
    "CAPA after login decides on pipelining": Check(
        "_session.py",
        "return self.capabilities.pipelining if asked is None else asked",
        "return True if asked is None else asked",
        "test_pipelining.py::test_capa_after_login_decides",
    ),
    "what was under way is read": Check(
        "_pipeline.py",
        "        if self._failure is None:\n            if error",
        "        if self._failure is None:\n            raise error\n            if error",
        "test_pipelining.py::test_a_refused_message",
    ),
    "no more is sent after an error": Check(
        "_pipeline.py",
        "if self._failure is None and self._is_low():",
        "if self._is_low():",
        "test_pipelining.py::test_a_refused_message",
    ),
    "pipelining that goes wrong is told": Check(
        "_pipeline.py",
        "        self._session.one_at_a_time(keyword, str(error).encode())\n",
        "",
        "test_pipelining.py::test_it_goes_wrong",
    ),
    "mixed up messages": Check(
        "_retrieval.py",
        "            messages = retrieval.sure\n",
        "            pass\n",
        "test_pipelining.py::test_mixed_up_messages_are_not_kept",
    ),
    "plain messages have no line with a dot": Check(
        "_wire.py",
        r'not buffer.startswith(b"\r\n", stop + 1)',
        "False",
        "test_sizes.py::test_right_size_keeps_the_mode",
    ),
    "plain messages are not too long": Check(
        "_wire.py",
        "        if limit is not None and stop - start > limit:\n            return None\n",
        "",
        "test_failures.py::test_limits",
    ),
    "long messages are unstuffed": Check(
        "_wire.py",
        "        if self._dotted:\n            kept = self._unstuff",
        "        if False:\n            kept = self._unstuff",
        "test_framing.py::test_long_bodies",
    ),
    "the length of plain listings": Check(
        "_session.py",
        "if count > allowed:",
        "if False:",
        "test_failures.py::test_limits",
    ),
    "states are checked": Check(
        "_session.py",
        "        require(command, self.state, self.ended)\n",
        "        pass\n",
        "test_states.py::test_every_command_in_every_state",
    ),
    "messages under way that wait for a caller": Check(
        "_reading.py",
        "return not self._octets or self._octets + self._weight(number) <= self._most",
        "return True",
        "test_reading.py::test_large_messages_go_alone",
    ),
    "a message in doubt is held back": Check(
        "_reading.py",
        "            self._held = message\n",
        "            self._ready.append(message)\n",
        "test_reading_errors.py::test_mixed_up_messages_are_not_handed_out",
    ),
    "what is under way is read before another command": Check(
        "_session.py",
        "                yield from self.ahead.drain()\n",
        "                pass\n",
        "test_reading.py::test_other_commands",
    ),
    "what is under way is read before a NOOP": Check(
        "_keepalive.py",
        "            yield from session.ahead.drain()\n",
        "            pass\n",
        "test_keepalive.py::test_between_messages",
    ),
    "a secret that is cut off": Check(
        "_masking.py",
        "beginning = secret[:_TELLING]",
        "beginning = secret",
        "test_masking.py::test_what_shows",
    ),
    "repeated unique-ids": Check(
        "_listing.py",
        "        if self._ascends():\n",
        "        if True:\n",
        "test_listing.py::test_repeated",
    ),
    "repeated unique-ids, one after the other": Check(
        "_listing.py",
        "chain(before, values), following",
        "values, values[1:]",
        "test_listing.py::test_repeated",
    ),
    "LIST is asked once because of a refusal": Check(
        "_commands.py",
        "    session.gaps_sought = True\n",
        "",
        "test_gaps.py::test_a_message_that_is_only_refused",
    ),
}
