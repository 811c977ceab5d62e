"""What can be wrong with a template, and what can't be known yet."""

from __future__ import annotations


class TemplateError(Exception):
    """The template, or what was given to it, makes no sense; `code` is ARM's own (L13)."""

    def __init__(self, message: str, *, code: str = "InvalidTemplate", expression: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.expression = expression


class Deferred(Exception):  # noqa: N818 - not an error: an answer that will come
    """Only a deployment that runs knows this (`reference(..)`, `list..(..)`)."""

    def __init__(self) -> None:
        super().__init__()
        self.expression: str | None = None
