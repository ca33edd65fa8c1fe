/* The pixels in which a layer's outline may overlap itself. */
#include <float.h>
#include <math.h>

#include "kernels.h"

/* The inner part of a stroke: pixels whose centers are within `radius` of a piece are wholly painted. */
typedef struct {
    double inverse[2][2]; /* from pixels to the coordinates of the path */
    Point origin;         /* of the path, in pixels */
    double radius;        /* 0 if it isn't known */
} Core;

/* A pixel with its chords. */
typedef struct {
    int64_t row, column;
    int32_t latest; /* its last chord */
} Pixel;

static Core core_of(const Paths *paths, int64_t layer) {
    int64_t path = paths->index.layers[layer][0];
    const double(*m)[3] = paths->matrices[path], *pen = paths->index.pens[path];
    double a = m[0][0], b = m[0][1], c = m[1][0], d = m[1][1], radius = paths->radii[path];
    double half = (a * a + b * b + c * c + d * d) / 2, product = a * d - b * c;
    if (paths->index.layers[layer][1] != STROKE || pen[0] != CAP_ROUND || pen[1] != JOIN_ROUND || product == 0) {
        return (Core){.radius = 0};
    }
    double shortest_axis = sqrt(max2(half - sqrt(max2(half * half - product * product, 0)), 1e-30));
    double step = 3.14159265358979323846 / (double)arc_steps(3.14159265358979323846, radius * sqrt(fabs(product)));
    double within = radius * (cos(step / 2) - 0.002) - 0.7072 / shortest_axis; /* arcs' edges lie within */
    return (Core){{{d / product, -b / product}, {-c / product, a / product}}, {m[0][2], m[1][2]}, max2(within, 0)};
}

/* Whether a pixel is within the part of a stroke that one of its chords belongs to. */
static bool is_in_core(const Core *core, const Outline *outline, const Grid *grid, const Pixel *pixel) {
    double px = (double)pixel->column + 0.5 - core->origin.x, py = (double)pixel->row + 0.5 - core->origin.y;
    double x = core->inverse[0][0] * px + core->inverse[0][1] * py;
    double y = core->inverse[1][0] * px + core->inverse[1][1] * py;
    int32_t latest = -1;
    for (int32_t k = pixel->latest; k >= 0; k = grid->chords[k].before) {
        int32_t piece = outline->edge[grid->chords[k].edge].piece;
        if (piece == latest) {
            continue;
        }
        latest = piece;
        const PolyVertex *begin = &outline->poly[piece];
        double qx = x - begin->x, qy = y - begin->y;
        double along = qx * begin->dx + qy * begin->dy, across = qy * begin->dx - qx * begin->dy;
        double beyond = max2(0, max2(-along, along - begin->length));
        if (across * across + beyond * beyond <= core->radius * core->radius) {
            return true;
        }
    }
    return false;
}

/* The row and the column of a chord. */
static Pixel place_of(const Outline *outline, const Grid *grid, int32_t k) {
    const Chord *chord = &grid->chords[k];
    const Edge *edge = &outline->edge[chord->edge];
    double y0 = outline->vertex[edge->from].y, y1 = outline->vertex[edge->to].y;
    double y = y0 + (chord->begin + chord->end) / 2 * (y1 - y0);
    int64_t last = grid->end_row - grid->first_row - 1, row = min_int(max_int((int64_t)y - grid->first_row, 0), last);
    while (grid->row_bounds[row].pixel > chord->pixel) {
        row--;
    }
    while (row < last && grid->row_bounds[row + 1].pixel <= chord->pixel) {
        row++;
    }
    return (Pixel){grid->first_row + row, grid->row_bounds[row].left + chord->pixel - grid->row_bounds[row].pixel, k};
}

/* How many chords a pixel has, of which the last is k; MOST_CHORDS + 1 for more. */
static int32_t count_chords(const Grid *grid, int32_t k) {
    int32_t count = 0;
    for (; k >= 0 && count <= MOST_CHORDS; k = grid->chords[k].before) {
        count++;
    }
    return count;
}

/* Take chords that may as well be another pixel's out of those of a pixel; its last one then.

An edge through a corner of pixels may or may not have one, one along their tops is above or below: rounding must not
decide how many are too many.
*/
static int32_t leave_out_doubtful(const Outline *outline, Grid *grid, const Pixel *pixel) {
    int32_t latest = -1, above = -1;
    for (int32_t k = pixel->latest; k >= 0; k = grid->chords[k].before) {
        Chord *chord = &grid->chords[k];
        const Edge *edge = &outline->edge[chord->edge];
        Point a = outline->vertex[edge->from], b = outline->vertex[edge->to];
        double dx = b.x - a.x, dy = b.y - a.y;
        double begin = a.y + chord->begin * dy - (double)pixel->row, end = a.y + chord->end * dy - (double)pixel->row;
        if (max2(fabs(begin), fabs(end)) < SAME || max2(fabs(1 - begin), fabs(1 - end)) < SAME) {
            chord->weights[0] = chord->weights[1] = 0;
        } else if ((chord->end - chord->begin) * max2(fabs(dx), fabs(dy)) > SAME) {
            if (above < 0) {
                latest = k;
            } else {
                grid->chords[above].before = k;
            }
            above = k;
        }
    }
    if (above >= 0) {
        grid->chords[above].before = -1;
    }
    return latest;
}

/* A place in a pixel, 0 if it is as good as that: ends of edges are where all edges that meet there have them. */
static double snap(double x, double rounding) { return x < BORDER + rounding ? 0 : min2(x, 1); }

/* Write where a chord is in its pixel; the area to its right. */
static double place_chord(const Outline *outline, const Chord *chord, const Pixel *pixel, ChordPlace *place) {
    const Edge *edge = &outline->edge[chord->edge];
    Point a = outline->vertex[edge->from], b = outline->vertex[edge->to];
    double dx = b.x - a.x, dy = b.y - a.y, t0 = chord->begin, t1 = chord->end;
    double column = (double)pixel->column, row = (double)pixel->row;
    double rounding = ROUNDINGS * DBL_EPSILON * (fabs(a.x) + fabs(dx));
    Point last = t1 == 1 ? b : (Point){a.x + t1 * dx, a.y + t1 * dy};
    place->x0 = snap(a.x + t0 * dx - column, t0 == 0 ? 0 : rounding);
    place->y0 = clamp(a.y + t0 * dy - row, 0, 1);
    place->x1 = snap(last.x - column, t1 == 1 ? 0 : rounding);
    place->y1 = clamp(last.y - row, 0, 1);
    return (place->y1 - place->y0) * (1 - (place->x0 + place->x1) / 2);
}

/* The weights of an edge's ends, from those of the ends of a chord of it. */
static void weigh_edge(Chord *chord, const double weights[2]) {
    double length = chord->end - chord->begin, whole = weights[0] + weights[1];
    double second = length * (chord->begin * whole + length * weights[1]);
    chord->weights[0] = (float)(length * whole - second);
    chord->weights[1] = (float)second;
}

/* Find the coverage of a pixel by its `count` chords, and their weights. */
static void resolve_pixel(const Outline *outline, Grid *grid, const Pixel *pixel, int32_t count, int64_t rule) {
    OverlapScratch scratch;
    int32_t numbers[MOST_CHORDS], k = pixel->latest;
    scratch.count = count;
    for (int32_t i = count - 1; i >= 0; i--, k = grid->chords[k].before) {
        numbers[i] = k;
    }
    double area = 0;
    for (int32_t i = 0; i < count; i++) {
        area += place_chord(outline, &grid->chords[numbers[i]], pixel, &scratch.chords[i]);
    }
    double *winding = &grid->winding[grid->chords[pixel->latest].pixel];
    *winding = overlap_area(&scratch, *winding - area, rule);
    for (int32_t i = 0; i < count; i++) {
        weigh_edge(&grid->chords[numbers[i]], scratch.edge_weights[i]);
    }
}

/* Find the coverage of the pixels in which outlines may overlap, instead of their winding numbers, and the weights of
their chords.
*/
void overlap_coverage(const Paths *paths, int64_t layer, const Outline *outline, Grid *grid) {
    Core core = core_of(paths, layer);
    for (int32_t number = 0; number < grid->overlap_count; number++) {
        int32_t at = grid->overlap_pixels[number];
        Pixel pixel = place_of(outline, grid, grid->latest[at]);
        if (core.radius > 0 && is_in_core(&core, outline, grid, &pixel)) {
            grid->winding[at] = 1;
            for (int32_t k = pixel.latest; k >= 0; k = grid->chords[k].before) {
                grid->chords[k].weights[0] = grid->chords[k].weights[1] = 0;
            }
            continue;
        }
        int32_t count = count_chords(grid, pixel.latest);
        if (count > MOST_CHORDS) {
            pixel.latest = leave_out_doubtful(outline, grid, &pixel);
            count = count_chords(grid, pixel.latest);
        }
        if (count > MOST_CHORDS || count == 0) { /* the winding numbers are added up and limited */
            grid->state[at] = 0;
        } else {
            resolve_pixel(outline, grid, &pixel, count, paths->index.layers[layer][1]);
        }
    }
}
