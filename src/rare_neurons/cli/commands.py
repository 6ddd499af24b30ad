"""The commands, each a few words to the function that does its work."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from typer.core import TyperCommand

from rare_neurons import check as checking
from rare_neurons.cli.engine import CONFIG, command, run_asked, run_plainly, run_shown
from rare_neurons.cli.own import Wanted, written_config
from rare_neurons.compact import compact_shards
from rare_neurons.errors import RequestError

app = typer.Typer(
    help="When and how neurons of a language model specialise on rare tokens, over training checkpoints.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
_PASSED = {"allow_extra_args": True, "ignore_unknown_options": True}
_PASSED_HELP = " Arguments that are not known here are Snakemake's."
Configs = Annotated[
    list[Path] | None,
    typer.Option("--configfile", help=f"Configuration, the lowest layer first; {CONFIG} by default. Repeatable."),
]


def _each_named(words: list[str]) -> list[str]:
    """Name the option before each of the files that follow one another, as Snakemake has it: --configfile A B."""
    found: list[str] = []
    for word in words:
        follows = found[-2:-1] == ["--configfile"] or "".join(found[-1:]).startswith("--configfile=")
        found += ["--configfile", word] if follows and word.endswith((".yaml", ".yml")) else [word]
    return found


class _Passing(TyperCommand):
    """A command whose unknown arguments are Snakemake's: what follows ``--`` stays behind it."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:
        at = args.index("--") if "--" in args else len(args)
        super().parse_args(ctx, _each_named(args[:at]))
        ctx.args += args[at:]
        return ctx.args


@contextmanager
def _refused() -> Iterator[None]:
    """End a command with the sentence of a wrong request."""
    try:
        yield
    except (RequestError, ConnectionError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None


def _before(words: list[str]) -> list[str]:
    """Return what stands before a target: the end of the options, once."""
    return [] if "--" in words else ["--"]


def _passing(words: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a command whose unknown arguments are Snakemake's, and say so in its help."""
    return app.command(cls=_Passing, context_settings=_PASSED, help=words + _PASSED_HELP)


@app.command()
def init(
    model: Annotated[
        str | None,
        typer.Argument(help="A folder of checkpoints, or owner/name of a Hub model; a small model of its own without."),
    ] = None,
    text: Annotated[
        list[str] | None, typer.Option("--text", help="Text the model has not seen: files or patterns. Repeatable.")
    ] = None,
    tokenizer: Annotated[
        str | None, typer.Option(help="Folder with the model's tokenizer.json, or a Hub repository that has it.")
    ] = None,
    spectra: Annotated[
        bool, typer.Option("--spectra", help="The weights' spectra alone, which need neither text nor tokenizer.")
    ] = False,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")] = Path(CONFIG),
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
) -> None:
    """Write a configuration: for a folder of checkpoints, a Hub model, or a small model that is trained here."""
    with _refused():
        if output.exists() and not force:
            raise RequestError(f"{output} is there already; name another with --output, or replace it with --force")
        written = written_config(Wanted(model, tuple(text or ()), tokenizer, spectra))
        output.write_text(written, encoding="utf-8")
    more = "" if output == Path(CONFIG) else f" --configfile {output}"
    typer.echo(f"{output} is written. See what it asks for: rare-neurons plan{more}; run it: rare-neurons run{more}")


@_passing("Print what a run would fetch, measure, cost and be able to say.")
def plan(
    context: typer.Context,
    configfile: Configs = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Call the rule `plan`, or the one that prints JSON."""
    with _refused():
        target = "plan_json" if as_json else "plan"
        words = command(configfile or [], ["--cores", "1", *context.args], Path.cwd())
        raise typer.Exit(run_asked([*words, *_before(context.args), target], Console(stderr=True)))


@_passing("Measure: Snakemake with the workflow and its profile.")
def run(
    context: typer.Context,
    configfile: Configs = None,
    plain: Annotated[bool, typer.Option("--plain", help="Snakemake's own output.")] = False,
) -> None:
    """Call Snakemake."""
    with _refused():
        words = command(configfile or [], context.args, Path.cwd())
        raise typer.Exit(run_plainly(words) if plain else run_shown(words, Console(stderr=True)))


@_passing("Write the atlas: all results on one page, to be explored.")
def atlas(context: typer.Context, configfile: Configs = None) -> None:
    """Call the rule `atlas`, with whatever it still needs."""
    with _refused():
        words = command(configfile or [], [*context.args, *_before(context.args), "atlas"], Path.cwd())
        raise typer.Exit(run_shown(words, Console(stderr=True)))


@_passing("Write Snakemake's report of a finished run.")
def report(
    context: typer.Context,
    configfile: Configs = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write: .html or .zip.")] = Path(
        "report.html"
    ),
) -> None:
    """Call Snakemake's report."""
    with _refused():
        words = command(configfile or [], ["--quiet", "all", "--report", str(output), *context.args], Path.cwd())
        status = run_plainly(words)
        if status == 0:
            typer.echo(f"{output} is written")
        raise typer.Exit(status)


@app.command()
def compact(
    results: Annotated[Path, typer.Argument(help="The results folder.")] = Path("results"),
    table: Annotated[list[str] | None, typer.Option("--table", help="All by default. Repeatable.")] = None,
    model: Annotated[list[str] | None, typer.Option("--model", help="All by default. Repeatable.")] = None,
) -> None:
    """Put all shards of a table and model into one file, which loaders take while the shards stay as they are."""
    with _refused():
        written = compact_shards(results, tables=table or None, models=model or None)
    typer.echo(f"{len(written)} files are written in {results / 'compact'}; without them the shards are read")


@app.command(
    context_settings={**_PASSED, "help_option_names": []},
    help="Check a results folder: is every file there, whole, and what its configuration asks for?",
)
def check(context: typer.Context) -> None:
    """Hand all arguments to `rare_neurons.check`; the folder is ``results`` where none is named."""
    words = context.args
    with _refused():
        raise typer.Exit(checking.main(words if words and not words[0].startswith("--") else ["results", *words]))
