"""Labeled sheets of pictures, as SVG and PNG."""
