/* How finely paths are flattened, which rows each layer may touch, and the spans of each row. */
#include <math.h>
#include <stdlib.h>

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

/* The pieces of a segment, see `geometry.piece_counts`: 1 out of sight, more in thin strokes and at the image's sides. */
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

/* List the spans of each row in the order of layers, and note their layers; false if there is no memory. */
bool list_rows(const Paths *paths, Coverage *covered) {
    int64_t layers = paths->index.layer_count, height = paths->height, total = 0;
    int64_t *first = covered->first_in_row, *place = malloc((size_t)(covered->row_count + 1) * sizeof(int64_t));
    if (!place) {
        return false;
    }
    for (int64_t row = 0; row <= covered->row_count; row++) {
        first[row] = 0;
    }
    for (int64_t layer = 0; layer < layers; layer++) {
        int64_t base = covered->drawing_index[layer] * height, begin = covered->first[layer][SPANS];
        for (int64_t span = begin; span < begin + covered->counts[layer][SPANS]; span++) {
            first[base + covered->spans[span].row + 1]++;
        }
    }
    for (int64_t row = 0; row <= covered->row_count; row++) {
        total += first[row];
        first[row] = place[row] = total;
    }
    for (int64_t layer = 0; layer < layers; layer++) {
        int64_t base = covered->drawing_index[layer] * height, begin = covered->first[layer][SPANS];
        for (int64_t span = begin; span < begin + covered->counts[layer][SPANS]; span++) {
            int64_t row = base + covered->spans[span].row;
            covered->row_spans[place[row]++] = (int32_t)span;
            covered->spans[span].row = (int32_t)layer;
        }
    }
    free(place);
    return true;
}
