"""What a condition can be: a set of truth values, as bits."""

FALSE, TRUE, EITHER = 1, 2, 3
