"""The encoder that ships inside, with its weights."""

from clipdraw.encoders.builtin.encoder import SHA256, WEIGHTS, BuiltinEncoder, checksum, load

__all__ = ["SHA256", "WEIGHTS", "BuiltinEncoder", "checksum", "load"]
