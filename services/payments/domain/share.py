"""How an amount is divided between persons without losing or inventing a fen."""


def split_share(amount_fen: int, persons: int, affected: int = 1) -> tuple[int, int]:
    """The share of `affected` of `persons` equal heads, and the rest, both in fen; their sum is `amount_fen`.

    The share is rounded down to a whole fen, so the odd fen stays with the others. Raises ValueError for an amount
    below 1 fen, or unless 1 <= affected <= persons.
    """
    if amount_fen < 1:
        raise ValueError("only a positive amount can be split")
    if not 1 <= affected <= persons:
        raise ValueError("the persons affected must be among the persons paid for")
    share_fen = amount_fen * affected // persons
    return share_fen, amount_fen - share_fen
