"""`completion`: names in the shell by the tab key; and what each word of a command may be."""

from __future__ import annotations

from collections.abc import Iterator

import click
from click.shell_completion import CompletionItem, get_completion_class

from tariffsim.cli.screen import Command, Screen, usage_error

SHELLS = ("bash", "zsh", "fish")
HOW = {
    "bash": 'eval "$(tariffsim completion bash)"',
    "zsh": 'eval "$(tariffsim completion zsh)"',
    "fish": "tariffsim completion fish | source",
}
"""What a start file of each shell has to contain."""


@click.command(cls=Command, order=165, short_help="Print the script that completes names.")
@click.argument("shell", type=click.Choice(SHELLS), metavar="SHELL")
@click.pass_context
def completion(ctx: click.Context, screen: Screen, shell: str) -> None:
    """Print the script with which a shell completes commands, options and names of scenarios.

    SHELL is bash, zsh or fish. Add the line below to its start file.

    Examples:
      eval "$(tariffsim completion bash)"
      tariffsim completion fish > ~/.config/fish/completions/tariffsim.fish
    """
    kind, root = get_completion_class(shell), ctx.find_root()
    if kind is None:
        raise usage_error(f"there is no completion for {shell}")
    script = kind(root.command, {}, "tariffsim", "_TARIFFSIM_COMPLETE").source()
    screen.show(script, {"shell": shell, "script": script})
    screen.remark(f"# in the start file of {shell}:  {HOW[shell]}")


class _Named(click.types.StringParamType):
    """A word taken as it is; a shell offers names for it."""

    def names(self) -> Iterator[tuple[str, str]]:
        """What may be meant, with a word of help."""
        raise NotImplementedError

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The names that begin so."""
        return [
            CompletionItem(n, help=told) for n, told in self.names() if n.startswith(incomplete)
        ]


class _ScenarioName(_Named):
    def names(self) -> Iterator[tuple[str, str]]:
        from tariffsim.scenario.scenario_files import shipped_names

        yield from ((name, "shipped scenario") for name in shipped_names())

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Shipped scenarios that begin so, and files."""
        files = CompletionItem(incomplete, type="file")
        return [*super().shell_complete(ctx, param, incomplete), files]


class _Key(_Named):
    def names(self) -> Iterator[tuple[str, str]]:
        from tariffsim.scenario import catalogue

        yield from ((parameter.key, parameter.unit) for parameter in catalogue.parameters())


SCENARIO, KEY = _ScenarioName(), _Key()
"""A scenario: its file, or the name of a shipped one; a value of one by its key."""
