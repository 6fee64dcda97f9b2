"""What is wrong with an integration's sentences: lint."""

import sys

from flows.cli.app import Label, app, say
from flows.errors import Spoken
from flows.lint import lint as of_folder
from flows.settings import Settings


class SentencesWrong(Spoken):
    """Sentences have findings, which were told line by line. One line."""


@app.command()
def lint(label: Label) -> None:
    """Tell what is wrong with the sentences: contradictory, vague, impossible for the target, …"""
    found = of_folder(Settings().deployments, label)
    for one in found:
        say(str(one))
    if found:
        sys.stdout.flush()
        raise SentencesWrong(
            f"{len(found)} finding{'' if len(found) == 1 else 's'}; correct each and lint again"
        )
    say(f"{label}: nothing is wrong with its sentences")
