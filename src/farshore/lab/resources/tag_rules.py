"""What Azure Resource Manager takes for tags, wherever they are written: in a resource's own body or apart from it."""

from __future__ import annotations

from typing import Any

from farshore.lab.answers import Refused

MOST = 50
LONGEST_NAME, LONGEST_VALUE = 512, 256
HIDDEN = "hidden-"
"""So begin tags that services of Azure set themselves, with ids in their names."""


def must_be_tags(tags: Any) -> None:
    """Raise `Refused` 400 for a name or a value that is no tag's. What is no object is somebody else's business."""
    for name, value in tags.items() if isinstance(tags, dict) else ():
        odd = not name.startswith(HIDDEN) and any(letter in "<>%&\\?/" for letter in name)
        if not name or len(name) > LONGEST_NAME or odd:
            raise Refused(400, "InvalidTagNameCharacters", f"The tag name '{name[:60]}' is not valid.")
        if isinstance(value, str) and len(value) > LONGEST_VALUE:
            raise Refused(
                400, "InvalidTagValueLength", f"The value of the tag '{name}' is longer than {LONGEST_VALUE}."
            )


def must_be_few(tags: Any) -> None:
    """Raise `Refused` 400 for more tags than one thing has."""
    if isinstance(tags, dict) and len(tags) > MOST:
        raise Refused(400, "TooManyTags", f"The number of tags '{len(tags)}' exceeds the maximum of '{MOST}'.")
