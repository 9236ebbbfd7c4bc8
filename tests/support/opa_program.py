"""The real `opa` as a program: each call is one short process."""

import json
import subprocess
from pathlib import Path
from typing import Any

ASK = """{name: answers |
    some name, questions in input
    answers := [answer |
        some question in questions
        answer := {
            "decision": data.gateway.decision.answer,
            "listing": data.gateway.listing.answer,
            "admin": data.gateway.admin.answer,
            "passage": data.gateway.passage.answer,
        }[name] with input as question
    ]
}"""
"""Each question by the name of its entrypoint; one evaluation answers them all, in their order."""


class Opa:
    """The program at a path."""

    def __init__(self, binary: Path) -> None:
        self._binary = binary

    def run(self, *arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Its exit code and what it said."""
        command = [str(self._binary), *map(str, arguments)]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=100)

    def output(self, *arguments: str | Path, stdin: str = "") -> Any:
        """Its output as JSON. AssertionError with its words if it failed."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def ask(self, tree: Path, questions: dict[str, list[Any]]) -> dict[str, list[Any]]:
        """The answers to questions by entrypoint, from one process; an undefined answer is missing."""
        done = self.output(
            "eval",
            "--format",
            "json",
            "--stdin-input",
            "--data",
            f"gateway:{tree}",
            ASK,
            stdin=json.dumps(questions),
        )
        answers: dict[str, list[Any]] = done["result"][0]["expressions"][0]["value"]
        return answers
