"""``cornu completion SHELL``: a script that completes commands and options, made from the parser itself."""

import argparse
from typing import NamedTuple

from cornu.cli.train import find_examples


class Command(NamedTuple):
    """What can follow a command: its options with their help, and its choices."""

    name: str
    help: str
    options: list[tuple[str, str]]
    words: list[str]


def command(options: argparse.Namespace) -> int:
    """Print the script for the shell that `options` name."""
    found = commands_of(options.parser)
    print({"bash": bash, "zsh": zsh, "fish": fish}[options.shell](found), end="")
    return 0


def commands_of(parser: argparse.ArgumentParser) -> list[Command]:
    """Return the commands of a parser; the first, without a name, is the program itself."""
    choosers = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    found = [Command("", "", _options(parser), [name for chooser in choosers for name in chooser.choices])]
    for chooser in choosers:
        helps = {action.dest: action.help or "" for action in chooser._choices_actions}
        for name, inner in chooser.choices.items():
            words = [str(word) for a in inner._actions if not a.option_strings for word in a.choices or ()]
            words += find_examples() if name == "train" else []
            found.append(Command(name, helps.get(name, ""), _options(inner), words))
    return found


def _options(parser: argparse.ArgumentParser) -> list[tuple[str, str]]:
    return [(name, a.help or "") for a in parser._actions for name in a.option_strings if name.startswith("--")]


def bash(commands: list[Command]) -> str:
    """Return the script for bash: it completes the command's options and choices, else files."""
    cases = "".join(
        f'    {one.name}) words="{" ".join([*one.words, *(name for name, _ in one.options)])}" ;;\n'
        for one in commands[1:]
    )
    first = " ".join([*commands[0].words, *(name for name, _ in commands[0].options)])
    return f"""_cornu() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" words
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "{first}" -- "$current"))
    return
  fi
  case "${{COMP_WORDS[1]}}" in
{cases}    *) words="" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [ "${{#COMPREPLY[@]}}" -eq 0 ]; then
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}}
complete -o filenames -F _cornu cornu
"""


def zsh(commands: list[Command]) -> str:
    """Return the script for zsh, with a short help for each entry."""
    cases = "".join(
        f"    {one.name}) options=({_described(one.options)}) choices=({' '.join(one.words)}) ;;\n"
        for one in commands[1:]
    )
    first = _described([(one.name, one.help) for one in commands[1:]])
    return f"""autoload -U +X compinit && compinit
_cornu() {{
  local -a commands options choices
  commands=({first})
  options=({_described(commands[0].options)})
  case $words[2] in
{cases}  esac
  if [[ $PREFIX == -* ]]; then
    _describe -o option options
  elif (( CURRENT == 2 )); then
    _describe command commands
  elif (( $#choices )); then
    _describe argument choices
  else
    _files
  fi
}}
compdef _cornu cornu
"""


def _described(entries: list[tuple[str, str]]) -> str:
    """Return words and their help in the format of zsh's ``_describe``."""
    return " ".join("'" + f"{name}:{said}".replace("'", "'\\''") + "'" for name, said in entries)


def fish(commands: list[Command]) -> str:
    """Return the script for fish, with a short help for each entry."""
    lines = []
    for name, said in commands[0].options:
        lines.append(f"complete -c cornu -n __fish_use_subcommand -l {name[2:]} -d {_quoted(said)}")
    for one in commands[1:]:
        lines.append(f"complete -c cornu -n __fish_use_subcommand -a {one.name} -d {_quoted(one.help)}")
        condition = f"-n '__fish_seen_subcommand_from {one.name}'"
        lines += [f"complete -c cornu {condition} -l {name[2:]} -d {_quoted(said)}" for name, said in one.options]
        if one.words:
            lines.append(f"complete -c cornu -f {condition} -a {_quoted(' '.join(one.words))}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
