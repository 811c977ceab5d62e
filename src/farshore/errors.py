"""What can go wrong, and whose fault it is.

    FarshoreError
    ├── InputError          the caller's file or flag: where, what, what was expected, what to do
    ├── ArmError            Azure answered no: .fault has code, message, target, details
    ├── TransportError      no answer, or half of one
    ├── JournalError        what we wrote is not what we can read
    └── HeldError           another process is at work on the same project

A finding is not an error: it is a result of `assess`. An unsafe plan is not an error either: it is what
`prove` has to say. The command line turns these into one message and exit status 1 (docs/reference/commands.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class FarshoreError(Exception):
    """The root: every error that Farshore raises on purpose."""

    code = "Error"

    def as_json(self) -> dict[str, Any]:
        """The error of docs/reference/schemas.md: code, message, file, line, value, expected, remedy."""
        return {
            "code": self.code,
            "message": str(self),
            "file": None,
            "line": None,
            "value": None,
            "expected": None,
            "remedy": None,
        }


class InputError(FarshoreError):
    """Bad input. `message` says what is wrong in a sentence; the rest say where and what would be right."""

    code = "InputError"

    def __init__(
        self,
        message: str,
        *,
        file: str | None = None,
        line: int | None = None,
        value: object = None,
        expected: str | None = None,
        remedy: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.line = line
        self.value = value
        self.expected = expected
        self.remedy = remedy
        if code is not None:
            self.code = code
        # A traceback shows notes: whoever uses the library sees what the command line says in lines of its own.
        told = {"where": file, "line": line, "value": value, "expected": expected, "remedy": remedy}
        for what, text in told.items():
            if text is not None:
                self.add_note(f"{what}: {text}")

    def at(self, file: str | None = None, line: int | None = None) -> InputError:
        """The same error, placed: what was known deeper down wins."""
        return InputError(
            self.message,
            file=self.file or file,
            line=self.line or line,
            value=self.value,
            expected=self.expected,
            remedy=self.remedy,
            code=self.code,
        )

    def as_json(self) -> dict[str, Any]:
        return super().as_json() | {
            "file": self.file,
            "line": self.line,
            "value": _shown(self.value),
            "expected": self.expected,
            "remedy": self.remedy,
        }


LONGEST_VALUE = 300


def _shown(value: object) -> str | int | float | bool | None:
    """A value as a message can bear it: a scalar as it is, the rest as text, and of a long text its beginning."""
    if isinstance(value, bool | float | None) or (isinstance(value, int) and abs(value) < 2**64):
        return value
    text = value if isinstance(value, str) else _text_of(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 60]}... ({len(text)} characters)"


def _text_of(value: object) -> str:
    try:
        return repr(value)
    except (ValueError, RecursionError):  # an integer of thousands of digits; a list in itself
        return f"a {type(value).__name__} too large to show"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """ARM's error object (L9), from an answer or from inside an operation's body."""

    code: str
    message: str
    target: str | None = None
    details: tuple[Mapping[str, Any], ...] = field(default=())
    status: int | None = None


class ArmError(FarshoreError):
    """Azure answered, and the answer is no."""

    code = "ArmError"

    def __init__(self, fault: Fault, *, request: str | None = None) -> None:
        super().__init__(f"{fault.code}: {fault.message}" + (f" ({request})" if request else ""))
        self.fault = fault
        self.request = request

    def as_json(self) -> dict[str, Any]:
        return super().as_json() | {"code": self.fault.code, "value": self.request}


class TransportError(FarshoreError):
    """No answer, or half of one: whether the request took effect is not known."""

    code = "TransportError"


class JournalError(FarshoreError):
    """The journal holds what this version can't read, or an event its table does not allow."""

    code = "JournalError"


class HeldError(FarshoreError):
    """Another process holds the project."""

    code = "ProjectHeld"
