"""``pop3kit scenarios``: the library of scenario files, and files of one's own."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ._failures import UsageFailure, printable, system_failure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pop3scenarios import Problem, Scenario, ScenarioFile


@click.group()
def scenarios() -> None:
    """List, show and check scenario files."""


@scenarios.command("list")
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


@scenarios.command()
@click.argument("name")
def show(name: str) -> None:
    """Show a scenario: its file, and what it is made of.

    NAME is a name, name[variant] or a file. Below the file stand its layers, the strongest first,
    the server that they make together, and every rule with the file and the line it comes from.

    Exit status: 0; 64 there is no such scenario, or its file is wrong.
    """
    from pop3scenarios import ScenarioError, expand, load

    try:
        references = [name] if set(name) & set("*?") else expand(name)
        scenario = load(references[0])
    except ScenarioError as error:
        raise UsageFailure(str(error)) from None
    try:
        click.echo(printable(scenario.path.read_text(encoding="utf-8")))
    except OSError as error:
        raise system_failure("cannot read", scenario.path, error) from None
    if scenario.variant is not None and references != [name]:
        click.echo(f"# {len(references)} variants; show one to see what it is made of:")
        click.echo("\n".join(references))
        return
    click.echo(printable("\n".join(_composition(scenario))))


def _composition(scenario: Scenario) -> Iterator[str]:
    from ._notation import section_lines

    yield f"# {scenario.name} ({scenario.path}) is made of, the strongest first:"
    for layer in scenario.layers:
        yield f"{layer.name}{' (quirk)' if layer.quirk else ''}"
    for title, section in (("server", scenario.server), ("tls", scenario.tls)):
        yield f"\n# together, {title}:"
        yield from section_lines(section)
    yield "\n# rules; of each file the first that matches holds, and the stronger file wins:"
    for rule in (rule for rules in scenario.rules for rule in rules):
        yield f"{rule.source.scenario} ({rule.source.file}:{rule.source.line})"
        yield from (f"  {line}" for line in section_lines(rule))
    yield "\n# what is expected of clients:"
    yield from section_lines(scenario.expect)


@scenarios.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True,
                type=click.Path(exists=True, path_type=Path))  # fmt: skip
@click.pass_context
def lint(context: click.Context, paths: tuple[Path, ...]) -> None:
    """Tell everything that is wrong with scenario files.

    A folder stands for all *.pop3.yaml files in it. Each problem is a line, file:line:column, with
    a suggestion if there is one.

    Exit status: 0 all are right; 1 some are wrong; 64 wrong usage.
    """
    from pop3scenarios import check

    files = list(_files(paths))
    # Files that share a quirk share its problems.
    problems: dict[Problem, None] = dict.fromkeys(p for file in files for p in check(file))
    for problem in problems:
        click.echo(printable(str(problem)))
    click.echo(f"{len(files)} file(s), {len(problems)} problem(s)", err=True)
    context.exit(1 if problems else 0)


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = sorted(path.rglob("*.pop3.yaml"))
        if not found:
            raise UsageFailure(f"{path}: expected *.pop3.yaml files in the folder, got none")
        yield from found
