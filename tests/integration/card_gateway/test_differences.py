"""The table of differences to Stripe in the docs is the code's."""

from pathlib import Path

from tests.integration.card_gateway.differences import DEVIATIONS

PAGE = Path(__file__).parents[3] / "docs" / "how-it-works" / "local-stripe.md"


def test_the_docs_hold_the_table_of_the_code() -> None:
    # When
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")][1:]
    # Then: if this fails, copy the code's table
    assert rows == [f"| {' | '.join(deviation)} |" for deviation in DEVIATIONS]
