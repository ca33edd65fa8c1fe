"""The encoder that ships inside, with its weights."""

from clipdraw.encoders.builtin.encoder import BuiltinEncoder, load
from clipdraw.encoders.builtin.storage import SHA256, WEIGHTS, checksum

__all__ = ["SHA256", "WEIGHTS", "BuiltinEncoder", "checksum", "load"]
