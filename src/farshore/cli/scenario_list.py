"""`--scenario list`: the words of scenarios by question, what each says, and how names are joined."""

from __future__ import annotations

from typing import Any

from farshore.cli.views.human import style
from farshore.cli.views.lines import hanging
from farshore.cli.views.table import table
from farshore.plan.scenario.scenario import JOIN, PUBLISHED, Scenario, default_word, questions
from farshore.plan.scenario.words import QUESTIONS, TITLES

HOW = (
    f"A name is words joined by {JOIN}, at most one of each question, in any order: grey{JOIN}cold{JOIN}stay. What"
    f" is not said is the default; {PUBLISHED} is all defaults. In zone, appliance and maintenance machines are stopped"
    " first: planned is the default there. farshore plan --scenario NAME says why where words make no sense together."
)


def scenario_list() -> tuple[dict[str, Any], str]:
    """The list as JSON and as text."""
    lines = [*hanging(HOW, 0), "", *table(("", ""), [(PUBLISHED, Scenario().title)])[1:]]
    told = []
    for question, words in questions().items():
        default = default_word(question)
        answers = [{"word": word.value, "title": TITLES[word], "default": word is default} for word in words]
        told.append(
            {
                "question": question,
                "asks": QUESTIONS[question],
                "default": None if default is None else default.value,
                "answers": answers,
            }
        )
        unsaid = ("", "otherwise: as farshore.yaml says (link)")
        rows = [(word.value + (" *" if word is default else ""), TITLES[word]) for word in words]
        lines += ["", style(f"{question}: {QUESTIONS[question]}", "strong")]
        lines += table(("", ""), rows if default is not None else [*rows, unsaid])[1:]
    document = {
        "join": JOIN,
        "how": HOW,
        "default": PUBLISHED,
        "title": Scenario().title,
        "questions": told,
    }
    return document, "\n".join([*lines, "", "* the default"])
