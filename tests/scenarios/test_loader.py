"""Loading a scenario with all it is made of, and how its layers lie over each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pop3scenarios import ScenarioError, UnknownScenario, check, load, loads

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "pop3: 1\nname: x\nsummary: s\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, name: str, text: str = "") -> Path:
    """Write a scenario file called after its scenario."""
    path = folder / f"{name}.pop3.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"pop3: 1\nname: {path.name.removesuffix('.pop3.yaml')}\nsummary: s\n{text}")
    return path


def problems(reference: str) -> list[str]:
    """The problems for which a scenario does not load."""
    with pytest.raises(ScenarioError) as caught:
        load(reference)
    return [str(problem) for problem in caught.value.problems]


def layer_names(reference: str) -> list[str]:
    """The layers of a scenario, the strongest first."""
    return [layer.name for layer in load(reference).layers]


# Layers and their order


def test_everything_extends_default() -> None:
    """A file that extends nothing extends ``default``; that one extends nothing."""
    assert [layer.name for layer in loads(HEAD).layers] == ["x", "default"]
    assert layer_names("default") == ["default"]


def test_own_file_called_default(folder: Path) -> None:
    """A file of the user's own that is called default is not the shipped one."""
    write(folder, "default")

    assert layer_names("./default") == ["default", "default"]
    assert "alice" in load("./default").users


def test_order_of_layers(folder: Path) -> None:
    """Variant, file, the variant's quirks, the file's quirks with theirs, then what it extends."""
    write(folder, "q1", "quirks: [q2]\n")
    write(folder, "q2")
    write(folder, "q3")
    write(folder, "q4")
    write(folder, "base", "quirks: [q4]\nextends: root\n")
    write(folder, "root")
    write(folder, "top", "extends: base\nquirks: [q1]\nvariants: {v: {quirks: [q3]}, w: {}}\n")

    expected = ["top[v]", "top", "q3", "q1", "q2", "base", "q4", "root", "default"]
    assert expected == layer_names("./top[v]")
    assert load("./top[v]").quirks == ("q3", "q1", "q2", "q4")


def test_extends_a_variant(folder: Path) -> None:
    """What is extended may be a variant; then its file is below it."""
    write(folder, "base", "variants: {a: {server: {greeting: A}}, b: {}}\nserver: {lock: none}\n")
    write(folder, "top", "extends: base[a]\n")

    scenario = load("./top")

    assert [layer.name for layer in scenario.layers] == ["top", "base[a]", "base", "default"]
    assert scenario.server.greeting is not None
    assert (scenario.server.greeting.source, scenario.server.lock) == ("A", "none")


def test_quirk_with_variant(folder: Path) -> None:
    """A quirk may be a variant; its own quirks hold too, and each file holds once."""
    write(folder, "q", "variants: {a: {quirks: [r]}, b: {}}\n")
    write(folder, "r", "quirks: [r, top]\n")
    write(folder, "top", "quirks: ['q[a]', r, 'q[a]']\n")

    assert layer_names("./top") == ["top", "q[a]", "q", "r", "default"]


def test_quirk_called_like_its_user(folder: Path) -> None:
    """A shipped quirk holds also in a file of the user's own that has its name."""
    write(folder, "no-last", "quirks: [no-last]\n")

    assert layer_names("./no-last") == ["no-last", "no-last", "default"]


def test_quirks_in_a_circle_end(folder: Path) -> None:
    """Quirks that name each other hold once each."""
    write(folder, "a", "quirks: [b]\n")
    write(folder, "b", f"quirks: ['../{folder.name}/a', b]\n")
    write(folder, "top", "quirks: [a]\n")

    assert layer_names("./top") == ["top", "a", "b", "default"]
    assert layer_names("./a") == ["a", "b", "default"]


# Merging


def test_fields_merge_one_by_one(folder: Path) -> None:
    """Each field of a section comes from the strongest layer that sets it."""
    write(folder, "q", "server: {lock: none, greeting: Q}\ntls: {certificate: expired}\n")
    write(
        folder,
        "top",
        "quirks: [q]\nserver: {greeting: T}\nvariants: {v: {tls: {minimum: TLSv1.3}}}\n",
    )

    scenario = load("./top[v]")

    assert scenario.server.greeting is not None
    assert scenario.server.greeting.source == "T"
    assert scenario.server.lock == "none"
    assert {"alice", "bob"} == set(scenario.users)
    assert (
        scenario.tls.mode,
        scenario.tls.certificate,
        scenario.tls.minimum,
    ) == ("stls", "expired", "TLSv1.3")


@pytest.mark.parametrize(
    ("entries", "first", "without"),
    [
        ("[]", (), "TOP"),
        ("[TOP, X-FOO a b]", ("TOP", "X-FOO a b"), "UIDL"),
        ("[-TOP, -uidl]", ("USER",), "UIDL"),
        ("[+SASL PLAIN]", ("TOP", "UIDL", "USER", "SASL PLAIN"), "SASL PLAIN LOGIN CRAM-MD5"),
        ("[-NEVER-THERE]", ("TOP", "UIDL"), "NEVER-THERE"),
    ],
)
def test_capabilities(entries: str, first: tuple[str, ...], without: str) -> None:
    """A plain list stands instead of what is inherited; signed entries change it."""
    capabilities = loads(HEAD + f"server: {{capabilities: {entries}}}\n").server.capabilities

    assert capabilities is not None
    assert first == capabilities[: len(first)]
    assert without not in capabilities
    assert bool(first) == bool(capabilities)


def test_capabilities_through_layers(folder: Path) -> None:
    """Signed entries of each layer change what the weaker ones left."""
    write(folder, "q", "server: {capabilities: [TOP, EXPIRE 5]}\n")
    write(folder, "top", "quirks: [q]\nserver: {capabilities: [+UTF8, -TOP, +expire 9]}\n")

    assert load("./top").server.capabilities == ("expire 9", "UTF8")


def test_mail_and_expectations_of_quirks_do_not_count(folder: Path) -> None:
    """What a quirk brings for its own test is not the business of who mixes it in."""
    own = "maildrop: [{raw: q}]\nexpect: {never: [USER], fetch: {ends: partial}}\n"
    write(folder, "q", own + "rules: [{when: A}]\nscript: |\n  S: +OK\n")
    write(folder, "top", "quirks: [q]\n")

    scenario, alone = load("./top"), load("./q")

    assert load("default").mail("alice") == scenario.mail("alice")
    assert scenario.expect.never == ()
    assert scenario.expect.fetch.ends == "complete"
    assert scenario.script is None
    assert scenario.script_line == 0
    assert len(scenario.rules) == 1
    assert [mail.data for mail in alone.mail("alice")] == [b"q"]
    assert (alone.expect.fetch.ends, alone.expect.fetch.mode) == ("partial", "retr")
    assert alone.script is not None


def test_mail_of_users(folder: Path) -> None:
    """A user's own mail, else everyone's, from the strongest layer that has either."""
    write(folder, "base", "maildrops: {alice: [{raw: a}], bob: []}\n")
    write(folder, "top", "extends: base\nmaildrops: {bob: [{raw: b}]}\n")
    write(folder, "all", "extends: base\nmaildrop: [{raw: c}]\n")

    def mail(reference: str, user: str) -> list[bytes]:
        return [mail.data for mail in load(reference).mail(user)]

    assert (mail("./top", "alice"), mail("./top", "bob")) == ([b"a"], [b"b"])
    assert (mail("./all", "alice"), mail("./all", "bob")) == ([b"c"], [b"c"])


def test_rules_stay_in_their_layers(folder: Path) -> None:
    """The mock asks layer by layer, and knows from which file a rule comes."""
    write(folder, "q", "rules: [{when: A}]\n")
    write(folder, "top", "quirks: [q]\nrules: [{when: A}, {when: B}]\n")

    rules = load("./top").rules

    assert [[str(r.source) for r in layer] for layer in rules] == [["top:5", "top:5"], ["q:4"]]
    assert [layer[0].source.file for layer in rules] == ["./top.pop3.yaml", "q.pop3.yaml"]


def test_names_and_summaries() -> None:
    """A variant has a name of its own, and a summary if it gives one."""
    text = HEAD + "variants: {a: {summary: of a}, b: {}}\n"

    assert (loads(text, variant="a").name, loads(text, variant="a").summary) == ("x[a]", "of a")
    assert (loads(text, variant="b").name, loads(text, variant="b").summary) == ("x[b]", "s")


# What does not load


@pytest.mark.parametrize(
    ("variant", "message"),
    [
        (None, r"'x' has variants and none was named \(write x\[one\] or x\[two\]\)"),
        ("tow", r"'x' has no variant 'tow' \(did you mean 'two'\?\)"),
        ("zzz", r"'x' has no variant 'zzz' \(it has one, two\)"),
    ],
)
def test_variant_that_is_not_there(variant: str | None, message: str) -> None:
    """A file with variants is played in one of them, and the error says which there are."""
    with pytest.raises(UnknownScenario, match=message):
        loads(HEAD + "variants: {one: {}, two: {}}\n", variant=variant)


def test_variant_named_twice() -> None:
    """A variant in brackets and another one beside them are a contradiction."""
    assert load("stls-broken[expired]", "expired").variant == "expired"

    with pytest.raises(UnknownScenario, match=r"'stls-broken\[expired\]' names the variant 'exp.*"):
        load("stls-broken[expired]", "refused")


def test_variant_of_a_file_without() -> None:
    """A file without variants has none to name."""
    with pytest.raises(UnknownScenario, match=r"'x' has no variant 'a' \(it has none\)"):
        loads(HEAD, variant="a")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("quirks: [no-lst]", "t.pop3.yaml:4:10: unknown quirk 'no-lst' (did you mean 'no-last'?)"),
        (
            "extends: defalt",
            "t.pop3.yaml:4:10: unknown scenario 'defalt' (did you mean 'default'?)",
        ),
        ("quirks:\n  - no-apop\n  - ./q", "t.pop3.yaml:6:5: there is no file ./q"),
        ("quirks: ['']", "t.pop3.yaml:4:10: '' is no quirk: expected name, name[variant] or a"),
        ("quirks: ['no-last[a]']", "t.pop3.yaml:4:10: 'no-last' has no variant 'a' (it has none)"),
        ("extends: 'default[a]'", "t.pop3.yaml:4:10: 'default' has no variant 'a' (it has none)"),
        ("quirks: [stls-broken]", "t.pop3.yaml:4:10: 'stls-broken' has variants and none was"),
        ("quirks: ['stls-broken[expird]']", "t.pop3.yaml:4:10: 'stls-broken' has no variant"),
        ("variants: {a: {quirks: [zz]}}", "t.pop3.yaml:4:25: unknown quirk 'zz'"),
        ("quirks: [~nobody-has-this-name/x]", "t.pop3.yaml:4:10: there is no file ~nobody"),
        ("quirks: [/]", "t.pop3.yaml:4:10: there is no file /"),
        ("extends: ./t", "t.pop3.yaml:4:10: extends goes in a circle"),
    ],
)
def test_reference_to_nothing(folder: Path, text: str, expected: str) -> None:
    """A file that is named and not there is told where it is named."""
    write(folder, "t", text + "\n")

    (found,) = problems("t.pop3.yaml")

    assert expected == found[: len(expected)]


def test_problem_names_the_file_it_is_in(folder: Path) -> None:
    """A problem in a quirk is told under the quirk's path, as seen from the working directory."""
    write(folder, "sub/q", "rules: [{when: A, cut: x}]\nquirks: [r]\n")
    write(folder, "sub/r", "bad: 1\n")
    write(folder, "top", "quirks: [./sub/q]\nworse: 1\n")

    assert [line.partition(" (")[0] for line in problems("top.pop3.yaml")] == [
        "sub/q.pop3.yaml:4:24: expected a whole number, got 'x'",
        "sub/r.pop3.yaml:4:1: unknown key 'bad'",
        "top.pop3.yaml:5:1: unknown key 'worse'",
    ]


def test_problem_in_a_quirk_of_a_text(folder: Path) -> None:
    """A text's quirks are looked up from the working directory."""
    write(folder, "q", "bad: 1\n")

    with pytest.raises(ScenarioError, match=r"^q\.pop3\.yaml:4:1: unknown key 'bad'"):
        loads(HEAD + "quirks: [q]\n")


def test_problem_under_an_absolute_path(folder: Path) -> None:
    """A file that is named by an absolute path is told by it."""
    path = write(folder, "q", "bad: 1\n")

    with pytest.raises(ScenarioError) as caught:
        loads(HEAD + f"quirks: [{path}]\n")

    assert [str(path)] == [problem.file for problem in caught.value.problems]


@pytest.mark.parametrize("way", ["b", "./b", "../{}/b"])
def test_extends_in_a_circle(folder: Path, way: str) -> None:
    """Files that extend each other in the end are told, wherever they meet, and end."""
    write(folder, "a", f"extends: {way.format(folder.name)}\n")
    write(folder, "b", "extends: a\n")
    write(folder, "c", "extends: a\n")

    for name in ("a", "b", "c"):
        found = problems(f"{name}.pop3.yaml")
        assert all(line.endswith(":4:10: extends goes in a circle") for line in found)
        assert {"a.pop3.yaml", "b.pop3.yaml"} == {
            line.split(":")[0].split("/")[-1] for line in found
        }


def test_check_tells_what_load_raises(folder: Path) -> None:
    """``check`` gives the problems of a file and of all its files, and raises nothing."""
    write(folder, "q", "bad: 1\n")
    path = write(folder, "top", "quirks: [q, nothing]\nvariants: {a: {quirks: [nix]}}\n")

    found = [f"{problem.file}:{problem.line}" for problem in check(path)]

    assert [f"{folder}/q.pop3.yaml:4", f"{path}:4", f"{path}:5"] == found
    assert check(write(folder, "fine", "variants: {a: {}, b: {}}\n")) == []


def test_check_of_what_cannot_be_read(folder: Path) -> None:
    """No file, a folder, and octets that are no text are problems as well."""
    (folder / "latin.pop3.yaml").write_bytes(b"pop3: 1\nname: x\xff\n")

    assert [str(problem) for problem in check(folder.relative_to(folder) / "gone.yaml")] == [
        "gone.yaml:1:1: cannot be read: No such file or directory"
    ]
    assert "cannot be read: " in str(check(folder)[0])
    assert problems("./latin") == ["./latin.pop3.yaml:2:8: not UTF-8: the octet 0xff"]


def test_file_with_crlf_and_byte_order_mark(folder: Path) -> None:
    """What Windows editors write is read like anything else."""
    text = HEAD + "rules:\n  - when: RETR\n    reply: |\n      +OK\n      .\n"
    (folder / "x.pop3.yaml").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())

    (rule,) = load("./x").file.rules

    assert rule.reply is not None
    assert rule.reply.source == "+OK\n.\n"


def test_errors_are_value_errors() -> None:
    """One class catches all that can be wrong with a scenario."""
    assert issubclass(UnknownScenario, ScenarioError)
    assert issubclass(ScenarioError, ValueError)
