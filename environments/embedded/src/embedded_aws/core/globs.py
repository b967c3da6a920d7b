"""Glob patterns of file paths, branches and tags, as triggers and artifacts use them."""

import re
from functools import cache


def matches(pattern: str, name: str) -> bool:
    """Match a whole name: `*` stays within a folder, `**` does not, `{a,b}` is a choice.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/syntax-glob.html
    """
    return _compiled(pattern).fullmatch(name) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    place, parts, depth = 0, [], 0
    while place < len(pattern):
        for token, expression in _TOKENS:
            if pattern.startswith(token, place):
                parts.append(expression)
                place += len(token)
                break
        else:
            character = pattern[place]
            place += 1
            depth += (character == "{") - (character == "}" and depth > 0)
            parts.append(_special(character, depth))
    return re.compile("".join(parts), re.DOTALL)


# `**/` also matches no folder at all, so that `**/*.xml` finds a file at the top.
_TOKENS = (("**/", "(?:.*/)?"), ("**", ".*"), ("*", "[^/]*"), ("?", "[^/]"))


def _special(character: str, depth: int) -> str:
    if character == "{":
        return "(?:"
    if character == "}":
        return ")"
    if character == "," and depth:
        return "|"
    return re.escape(character)
