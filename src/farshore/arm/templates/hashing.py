"""`uniqueString`, `guid` and a template's hash, bit by bit as Azure computes them: a name made of them in the lab is
the name that the same template gives in Azure.

`uniqueString` is a 64 bit hash of the arguments joined by hyphens (Murmur's steps on two halves of 32 bits), written
in 13 letters; `uniqueString('hello', 'world')` is `a7wkljktk6wne`. `guid` is a name-based UUID (version 5, SHA-1) in a
namespace of ARM's own.
"""

from __future__ import annotations

import uuid

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_NAMESPACE = uuid.UUID("11fb06fb-712d-4ddd-98c7-e71bbd588830")
_32 = 0xFFFFFFFF
_A, _B = 597399067, 2869860233


def unique_string(*parts: str) -> str:
    value = hash_64("-".join(parts).encode())
    letters = []
    for _ in range(13):
        letters.append(_ALPHABET[value >> 59])
        value = (value << 5) & 0xFFFFFFFFFFFFFFFF
    return "".join(letters)


def template_guid(*parts: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, "-".join(parts)))


def hash_64(data: bytes) -> int:
    """The hash behind `uniqueString` and `templateHash`."""
    one = two = 0
    whole = len(data) - len(data) % 8
    for at in range(0, whole, 8):
        one ^= _first(int.from_bytes(data[at : at + 4], "little"))
        one = (((_turned(one, 19) + two) & _32) * 5 + 1444728091) & _32
        two ^= _second(int.from_bytes(data[at + 4 : at + 8], "little"))
        two = (((_turned(two, 13) + one) & _32) * 5 + 197830471) & _32
    rest = data[whole:]
    if rest:
        one ^= _first(int.from_bytes(rest[:4], "little"))
    if len(rest) > 4:
        two ^= _second(int.from_bytes(rest[4:], "little"))
    one, two = one ^ len(data), two ^ len(data)
    one = (one + two) & _32
    two = (two + one) & _32
    one, two = _mixed(one), _mixed(two)
    one = (one + two) & _32
    two = (two + one) & _32
    return two << 32 | one


def _first(word: int) -> int:
    return _turned(word * _A & _32, 15) * _B & _32


def _second(word: int) -> int:
    return _turned(word * _B & _32, 17) * _A & _32


def _turned(word: int, by: int) -> int:
    return (word << by | word >> (32 - by)) & _32


def _mixed(word: int) -> int:
    word = (word ^ word >> 16) * 2246822507 & _32
    word = (word ^ word >> 13) * 3266489909 & _32
    return word ^ word >> 16
