/* Polylines to the outlines of strokes; `raster/reference/outline_strokes.py` defines how they are built. */
#include <math.h>

#include "kernels.h"

#define PI 3.14159265358979323846
/* Tangent of half of SMOOTH_TURN. */
#define SMOOTH_SLOPE 0.15113521805829508
/* Where a tight turn is sharper than this, the outer side may meet other parts of the stroke as well. */
#define SHARP_COSINE 0.5

/* The pen of a subpath, and where its outline goes. */
typedef struct {
    const Paths *paths;
    Outline *outline;
    int64_t path;
    int cap, join;
    double limit; /* of miters */
    double radius, scale;
} Stroke;

/* Outline vertices on the plus and the minus side of a stroke. */
typedef struct {
    int32_t plus, minus;
} Sides;
enum { PLUS_SIDE = 1, MINUS_SIDE = 2 };

/* Where two pieces meet. */
typedef struct {
    Sides ends, starts; /* where the piece before ends, where that after begins */
    int overlapping;    /* PLUS_SIDE, MINUS_SIDE or both, if parts of the stroke overlap there */
} Join;

static void add_edge(Outline *outline, int32_t from, int32_t to, int32_t piece, int inner) {
    outline->edge[outline->edges++] = (Edge){from, to, piece, inner};
}

/* Edges from one vertex by those from `begin` to `stop` to another. */
static void add_chain(Outline *outline, int32_t from, int32_t begin, int32_t stop, int32_t to, int32_t piece,
                      int inner) {
    for (int32_t vertex = begin; vertex < stop; vertex++) {
        add_edge(outline, from, vertex, piece, inner);
        from = vertex;
    }
    add_edge(outline, from, to, piece, inner);
}

/* Write an outline vertex, `radius` times its arm from a polyline vertex; its number. */
static inline int32_t put(Outline *outline, double radius, Arm arm) {
    int32_t at = outline->vertices++;
    const PolyVertex *stem = &outline->poly[arm.stem];
    outline->vertex[at] = (Point){stem->x + radius * arm.x, stem->y + radius * arm.y};
    outline->arm[at] = arm;
    return at;
}

/* A vertex beside the end of a piece, and `ahead` along it. */
static inline int32_t put_side(const Stroke *stroke, int32_t stem, int32_t piece, double side, double ahead) {
    const PolyVertex *along = &stroke->outline->poly[piece];
    double x = -side * along->dy + ahead * along->dx, y = side * along->dx + ahead * along->dy;
    Arm arm = {.x = x, .y = y, .x_before = -y, .y_before = x, .stem = stem, .before = piece, .after = piece};
    return put(stroke->outline, stroke->radius, arm);
}

/* The vertex where the sides of two pieces meet; `slope` is the tangent of half the turn. */
static int32_t put_miter(const Stroke *stroke, int32_t stem, int32_t before, int32_t after, double side,
                         double slope) {
    const PolyVertex *along = &stroke->outline->poly[before];
    double bend = side * (1 + slope * slope) / 2;
    double x = -side * (along->dy + slope * along->dx), y = side * (along->dx - slope * along->dy);
    Arm arm = {x, y, bend * along->dx - y, bend * along->dy + x, -bend * along->dx, -bend * along->dy,
               stem, before, after};
    return put(stroke->outline, stroke->radius, arm);
}

/* How many edges an arc gets. */
int64_t arc_steps(double angle, double radius_px) {
    double step = min2(2 * sqrt(2 * ARC_TOLERANCE_PX / max2(radius_px, 1e-6)), LARGEST_ARC_STEP);
    return (int64_t)clamp(ceil(angle / step - 1e-6), 1, MOST_ARC_STEPS);
}

/* How far an arc's inner vertices lie outside, so that the area is the disc's. */
static double swelling(double step) { return sqrt(step / sin(step)); }

/* Its derivative. */
static double swelling_slope(double step) {
    double sine = sin(step);
    return (sine - step * cos(step)) / (2 * swelling(step) * sine * sine);
}

/* The inner vertices of a round join's arc, from the piece before to that after. */
static void put_arc(const Stroke *stroke, int32_t stem, int32_t before, int32_t after, double side, double turn) {
    int64_t steps = arc_steps(fabs(turn), stroke->radius * stroke->scale);
    if (steps == 1) {
        return;
    }
    double step = fabs(turn) / (double)steps;
    double swell = swelling(step), slope = swelling_slope(step) * ((turn > 0 ? 1 : -1) / (double)steps);
    double c = cos(turn / (double)steps), s = sin(turn / (double)steps);
    double vx = stroke->outline->poly[before].dx, vy = stroke->outline->poly[before].dy; /* the direction there */
    for (int64_t k = 1; k < steps; k++) {
        double fraction = (double)k / (double)steps, rest = 1 - fraction, turned = c * vx - s * vy;
        vy = c * vy + s * vx;
        vx = turned;
        double x = -side * vy, y = side * vx;
        Arm arm = {swell * x, swell * y,
                   -swell * rest * y - slope * x, swell * rest * x - slope * y,
                   -swell * fraction * y + slope * x, swell * fraction * x + slope * y,
                   stem, before, after};
        put(stroke->outline, stroke->radius, arm);
    }
}

/* The vertices of a cap between its corners: `end` is 1 at the end of a stroke, from the plus side to the minus side,
and -1 at its start, from the minus side to the plus side.
*/
static void put_cap(const Stroke *stroke, int32_t stem, int32_t piece, double end) {
    if (stroke->cap == CAP_SQUARE) {
        put_side(stroke, stem, piece, end, end);
        put_side(stroke, stem, piece, -end, end);
    } else if (stroke->cap == CAP_ROUND) {
        int64_t steps = max_int(4, arc_steps(PI, stroke->radius * stroke->scale));
        double step = PI / (double)steps, c = cos(step), s = sin(step);
        double x = swelling(step) * end, y = 0;
        for (int64_t k = 1; k < steps; k++) {
            double turned = c * x - s * y;
            y = c * y + s * x;
            x = turned;
            put_side(stroke, stem, piece, x, y);
        }
    }
}

/* A cap and its corners, at the first or the last vertex of an open stroke; the corners. */
static Sides outline_cap(const Stroke *stroke, int32_t stem, int32_t piece, int64_t segment, bool at_end, int inner) {
    Outline *outline = stroke->outline;
    int32_t along = piece;
    double lost;
    if (stroke->cap != CAP_ROUND) {
        along = tangent(stroke->paths, stroke->path, outline, segment, at_end, piece, &lost);
    }
    int32_t plus = put_side(stroke, stem, along, 1, 0), minus = put_side(stroke, stem, along, -1, 0);
    int32_t from = at_end ? plus : minus, to = at_end ? minus : plus;
    put_cap(stroke, stem, along, at_end ? 1 : -1);
    add_chain(outline, from, minus + 1, outline->vertices, to, piece, inner);
    return (Sides){plus, minus};
}

/* The outline of a stroke without length: a disc, a square or nothing. */
static void outline_dot(const Stroke *stroke, int32_t stem) {
    Outline *outline = stroke->outline;
    outline->poly[stem].dx = 1; /* a piece without length */
    outline->poly[stem].dy = outline->poly[stem].length = 0;
    if (stroke->cap == CAP_BUTT) {
        return;
    }
    int64_t steps = stroke->cap == CAP_SQUARE ? 4 : max_int(8, 2 * arc_steps(PI, stroke->radius * stroke->scale));
    double swell = stroke->cap == CAP_SQUARE ? sqrt(2) : swelling(2 * PI / (double)steps);
    int32_t first = outline->vertices;
    for (int64_t k = 0; k < steps; k++) {
        double angle = -2 * PI * ((double)k + 0.5) / (double)steps;
        Arm arm = {.x = swell * cos(angle), .y = swell * sin(angle), .stem = stem, .before = stem, .after = stem};
        put(outline, stroke->radius, arm);
    }
    add_chain(outline, first, first + 1, outline->vertices, first, stem, 0);
}

static double turn_cross(const PolyVertex *one, const PolyVertex *two) {
    return one->dx * two->dy - one->dy * two->dx;
}

static double turn_dot(const PolyVertex *one, const PolyVertex *two) {
    return one->dx * two->dx + one->dy * two->dy;
}

/* The tangent of half the turn from one direction to another. */
static double half_turn(const PolyVertex *one, const PolyVertex *two) {
    return turn_cross(one, two) / max2(1 + turn_dot(one, two), 1e-12);
}

/* The inner side of a tight turn, which goes through the pivot itself; where the pieces end and begin. */
static Sides outline_pivot(const Stroke *stroke, int32_t stem, int32_t before, int32_t after, double side,
                           int32_t piece) {
    Outline *outline = stroke->outline;
    int32_t first = put_side(stroke, stem, before, side, 0);
    int32_t pivot = put(outline, 0, (Arm){.stem = stem, .before = before, .after = after});
    int32_t last = put_side(stroke, stem, after, side, 0);
    add_edge(outline, side > 0 ? first : last, pivot, piece, 1);
    add_edge(outline, pivot, side > 0 ? last : first, piece, 1);
    return (Sides){first, last};
}

/* The outer side of a turn: round, mitered or beveled; where the pieces end and begin. */
static Sides outline_outer(const Stroke *stroke, int32_t stem, int32_t before, int32_t after, double side, int kind,
                           int32_t piece) {
    Outline *outline = stroke->outline;
    const PolyVertex *one = &outline->poly[before], *two = &outline->poly[after];
    double turned = turn_cross(one, two), along = turn_dot(one, two), slope = half_turn(one, two);
    int32_t first = put_side(stroke, stem, before, -side, 0);
    if (kind == JOIN_ROUND) {
        put_arc(stroke, stem, before, after, -side, side * fabs(atan2(turned, along)));
    } else if (kind == JOIN_MITER && 1 + slope * slope <= square(stroke->limit) && along >= TURNED_BACK) {
        put_miter(stroke, stem, before, after, -side, slope);
    }
    int32_t last = put_side(stroke, stem, after, -side, 0);
    if (side < 0) { /* the outer side is the plus side, and goes forward */
        add_chain(outline, first, first + 1, last, last, piece, 0);
    } else {
        for (int32_t vertex = last; vertex > first; vertex--) {
            add_edge(outline, vertex, vertex - 1, piece, 0);
        }
    }
    return (Sides){first, last};
}

/* The join between two pieces; `segment` is the one that ends there, `next_segment` the one that begins, if known. */
static Join outline_join(const Stroke *stroke, int32_t stem, int32_t piece, int32_t next_piece, int64_t segment,
                         int64_t next_segment) {
    Outline *outline = stroke->outline;
    const PolyVertex *poly = outline->poly;
    int32_t before = piece, after = next_piece;
    double room = min2(poly[piece].length, poly[next_piece].length);
    int kind = poly[stem].segment > NO_CORNER ? stroke->join : JOIN_ROUND;
    if (kind != JOIN_ROUND && segment >= 0) {
        double lost, lost_after;
        before = tangent(stroke->paths, stroke->path, outline, segment, true, piece, &lost);
        after = tangent(stroke->paths, stroke->path, outline, next_segment, false, next_piece, &lost_after);
        if (fabs(half_turn(&poly[before], &poly[after])) <= SMOOTH_SLOPE) {
            before = piece;
            after = next_piece;
        } else {
            room = min2(poly[piece].length - 2 * lost, poly[next_piece].length - 2 * lost_after);
        }
    }
    double along = turn_dot(&poly[before], &poly[after]), slope = half_turn(&poly[before], &poly[after]);
    double side = turn_cross(&poly[before], &poly[after]) > 0 ? 1 : -1; /* the inner one */
    double bend = fabs(slope), more = square(stroke->radius * stroke->scale) * (bend * bend * bend) / 3;
    bool back = along < TURNED_BACK, tight = back || stroke->radius * bend > 0.5 * room;
    /* `more` is what a miter adds to a round join */
    bool mitered = (bend <= SMOOTH_SLOPE || (kind == JOIN_ROUND && more <= MITER_AREA_PX)) && !back;
    Sides inner, outer;
    if (tight) {
        inner = outline_pivot(stroke, stem, before, after, side, piece);
    } else {
        inner.plus = inner.minus = put_miter(stroke, stem, before, after, side, slope);
    }
    if (mitered) {
        outer.plus = outer.minus = put_miter(stroke, stem, before, after, -side, slope);
    } else {
        outer = outline_outer(stroke, stem, before, after, side, kind, piece);
    }
    int overlapping = side > 0 ? PLUS_SIDE : MINUS_SIDE;
    if (!tight || along < SHARP_COSINE) {
        overlapping = tight ? PLUS_SIDE | MINUS_SIDE : 0;
    }
    if (side > 0) {
        return (Join){{inner.plus, outer.plus}, {inner.minus, outer.minus}, overlapping};
    }
    return (Join){{outer.plus, inner.plus}, {outer.minus, inner.minus}, overlapping};
}

/* Both sides of all pieces of a polyline, from `begin` to the one before `end`, with joins and caps; false for want of
room.
*/
static bool outline_pieces(const Stroke *stroke, int64_t subpath, int32_t begin, int32_t end) {
    Outline *outline = stroke->outline;
    const Index *index = &stroke->paths->index;
    int64_t first = index->first_cubic[subpath], final = index->first_cubic[subpath + 1] - 1;
    int64_t most = 2 * arc_steps(PI, stroke->radius * stroke->scale) + 16; /* vertices of two joins, or caps */
    int32_t last = end - 2;         /* the last piece */
    int two = last == begin + 1;    /* of two pieces the caps may overlap, though their numbers follow one another */
    bool closed = index->closed[subpath] > 0 && last > begin;
    Join join = {0};
    if (closed) {
        join = outline_join(stroke, begin, last, begin, final, first);
    } else {
        join.starts = outline_cap(stroke, begin, begin, first, false, two);
    }
    Join seam = join;
    for (int32_t piece = begin; piece <= last; piece++) {
        if (max_int(outline->vertices, outline->edges) > outline->capacity - most) {
            return false;
        }
        Join before = join;
        int32_t own = outline->edges;
        outline->edges += 2; /* the piece's own two edges go before those of the join */
        if (piece < last) {
            int64_t segment = max_int(outline->poly[piece + 1].segment, UNKNOWN_SEGMENT);
            join = outline_join(stroke, piece + 1, piece, piece + 1, segment, segment + 1);
        } else if (closed) {
            join = seam;
        } else {
            join = (Join){.ends = outline_cap(stroke, last + 1, last, final, true, two)};
        }
        int overlapping = before.overlapping | join.overlapping;
        outline->edge[own] = (Edge){before.starts.plus, join.ends.plus, piece, (overlapping & PLUS_SIDE) > 0};
        outline->edge[own + 1] = (Edge){join.ends.minus, before.starts.minus, piece, (overlapping & MINUS_SIDE) > 0};
    }
    return true;
}

/* The outline of a stroked subpath, whose polyline is from `begin` to `end`; false for want of room. */
bool outline_strokes(const Paths *paths, int64_t path, int64_t subpath, Outline *outline, int32_t begin, int32_t end) {
    const double *pen = paths->index.pens[path];
    Stroke stroke = {paths,  outline,           path, (int)pen[0], (int)pen[1], pen[2],
                     paths->radii[path], pixels_per_unit(paths, path)};
    int64_t most = 2 * arc_steps(PI, stroke.radius * stroke.scale) + 16;
    if (stroke.radius <= 0) {
        return true;
    }
    if (max_int(outline->vertices, outline->edges) > outline->capacity - most) {
        return false;
    }
    if (end - 2 < begin) {
        outline_dot(&stroke, begin);
        return true;
    }
    return outline_pieces(&stroke, subpath, begin, end);
}
