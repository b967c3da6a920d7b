"""Cron expressions of six or seven fields: seconds minutes hours day-of-month month day-of-week [year].

https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-DeploymentWindow.html
Here the seconds must be `*`, as that page has it; `L`, `W` and `#` are not emulated.
"""

from datetime import datetime

_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_FIELDS = (6, 7)


def matches(expression: str, moment: datetime) -> bool:
    """Tell whether a moment is inside the window.

    Raises:
        ValueError: the expression is not understood.
    """
    fields = expression.upper().split()
    if len(fields) not in _FIELDS:
        raise ValueError(f"it has {len(fields)} fields instead of 6 or 7")
    seconds, minutes, hours, day, month, weekday, *year = fields
    if seconds != "*":
        raise ValueError("the seconds can only be *")
    return (
        _in(minutes, moment.minute, 0, 59)
        and _in(hours, moment.hour, 0, 23)
        and _in(day, moment.day, 1, 31)
        and _in(_numbers(month, _MONTHS), moment.month, 1, 12)
        and _in(_numbers(weekday, _DAYS), moment.isoweekday() % 7 + 1, 1, 7)
        and (not year or _in(year[0], moment.year, 1970, 2199))
    )


def _in(field: str, value: int, least: int, most: int) -> bool:
    return field == "?" or any(_one(part, value, least, most) for part in field.split(","))


def _one(part: str, value: int, least: int, most: int) -> bool:
    span, _, step = part.partition("/")
    first, _, last = span.partition("-")
    if span == "*":
        low, high = least, most
    else:
        low = _number(first, least, most)
        high = _number(last, least, most) if last else (most if step else low)
    every = int(step) if step else 1
    return low <= value <= high and (value - low) % every == 0


def _number(text: str, least: int, most: int) -> int:
    if not text.isdigit() or not least <= int(text) <= most:
        raise ValueError(f"{text!r} is not a number from {least} to {most}")
    return int(text)


def _numbers(field: str, names: list[str]) -> str:
    for number, name in enumerate(names, 1):
        field = field.replace(name, str(number))
    return field
