"""The constants of rasterization; `kernels/kernels.h` has those that the kernels need, by the same names."""

from __future__ import annotations

STEEPEST = 1e12
"""Paths whose matrices have numbers beyond this paint nothing."""
FLATTEST = 1e-6
"""Matrices whose determinant is below this, times the sum of the squares of their numbers, make all things flat: as in
SVG, paths with such a matrix paint nothing."""
FARTHEST_PX = 1e9
"""Paths with a control point or a radius beyond this paint nothing: rounding of float64 would show."""

NONZERO, EVENODD, STROKE = 0, 1, 2
"""How a layer is painted."""
CAPS = {"round": 0, "butt": 1, "square": 2}
JOINS = {"round": 0, "bevel": 1, "miter": 2}

SMOOTH_TURN = 0.3
"""Turns up to this, in radians, are mitered whatever the join: a round one would differ by less than r^2 / 1000."""
MITER_AREA_PX = 0.005
"""So are turns within segments and at round joins where that paints at most this much more, in square pixels."""
TURNED_BACK = -0.9999
"""Cosine of the turns below which a stroke goes back on itself: they have no miter."""
HAIRLINE_PX = 0.01
"""Strokes narrower than this are drawn this wide, and as much fainter."""
AT_SIDES, IN_THIN = 0.45, 0.25
"""Segments that a side of the image may cut, and those of strokes narrower than `THIN_PX`, are flattened within these
fractions of the tolerance. Only over whole pieces is a polyline's direction the curve's on average, and borders of
pixels cut thin strokes as the image's sides cut others: gradients of points would be off by 3 % there, at worst by a
quarter."""
THIN_PX = 1.0
SHORTEST_PX = 1e-3
"""Pieces of a stroke not longer than this are left out: they have no direction to speak of."""
ARC_TOLERANCE_PX = 0.06
"""Distance between round caps and joins and their polylines."""
MOST_ARC_STEPS = 256
"""Most edges of a round cap or join: keeps a width of a million units from filling the memory."""
LARGEST_ARC_STEP = 0.8
"""The largest angle that one edge of a round cap or join spans, in radians."""
MOST_CHORDS = 32
"""Most edges in a pixel for which overlaps are sorted out; beyond, winding numbers are added up and limited."""
TILT = 0.18347
"""The slope of the rays along which winding numbers are counted, which lean towards the pixel's middle row: a number so
odd that no edge is parallel to them."""
SAME = 1e-11
"""Edges nearer to each other than this, in pixels, lie on each other."""
BORDER = 1e-9
"""Ends of edges nearer to the left side of a pixel than this, in pixels, lie on it."""
SINGLE = 1e-5
"""`SAME` and `BORDER` where geometry is in float32, in which places are hardly known better."""
ROUNDINGS = 4
"""So many units in the last place of its coordinates a place within an edge may be off."""

NO_GROUP_OPACITY = 1e-4
"""An opacity of a path that is so near to 0 or 1 only multiplies those of its fill and stroke, which is off by as much
where they overlap; rounding in float32 would show more."""
