"""Spellings of one number: those that are it everywhere, and those that must be nowhere."""

from __future__ import annotations

__all__ = ["Number", "spellings"]

from collections.abc import Iterator
from dataclasses import dataclass

JSON_SPACE = " \t\r\n"
"""What may stand around a number in JSON, and belongs to the document then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A whole number that is sent in many spellings."""

    digits: str
    negative: bool = False
    whole: bool = False
    """Whether the field takes nothing but digits."""

    @property
    def sign(self) -> str:
        return "-" if self.negative else ""

    @property
    def texts(self) -> frozenset[str]:
        """The spellings that are this number as text."""
        s, d = self.sign, self.digits
        whole = {f"{s}{d}", f"{s}0{d}", f"{s}00{d}"}
        return frozenset(whole if self.whole else whole | {f"{s}{d}.0", f"{s}{d}.00", f"{s}0{d}.0"})

    @property
    def numbers(self) -> frozenset[str]:
        """The spellings that are this number in JSON."""
        s, d = self.sign, self.digits
        if self.whole:
            return frozenset({f"{s}{d}"})

        exponents = {f"{s}{d}e0", f"{s}{d}E0", f"{s}{d}E+0", f"{s}{d}e-0", f"{s}{d}0e-1"}
        exponents |= {f"{s}{d[0]}.{d[1:]}e{len(d) - 1}", f"{s}0.{d}E+{len(d)}"}
        return frozenset({f"{s}{d}", f"{s}{d}.0", f"{s}{d}.00", f"{s}{d}.0e0", *exponents})

    def is_text(self, spelled: str) -> bool:
        return spelled in self.texts

    def is_number(self, spelled: str) -> bool:
        return spelled.strip(JSON_SPACE) in self.numbers


def spellings(number: Number) -> list[str]:
    """Returns all that are the number in one way or another, and what only looks like it."""
    return list(dict.fromkeys([*sorted(number.texts | number.numbers), *_odd(number)]))


def _odd(number: Number) -> Iterator[str]:
    s, d = number.sign, number.digits
    first, rest = d[0], d[1:]
    yield from (f"{s}{first}_{rest}", f"{s}_{d}", f"{s}{d}_")
    yield from (f"{s}{d}e", f"{s}{d}e+", f"{s}1e400", f"{s}1e-400", f"{s}1e999999999999")
    yield from (f" {s}{d}", f"{s}{d} ", f"{s} {d}", f"{s}{first} {rest}", f"{s}{d}\u00a0")
    yield from (f"{s}{d}\n", f"\n{s}{d}", f"\t{s}{d}", f"{s}{d}\r\n", f"{s}{d}\x00", f"\x00{s}{d}")
    yield from (f"+{d}", f"{s}+{d}", f"--{d}", f"-+{d}", f"\u2212{d}", f"\uff0d{d}", f"{d}-")
    yield from (f"{s}{_moved(d, 0x660)}", f"{s}{_moved(d, 0xFF10)}", f"{s}{_moved(d, 0x966)}")
    yield from (f"{s}\u216b", f"{s}{first}\u00b2", f"{s}{d}\u00bd", f"{s}{first}\u200b{rest}")
    yield from (f"{s}0x{int(d):x}", f"{s}0X{int(d):X}", f"{s}0b1", f"{s}0o7", f"{s}0x1p3")
    yield from (f"{s}inf", f"{s}Infinity", "nan", "NaN", f"{s}1.#INF")
    yield from (f"{s}.5", f"{s}{d}.", f"{s}{d}.0.0", f"{s}{d},0", f"{s}{first},{rest}", f"{s}.")
    yield from (f"{s}{d}f", f"{s}{d}L", f"{s}{d}d", f"{s}${d}", f"({d})", f"{s}{d}%", f"'{d}'")
    yield from (f"{s}{'1' * 19}", f"{s}{d}.{'0' * 18}", f"{s}{'0' * 30}{d}", f"{s}0.{'0' * 18}1")
    yield from ("", "-", "abc", f"[{s}{d}]", f"{{{d}}}")


def _moved(digits: str, zero: int) -> str:
    """Returns the digits of another script."""
    return "".join(chr(zero + int(each)) for each in digits)
