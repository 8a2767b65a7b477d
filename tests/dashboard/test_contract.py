import pytest

from support.contract import contract
from support.page import DASHBOARD

CONTRACT = DASHBOARD / "src" / "data" / "contract.js"


def test_the_types_of_the_page_are_those_of_the_wire(request: pytest.FixtureRequest) -> None:
    """Every message that the page reads has there the fields, types and words that `wire/` gives it."""
    if request.config.getoption("--update-golden"):
        CONTRACT.write_text(contract())
    assert CONTRACT.read_text() == contract()
