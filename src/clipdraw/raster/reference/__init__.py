"""The definition of how drawings are rasterized, in plain PyTorch."""

from clipdraw.raster.reference.rasterize import rasterize

__all__ = ["rasterize"]
