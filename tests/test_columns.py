from dataclasses import dataclass

from rare_neurons.columns import joined_row


@dataclass(frozen=True)
class Left:
    a: int


@dataclass(frozen=True)
class Right:
    b: str


@dataclass(frozen=True)
class Both(Right, Left):
    pass


def test_a_row_is_made_of_its_parts_whatever_their_order():
    assert joined_row(Both, Right("x"), Left(1)) == Both(a=1, b="x")
