/* Curves to straight pieces, and back: how finely, and which rows each layer may touch; `bezier.flatten` defines it. */
#include <math.h>

#include "kernels.h"

/* The bounds of some places, in pixels. */
typedef struct {
    double left, right, top, bottom;
} Bounds;

/* The reach of a path's strokes, and how fine its polylines are. */
typedef struct {
    double reach; /* how far a stroke may reach beyond the control points, and a pixel */
    bool thin;    /* whether it is narrower than THIN_PX */
} Pen;

/* Pixels per unit of a path: the root of how much larger its matrix makes areas. */
double pixels_per_unit(const Paths *paths, int64_t path) {
    const double(*m)[3] = paths->matrices[path];
    return sqrt(fabs(m[0][0] * m[1][1] - m[0][1] * m[1][0]));
}

static Pen pen_of(const Paths *paths, int64_t path) {
    const Index *index = &paths->index;
    const double(*m)[3] = paths->matrices[path];
    double radius = paths->radii[path], limit = index->pens[path][2];
    int cap = (int)index->pens[path][0], join = (int)index->pens[path][1];
    double stretch = sqrt(max2(square(m[0][0]) + square(m[1][0]), square(m[0][1]) + square(m[1][1])) * 2);
    if (m[0][1] == 0 && m[1][0] == 0) {
        stretch = max2(fabs(m[0][0]), fabs(m[1][1]));
    }
    double widest = join == JOIN_MITER ? max2(1.5, limit) : cap == CAP_SQUARE ? 1.5 : 1;
    bool stroked = false;
    for (int64_t layer = index->first_layer[path]; layer < index->first_layer[path + 1]; layer++) {
        stroked |= index->layers[layer][1] == STROKE;
    }
    return (Pen){radius * stretch * widest + 1, stroked && 2 * radius * pixels_per_unit(paths, path) < THIN_PX};
}

/* Whether a path's radius is finite and not beyond FARTHEST_PX. */
static bool has_sound_radius(const Paths *paths, int64_t path) {
    const double(*m)[3] = paths->matrices[path];
    double largest = max2(max2(fabs(m[0][0]), fabs(m[0][1])), max2(fabs(m[1][0]), fabs(m[1][1])));
    return paths->radii[path] * largest <= FARTHEST_PX; /* false for NaN */
}

/* The control points of a segment in pixels; false if one isn't finite or is beyond FARTHEST_PX. */
static bool place_segment(const Paths *paths, int64_t path, int64_t segment, Point place[4]) {
    const double(*m)[3] = paths->matrices[path];
    bool sound = true;
    for (int k = 0; k < 4; k++) {
        const float *point = paths->points[paths->index.cubics[segment][k]];
        double x = point[0], y = point[1];
        place[k].x = m[0][0] * x + m[0][1] * y + m[0][2];
        place[k].y = m[1][0] * x + m[1][1] * y + m[1][2];
        sound &= fabs(place[k].x) <= FARTHEST_PX && fabs(place[k].y) <= FARTHEST_PX; /* false for NaN */
    }
    return sound;
}

static Bounds bounds_of(const Point place[4]) {
    Bounds bounds = {place[0].x, place[0].x, place[0].y, place[0].y};
    for (int k = 1; k < 4; k++) {
        bounds.left = min2(bounds.left, place[k].x);
        bounds.right = max2(bounds.right, place[k].x);
        bounds.top = min2(bounds.top, place[k].y);
        bounds.bottom = max2(bounds.bottom, place[k].y);
    }
    return bounds;
}

/* Whether what reaches from `low` to `high` reaches beyond a side of the image, and not only just. */
static bool crosses(double low, double side, double high) {
    return low < side - SHORTEST_PX && high > side + SHORTEST_PX;
}

/* The pieces of a segment, see `bezier.piece_counts`: 1 out of sight, more in thin strokes and at the image's sides. */
static int64_t pieces_of(const Paths *paths, const Point place[4], const Bounds *box, const Pen *pen) {
    double height = (double)paths->height, width = (double)paths->width, farthest = 0, tolerance = paths->tolerance;
    if (box->right + pen->reach <= 0 || box->left - pen->reach >= width || box->bottom + pen->reach <= 0 ||
        box->top - pen->reach >= height) {
        return 1;
    }
    for (int k = 0; k < 2; k++) {
        double x = place[k].x - 2 * place[k + 1].x + place[k + 2].x;
        double y = place[k].y - 2 * place[k + 1].y + place[k + 2].y;
        farthest = max2(farthest, x * x + y * y);
    }
    bool cut = crosses(box->left, 0, box->right) || crosses(box->left, width, box->right) ||
               crosses(box->top, 0, box->bottom) || crosses(box->top, height, box->bottom);
    tolerance *= pen->thin ? IN_THIN : cut ? AT_SIDES : 1;
    return (int64_t)clamp(ceil(sqrt(0.5 / tolerance * sqrt(farthest))), MIN_PIECES, MAX_PIECES);
}

/* Decide how finely the segments of a path are flattened, and which rows its layers may touch.

A segment whose hull, widened by the stroke, misses the image becomes a line: the winding numbers of the image's pixels
stay the same. A path with a number that isn't finite or reaches beyond FARTHEST_PX paints nothing.
*/
static void count_path_pieces(const Paths *paths, int64_t path, Coverage *covered) {
    const Index *index = &paths->index;
    int64_t subpath = index->first_subpath[path], next_subpath = index->first_subpath[path + 1];
    int64_t first = index->first_cubic[subpath], last = index->first_cubic[next_subpath];
    double height = (double)paths->height, top = height, bottom = 0;
    Pen pen = pen_of(paths, path);
    bool sound = has_sound_radius(paths, path);
    for (int64_t segment = first; segment < last; segment++) {
        Point place[4];
        sound &= place_segment(paths, path, segment, place);
        Bounds box = bounds_of(place);
        top = min2(top, box.top);
        bottom = max2(bottom, box.bottom);
        int64_t count = sound ? pieces_of(paths, place, &box, &pen) : 1;
        paths->first_piece[segment + 1] = paths->first_piece[segment] + count;
    }
    int64_t vertices = paths->first_piece[last] - paths->first_piece[first] + 2 * (next_subpath - subpath);
    paths->longest[0] = max_int(paths->longest[0], vertices);
    for (int64_t layer = index->first_layer[path]; layer < index->first_layer[path + 1]; layer++) {
        double more = index->layers[layer][1] == STROKE ? pen.reach : 0;
        int64_t *rows = covered->layer_rows[layer];
        rows[0] = sound ? (int64_t)clamp(floor(top - more), 0, height) : 0;
        rows[1] = sound ? (int64_t)clamp(floor(bottom + more) + 1, 0, height) : 0;
    }
}

/* Decide how finely each segment is flattened, and which rows each layer may touch. */
void count_pieces(const Paths *paths, Coverage *covered) {
    paths->first_piece[0] = paths->longest[0] = 0;
    for (int64_t path = 0; path < paths->index.path_count; path++) {
        count_path_pieces(paths, path, covered);
    }
}

/* The weights of the control points but the first where a piece ends. */
static void weights_at(int64_t piece, int64_t count, double weights[3]) {
    double t = (double)piece / (double)count;
    double within = piece < count ? 0.5 / (double)(count * count) : 0;
    weights[0] = 3 * t * (1 - t) * (1 - t) + (2 - 3 * t) * within;
    weights[1] = 3 * t * t * (1 - t) + (3 * t - 1) * within;
    weights[2] = t * t * t - t * within;
}

static Point point_of(const Paths *paths, int64_t number) {
    return (Point){paths->points[number][0], paths->points[number][1]};
}

/* Write the vertices of a subpath's polyline from `begin` on; the place after the last. */
int64_t flatten(const Paths *paths, int64_t subpath, PolyVertex *poly, int64_t begin) {
    const Index *index = &paths->index;
    int64_t first = index->first_cubic[subpath], stop = index->first_cubic[subpath + 1], n = begin + 1;
    Point start = point_of(paths, index->cubics[first][0]);
    poly[begin] = (PolyVertex){.x = start.x, .y = start.y, .segment = UNKNOWN_SEGMENT};
    for (int64_t segment = first; segment < stop; segment++) {
        const int64_t *points = index->cubics[segment];
        Point origin = point_of(paths, points[0]), rest[3];
        for (int k = 0; k < 3; k++) {
            rest[k] = point_of(paths, points[k + 1]);
            rest[k] = (Point){rest[k].x - origin.x, rest[k].y - origin.y};
        }
        int64_t count = paths->first_piece[segment + 1] - paths->first_piece[segment];
        for (int64_t piece = 1; piece <= count; piece++, n++) {
            double w[3];
            weights_at(piece, count, w);
            poly[n].x = origin.x + w[0] * rest[0].x + w[1] * rest[1].x + w[2] * rest[2].x;
            poly[n].y = origin.y + w[0] * rest[0].y + w[1] * rest[1].y + w[2] * rest[2].y;
            poly[n].segment = piece == count ? segment : NO_CORNER;
        }
    }
    return n;
}

/* The direction of a curve at the beginning or the end of a segment, stored as if it were a piece of the polyline.

That is the direction to the nearest control point not too near, or to its end from there. The side of a stroke that is
across it at this end, and across the polyline's piece farther on, is shorter than that piece: `lost` gets by how much.
The number of the piece that the direction is stored as; `piece` itself if more than half its length were lost, or if
the curve begins the other way.
*/
int32_t tangent(const Paths *paths, int64_t path, Outline *outline, int64_t segment, bool at_end, int32_t piece,
                double *lost) {
    const int64_t *points = paths->index.cubics[segment];
    const PolyVertex *along = &outline->poly[piece];
    int64_t here = points[at_end ? 3 : 0], near = here;
    double shortest = shortest_piece(pixels_per_unit(paths, path)), length_squared = 0;
    Point origin = point_of(paths, here), d = {0, 0};
    for (int step = 1; step < 3; step++) {
        near = points[at_end ? 3 - step : step];
        Point place = point_of(paths, near);
        d = (Point){place.x - origin.x, place.y - origin.y};
        length_squared = dot(d, d);
        if (length_squared > shortest * shortest) {
            break;
        }
    }
    double length = sqrt(max2(length_squared, 1e-30));
    d = at_end ? (Point){-d.x / length, -d.y / length} : (Point){d.x / length, d.y / length};
    double cosine = d.x * along->dx + d.y * along->dy, sine = d.x * along->dy - d.y * along->dx;
    *lost = paths->radii[path] * fabs(sine) / max2(cosine, 1e-12);
    if (length_squared <= shortest * shortest || cosine <= 0 || *lost > 0.5 * along->length) {
        *lost = 0;
        return piece;
    }
    int64_t first = paths->index.first_cubic[paths->index.first_subpath[path]];
    int64_t at = paths->longest[0] + 4 * (segment - first) + (at_end ? 2 : 0);
    outline->poly[at].dx = d.x;
    outline->poly[at].dy = d.y;
    outline->poly[at].length = length;
    outline->source[at] = (int32_t)(at_end ? near : here);
    outline->source[at + 1] = (int32_t)(at_end ? here : near);
    return (int32_t)at;
}

/* Leave out the vertices of a polyline that lie within `shortest` of the last vertex kept, and set the direction and
length of each piece between the vertices that are kept.

The last vertex takes the place of others that lie within `shortest` of it, but never of the first. If a corner is left
out, the vertex kept before it becomes a corner.

`begin` and `end` are the polyline's range in `outline->poly`; `raw` is the number of its first vertex among the
flattened points of the path. Returns the end of the range that is kept.
*/
int64_t measure_pieces(Outline *outline, int64_t begin, int64_t end, int64_t raw, double shortest) {
    PolyVertex *poly = outline->poly;
    int64_t kept = begin;
    outline->source[begin] = (int32_t)raw;
    for (int64_t k = begin + 1; k < end; k++) {
        double x = poly[k].x, y = poly[k].y;
        int64_t segment = poly[k].segment;
        Point d = {x - poly[kept].x, y - poly[kept].y};
        while (dot(d, d) <= shortest * shortest && k == end - 1 && kept > begin) {
            kept--;
            d = (Point){x - poly[kept].x, y - poly[kept].y};
        }
        if (dot(d, d) > shortest * shortest) {
            double length = sqrt(dot(d, d));
            poly[kept].dx = d.x / length;
            poly[kept].dy = d.y / length;
            poly[kept].length = length;
            kept++;
            poly[kept].x = x;
            poly[kept].y = y;
            poly[kept].segment = segment;
            outline->source[kept] = (int32_t)(raw + k - begin);
        } else if (segment > NO_CORNER) {
            poly[kept].segment = max_int(poly[kept].segment, UNKNOWN_SEGMENT);
        }
    }
    return kept + 1;
}

/* SHORTEST_PX in the units of a path. */
double shortest_piece(double scale) { return SHORTEST_PX / max2(scale, 1e-30); }

static void add_scaled(Point *out, double weight, Point grad) {
    out->x += weight * grad.x;
    out->y += weight * grad.y;
}

/* Add the gradient of all flattened points of a path to that of its control points. */
void flatten_backward(const Paths *paths, int64_t path, const Point *grad_flat, Point *grad_points) {
    const Index *index = &paths->index;
    const Point *grad = grad_flat;
    for (int64_t subpath = index->first_subpath[path]; subpath < index->first_subpath[path + 1]; subpath++) {
        int64_t first = index->first_cubic[subpath], stop = index->first_cubic[subpath + 1];
        add_scaled(&grad_points[index->cubics[first][0]], 1, *grad++);
        for (int64_t segment = first; segment < stop; segment++) {
            const int64_t *points = index->cubics[segment];
            int64_t count = paths->first_piece[segment + 1] - paths->first_piece[segment];
            for (int64_t piece = 1; piece <= count; piece++, grad++) {
                if (grad->x == 0 && grad->y == 0) {
                    continue;
                }
                double w[3];
                weights_at(piece, count, w);
                add_scaled(&grad_points[points[0]], 1 - w[0] - w[1] - w[2], *grad);
                for (int k = 0; k < 3; k++) {
                    add_scaled(&grad_points[points[k + 1]], w[k], *grad);
                }
            }
        }
    }
}
