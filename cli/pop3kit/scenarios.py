"""``pop3kit scenarios``: the library of scenario files, and files of one's own."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ._failures import UsageFailure, printable, system_failure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pop3scenarios import ScenarioFile
    from pop3scenarios.tools import Kind


@click.group(short_help="List, show, compare, check and begin scenarios.")
def scenarios() -> None:
    """List, show, compare, check and begin scenario files."""


@scenarios.command("list", short_help="List the scenarios that the kit ships.")
@click.option("--json", "as_json", is_flag=True, help="An array of objects, for programs.")
def list_(as_json: bool) -> None:
    """List the scenarios that the kit ships, with their variants.

    Exit status: 0.
    """
    entries = list(_library())
    if as_json:
        click.echo(json.dumps(entries, indent=2, ensure_ascii=False))
        return
    width = max(len(str(entry["name"])) for entry in entries)
    for kind, group in groupby(entries, key=lambda entry: entry["kind"]):
        click.echo(f"{kind}/")
        for entry in group:
            click.echo(f"  {entry['name']:{width}}  {entry['summary']}")
            variants = entry["variants"]
            assert isinstance(variants, dict)
            for name, summary in variants.items():
                click.echo(f"  {'':{width}}    [{name}] {summary}")


def _library() -> Iterator[dict[str, object]]:
    from pop3scenarios import kind_of, shipped

    for name, path in shipped().items():
        file = _load_file(name)
        yield {
            "name": name,
            "kind": kind_of(path),
            "summary": file.summary,
            "variants": {key: each.summary for key, each in file.variants.items()},
            "breaks": file.breaks,
            "references": list(file.references),
            "path": str(path),
        }


def _load_file(name: str) -> ScenarioFile:
    from pop3scenarios import expand, load

    return load(expand(name)[0]).file


@scenarios.command(short_help="Show what a scenario comes to.")
@click.argument("name")
def show(name: str) -> None:
    """Show what a scenario comes to: all its layers merged, as YAML.

    NAME is a name, name[variant] or a file. Behind each part stands, as a comment, the file and the
    line it comes from. Of a file whose variant is not named, the file itself is shown.

    Exit status: 0; 64 there is no such scenario, or its file is wrong.
    """
    from pop3scenarios import expand, is_glob, load
    from pop3scenarios.tools import merged

    with _usage():
        references = [name] if is_glob(name) else expand(name)
        scenario = load(references[0])
    click.echo(printable(f"# {scenario.path}"))
    if scenario.variant is None or references == [name]:
        click.echo(printable(merged(scenario)), nl=False)
        return
    try:
        click.echo(printable(scenario.path.read_text(encoding="utf-8")))
    except OSError as error:
        raise system_failure("cannot read", scenario.path, error) from None
    click.echo(f"# {len(references)} variants; show one to see what it comes to:")
    click.echo(printable("\n".join(references)))


@scenarios.command(short_help="Tell in what two scenarios differ.")
@click.argument("first")
@click.argument("second")
@click.option("--json", "as_json", is_flag=True, help="An array of objects, for programs.")
@click.pass_context
def diff(context: click.Context, first: str, second: str, as_json: bool) -> None:
    """Tell in what two scenarios differ.

    FIRST and SECOND are names, name[variant] or files. Compared is what the layers of each come to:
    capabilities, server, tls, rules by what they select, maildrop, script and expect. "-" stands
    before what the first has, "+" before what the second has.

    Exit status: 0 they do the same; 1 they differ; 64 there is no such scenario; 74 their mail
    cannot be read.
    """
    from pop3scenarios import load
    from pop3scenarios.tools import contrast, contrast_text

    with _usage():
        scenarios = load(first), load(second)
    try:
        differences = contrast(*scenarios)
    except OSError as error:
        raise system_failure("cannot read mail of", f"{first} or {second}", error) from None
    if as_json:
        click.echo(json.dumps([asdict(each) for each in differences], indent=2, ensure_ascii=False))
    else:
        click.echo(printable(contrast_text(differences)), nl=False)
    context.exit(1 if differences else 0)


@scenarios.command(short_help="Tell all that is wrong with scenario files.")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True,
                type=click.Path(exists=True, path_type=Path))  # fmt: skip
@click.option("--strict", is_flag=True, help="Let warnings fail too.")
@click.option("--json", "as_json", is_flag=True, help="An array of objects, for programs.")
@click.pass_context
def lint(context: click.Context, paths: tuple[Path, ...], strict: bool, as_json: bool) -> None:
    """Tell everything that is wrong with scenario files, and what deserves a second look.

    A folder stands for all *.pop3.yaml files in it. Each finding is a line, file:line:column: error
    or warning: what it is, with a suggestion if there is one. Conversations in which nothing breaks
    are played as well: what the checker says against what the mock answers.

    Exit status: 0 all are right; 1 some are wrong; 64 wrong usage; 74 no mock can be started.
    """
    from ._linting import as_data, as_line, findings, severity

    files = list(_files(paths))
    try:
        found = findings(files)
    except OSError as error:
        raise system_failure("cannot play", "a conversation", error) from None
    if as_json:
        click.echo(json.dumps([as_data(each) for each in found], indent=2, ensure_ascii=False))
    else:
        for each in found:
            click.echo(printable(as_line(each)))
    errors = sum(severity(each) == "error" for each in found)
    warnings = len(found) - errors
    click.echo(f"{len(files)} file(s), {errors} error(s), {warnings} warning(s)", err=True)
    context.exit(1 if errors or (strict and warnings) else 0)


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = sorted(path.rglob("*.pop3.yaml"))
        if not found:
            raise UsageFailure(f"{path}: expected *.pop3.yaml files in the folder, got none")
        yield from found


@scenarios.command(short_help="Begin a scenario file that is right.")
@click.argument("name")
@click.option("--kind", type=click.Choice(["server", "quirk", "fault", "conversation"]),
              default="server", show_default=True, help="What to begin with.")  # fmt: skip
@click.option("--extends", metavar="SCENARIO", help="The scenario from which it departs.")
@click.option("--directory", type=click.Path(exists=True, file_okay=False, path_type=Path),
              default=Path(), show_default="here", help="Where the file goes.")  # fmt: skip
def new(name: str, kind: Kind, extends: str | None, directory: Path) -> None:
    """Begin a scenario file: NAME.pop3.yaml, right as it stands, with comments on how to go on.

    Prints the path of the file. A file that is there is not overwritten, and one that lint would
    reject is not begun.

    Exit status: 0; 64 the name cannot be one, the file is there, there is no such scenario to
    extend, or it has variants and none is named; 74 the file cannot be written.
    """
    from pop3scenarios.tools import starter

    with _usage():
        text = starter(name, kind, extends=extends)
        if extends is not None:
            _extended(extends, directory)
    path = directory / f"{name}.pop3.yaml"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
        with _clean_or_gone(path):
            click.echo(path)
    except FileExistsError:
        raise UsageFailure(f"{path} is there already: choose another name") from None
    except OSError as error:
        raise system_failure("cannot write", path, error) from None


def _extended(reference: str, directory: Path) -> None:
    """See to it that there is one scenario that is meant, as a file in this folder names it."""
    from pop3scenarios import ScenarioError, UnknownScenario, expand, is_glob

    if is_glob(reference):
        raise UnknownScenario(f"expected the name of one scenario, got the glob {reference!r}")
    try:
        references = expand(reference, beside=directory)
    except UnknownScenario:
        raise
    except ScenarioError:
        return  # it is wrong, which is told with its place once the file stands beside it
    if len(references) > 1:
        raise UnknownScenario(f"{reference!r} has variants: expected {' or '.join(references)}")


@contextmanager
def _clean_or_gone(path: Path) -> Iterator[None]:
    """Go on if lint finds nothing in a file; else take it away again and say what it finds."""
    from ._linting import as_line, findings

    try:
        found = findings([path])
        if found:
            reasons = "\n".join(map(as_line, found))
            raise UsageFailure(f"not begun, since lint would reject it:\n{reasons}")
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


@scenarios.command(short_help="Print the JSON Schema of scenario files.")
@click.option("--path", "as_path", is_flag=True, help="Only where the installed file is.")
def schema(as_path: bool) -> None:
    """Print the JSON Schema of scenario files, with which an editor completes and explains them.

    Write it to a file and name that in the first line of a scenario:
    "# yaml-language-server: $schema=pop3.schema.json".

    Exit status: 0.
    """
    from pop3scenarios.tools import SCHEMA_FILE, schema_text

    click.echo(str(SCHEMA_FILE) + "\n" if as_path else schema_text(), nl=False)


@scenarios.command(short_help="Print the reference of the language.")
def reference() -> None:
    """Print the reference of the scenario language, in Markdown.

    Every key with its notation, default, meaning and an example; holes, actions and warnings.

    Exit status: 0.
    """
    from pop3scenarios.tools import reference

    click.echo(reference(), nl=False)


@contextmanager
def _usage() -> Iterator[None]:
    """A scenario that is unknown or wrong, or a name that can be none, is wrong usage."""
    try:
        yield
    except ValueError as error:
        raise UsageFailure(str(error)) from None
