"""Reads the comments of a package out of the source info of its descriptors."""

from __future__ import annotations

__all__ = ["read_comments"]

import re
from collections.abc import Iterator

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.message import Message


def read_comments(files: FileDescriptorSet, package: str) -> Iterator[tuple[str, str]]:
    """Yields full names with their comments; a value of an enum is named below its enum."""
    for file in files.file:
        if file.package != package:
            continue

        for location in file.source_code_info.location:
            if location.leading_comments and (name := _name_at(file, list(location.path))):
                yield name, _unwrap(location.leading_comments)


def _name_at(file: FileDescriptorProto, path: list[int]) -> str:
    """Answers the full name of what a source location is about; "" for what has no name.

    A path alternates between the number of a repeated field and an index into it: [4, 0, 2, 1] is
    the second field of the first message. An enum value is named below its enum.
    """
    names = [file.package]
    here: Message = file

    while path:
        if len(path) == 1:
            return ""

        number, index, *path = path
        member = here.DESCRIPTOR.fields_by_number.get(number)

        if member is None or not member.is_repeated or member.message_type is None:
            return ""

        here = getattr(here, member.name)[index]

        if not hasattr(here, "name"):
            return ""

        names.append(here.name)

    return ".".join(names) if len(names) > 1 else ""


def _unwrap(comment: str) -> str:
    """Joins the lines of each paragraph: where the source breaks lines says nothing."""
    paragraphs = re.split(r"\n\s*\n", comment.strip())
    return "\n\n".join(" ".join(map(str.strip, each.splitlines())) for each in paragraphs)
