"""The captions of the corpus in `conftest.py`."""

WORDS = ["square", "disc", "ring", "cross"]
