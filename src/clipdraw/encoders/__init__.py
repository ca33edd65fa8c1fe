"""Text-image encoders: the built-in one and CLIP-like models from a hub or a folder."""

from clipdraw.encoders.base import Encoder

__all__ = ["Encoder"]
