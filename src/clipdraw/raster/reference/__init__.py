"""The definition of how drawings are rasterized, in plain PyTorch."""

from clipdraw.raster.reference.tiles import rasterize

__all__ = ["rasterize"]
