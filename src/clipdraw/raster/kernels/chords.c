/* The chords of a layer, parts of its edges in single pixels, and the winding numbers of its pixels.

Each chord adds the area between itself and the right side of its pixel to the integral of the winding number over that
pixel, and the rest of its height to all pixels right of it.
*/
#include <math.h>

#include "kernels.h"

/* Pixels with edges of more pieces than this may hold overlapping outlines, even if the pieces follow one another:
three may cross.
*/
#define CROWDED 2
/* `Grid.state` of a touched pixel: how many pieces there were, in the lowest bits, and which came last, above. */
#define CROWD_BITS 4
/* A number of pieces that stands for an edge inside the stroke. */
#define INNER ((1 << CROWD_BITS) - 1)
/* Edges over at most so many columns are taken to touch all of them in each of their rows, for the row bounds. */
#define BOX 3

/* An edge in pixels. */
typedef struct {
    double x0, y0, x1, y1;
    int32_t number, piece;
    int inner;
} Line;

/* The next pixels of an edge, from its beginning to its end. */
typedef struct {
    int64_t row, column;
    double begin;  /* where on the edge the chord in the pixel begins */
} Place;

static inline Line line_of(const Outline *outline, int32_t edge) {
    const Edge *e = &outline->edge[edge];
    Point a = outline->vertex[e->from], b = outline->vertex[e->to];
    return (Line){a.x, a.y, b.x, b.y, edge, e->piece, e->inner};
}

/* Whether an edge keeps to the part of the image that its layer may touch. */
static inline bool is_within(const Grid *grid, const Line *line) {
    return min2(line->x0, line->x1) >= 0 && max2(line->x0, line->x1) < (double)grid->width &&
           (double)grid->top <= min2(line->y0, line->y1) && max2(line->y0, line->y1) < (double)grid->bottom;
}

static inline void widen(RowBounds *bounds, int64_t left, int64_t right) {
    bounds->left = min_int(bounds->left, left);
    bounds->right = max_int(bounds->right, right);
}

/* Widen the bounds of the rows of the band that an edge goes through; as many chords as it has there at most. It may
leave the image.
*/
static int64_t widen_row_bounds(Grid *grid, const Line *line) {
    double left = min2(line->x0, line->x1), right = max2(line->x0, line->x1);
    double high = min2(line->y0, line->y1), low = max2(line->y0, line->y1);
    double top = (double)grid->top, bottom = (double)grid->bottom, width = (double)grid->width;
    double slack = 1e-6 + 1e-9 * (fabs(left) + fabs(right) + fabs(high) + fabs(low));
    int64_t first_row = max_int((int64_t)clamp(high - slack, top, bottom), grid->first_row);
    int64_t last_row = min_int((int64_t)min2(max2(low + slack, top - 1), bottom - 1), grid->end_row - 1);
    int64_t first = (int64_t)clamp(left - slack, 0, width);
    int64_t last = (int64_t)min2(max2(right + slack, 0), width - 1) + 1;
    bool box = last - first <= BOX || last_row == first_row || line->y0 == line->y1;
    double slope = box ? 0 : (line->x1 - line->x0) / (line->y1 - line->y0);
    for (int64_t k = first_row; k <= last_row; k++) {
        if (box) {
            widen(&grid->row_bounds[k - grid->first_row], first, last);
            continue;
        }
        double above = min2(max2(high, (double)k - slack), low);
        double below = min2(max2(high, (double)k + 1 + slack), low);
        double one = line->x0 + (above - line->y0) * slope, two = line->x0 + (below - line->y0) * slope;
        double near = max2(min2(one, two), left) - slack, far = min2(max2(one, two), right) + slack;
        int64_t begin = (int64_t)clamp(near, 0, width), end = (int64_t)min2(max2(far, 0), width - 1) + 1;
        widen(&grid->row_bounds[k - grid->first_row], begin, end);
    }
    return last_row < first_row ? 0 : max_int(last - first, 0) + last_row - first_row + 6;
}

/* Find the bounds of each row of the grid in the band; as many chords as there are at most.

`pixels` gets the number of pixels of the grid.
*/
int64_t measure_row_bounds(Grid *grid, const Outline *outline, int64_t *pixels) {
    int64_t chords = 0, rows = grid->end_row - grid->first_row;
    for (int64_t k = 0; k < rows; k++) {
        grid->row_bounds[k] = (RowBounds){grid->width, 0, 0};
    }
    for (int32_t edge = 0; edge < outline->edges; edge++) {
        Line line = line_of(outline, edge);
        if (is_within(grid, &line)) {
            int64_t column = (int64_t)line.x0, next_column = (int64_t)line.x1;
            int64_t row = (int64_t)line.y0, next_row = (int64_t)line.y1;
            int64_t first = min_int(column, next_column), last = max_int(column, next_column) + 1;
            bool box = last - first <= BOX || next_row == row;
            int64_t first_row = max_int(min_int(row, next_row), grid->first_row);
            int64_t last_row = min_int(max_int(row, next_row), grid->end_row - 1);
            if (box || last_row < first_row) {
                chords += last_row < first_row ? 0 : last - first + last_row - first_row + 1;
                for (int64_t k = first_row; k <= last_row; k++) {
                    widen(&grid->row_bounds[k - grid->first_row], first, last);
                }
                continue;
            }
        }
        chords += widen_row_bounds(grid, &line);
    }
    *pixels = 0;
    for (int64_t k = 0; k < rows; k++) {
        grid->row_bounds[k].pixel = *pixels;
        *pixels += max_int(0, grid->row_bounds[k].right - grid->row_bounds[k].left) + 1;
    }
    return chords;
}

/* The state of a pixel after one more edge. */
static inline int32_t next_state(int32_t state, int32_t piece, int inner) {
    int32_t last = state >> CROWD_BITS, crowd = state & INNER;
    int32_t further = piece > last ? piece - last : last - piece; /* a ring's first join is its last piece's */
    if (state == UNTOUCHED) {
        return (piece << CROWD_BITS) + (inner ? INNER : 1);
    }
    if (state == OVERLAPPING || inner || further > 1 || crowd + further > CROWDED) {
        return OVERLAPPING;
    }
    return (piece << CROWD_BITS) + crowd + further;
}

/* Write the chord of an edge in a pixel of the grid, and add it to the pixel's winding number. */
static inline void record_chord(Grid *grid, const Line *line, int64_t pixel, int64_t column, double begin,
                                double end) {
    double length = end - begin, middle = (begin + end) / 2, fall = length * (line->y1 - line->y0);
    double inside = fall * (line->x0 + middle * (line->x1 - line->x0) - (double)column);
    int32_t state = grid->state[pixel], after = next_state(state, line->piece, line->inner);
    int32_t number = grid->chord_count++;
    grid->winding[pixel] += fall - inside;
    grid->winding[pixel + 1] += inside;
    grid->chords[number] = (Chord){
        .begin = begin,
        .end = end,
        .weights = {(float)(length - length * middle), (float)(length * middle)},
        .pixel = (int32_t)pixel,
        .edge = line->number,
        .before = state == UNTOUCHED ? -1 : grid->latest[pixel],
    };
    grid->state[pixel] = after;
    grid->latest[pixel] = number;
    if (after == OVERLAPPING && state != OVERLAPPING) {
        grid->overlap_pixels[grid->overlap_count++] = (int32_t)pixel;
    }
}

/* Whether a row of the layer is in the band. */
static inline bool is_in_band(const Grid *grid, int64_t row) { return grid->first_row <= row && row < grid->end_row; }

/* Whether an edge keeps more than a row away from the band. */
static inline bool misses_band(const Grid *grid, const Line *line) {
    return max2(line->y0, line->y1) < (double)(grid->first_row - 1) ||
           min2(line->y0, line->y1) > (double)(grid->end_row + 1);
}

/* Add an edge that keeps to the image. */
static inline void add_edge_within(Grid *grid, const Line *line) {
    double dx = line->x1 - line->x0, dy = line->y1 - line->y0, begin = 0;
    int64_t column = (int64_t)line->x0, row = (int64_t)line->y0;
    int64_t columns = (int64_t)line->x1 - column, rows = (int64_t)line->y1 - row;
    int64_t step_x = columns > 0 ? 1 : -1, step_y = rows > 0 ? 1 : -1;
    int64_t across = columns > 0 ? columns : -columns, down = rows > 0 ? rows : -rows, steps = across + down;
    double over_x = 1 / dx, over_y = 1 / dy;
    double next_x = across ? ((double)(column + (columns > 0)) - line->x0) * over_x : 2;
    double next_y = down ? ((double)(row + (rows > 0)) - line->y0) * over_y : 2;
    over_x = fabs(over_x);
    over_y = fabs(over_y);
    for (int64_t step = 0; step <= steps; step++) {
        bool sideways = next_x <= next_y;
        double end = step < steps ? min2(min2(next_x, next_y), 1) : 1;
        if (end > begin) {
            if (is_in_band(grid, row)) {
                const RowBounds *bounds = &grid->row_bounds[row - grid->first_row];
                record_chord(grid, line, bounds->pixel + column - bounds->left, column, begin, end);
            }
            begin = end;
        }
        if (sideways) {
            across--;
            column += step_x;
            next_x = across > 0 ? next_x + over_x : 2;
        } else {
            down--;
            row += step_y;
            next_y = down > 0 ? next_y + over_y : 2;
        }
    }
}

/* Add a part of an edge to a pixel. What is left of the image, in column -1, counts only for the winding numbers right
of it.
*/
static void add_part(Grid *grid, const Line *line, const Place *place, double end) {
    if (!is_in_band(grid, place->row)) {
        return;
    }
    const RowBounds *bounds = &grid->row_bounds[place->row - grid->first_row];
    if (place->column < 0) {
        if (bounds->left == 0) {
            grid->winding[bounds->pixel] += (end - place->begin) * (line->y1 - line->y0);
        }
    } else if (bounds->left <= place->column && place->column < bounds->right) {
        record_chord(grid, line, bounds->pixel + place->column - bounds->left, place->column, place->begin, end);
    }
}

/* The pixel, from `first` to the one before `stop`, in which a line at x goes on. */
static int64_t pixel_at(double x, double dx, int64_t first, int64_t stop) {
    double place = clamp(floor(x), (double)(first - 1), (double)stop);
    int64_t number = (int64_t)place - (dx < 0 && place == x);
    return min_int(max_int(number, first), stop - 1);
}

/* The part of an edge in the rows of the grid and left of the image's right side; false for none. */
static bool clip(const Grid *grid, const Line *line, double *low, double *high) {
    double dx = line->x1 - line->x0, dy = line->y1 - line->y0;
    double top = (double)grid->top, bottom = (double)grid->bottom, width = (double)grid->width;
    *low = 0;
    *high = 1;
    if (dy != 0) {
        double one = (top - line->y0) / dy, two = (bottom - line->y0) / dy;
        *low = max2(*low, min2(one, two));
        *high = min2(*high, max2(one, two));
    } else if (!(top <= line->y0 && line->y0 < bottom)) {
        return false;
    }
    if (dx != 0) {
        double right = (width - line->x0) / dx;
        *low = dx > 0 ? *low : max2(*low, right);
        *high = dx > 0 ? min2(*high, right) : *high;
    } else if (line->x0 >= width) {
        return false;
    }
    return *low < *high;
}

/* Add an edge that may reach beyond the image. */
static void add_edge_clipped(Grid *grid, const Line *line) {
    double dx = line->x1 - line->x0, dy = line->y1 - line->y0, low, high;
    if (!clip(grid, line, &low, &high)) {
        return;
    }
    double border = dx != 0 ? -line->x0 / dx : line->x0 < 0 ? 2 : -2; /* where it passes the image's left side */
    bool outside = line->x0 + low * dx < 0 || (dx < 0 && border <= low);
    int64_t down = dy > 0, ahead = dx > 0;
    Place place = {pixel_at(line->y0 + low * dy, dy, grid->top, grid->bottom), -1, low};
    if (!outside) {
        place.column = pixel_at(line->x0 + low * dx, dx, 0, grid->width);
    }
    double next_x = dx != 0 && !(outside && dx <= 0) ? ((double)(place.column + ahead) - line->x0) / dx : INFINITY;
    double next_y = dy != 0 ? ((double)(place.row + down) - line->y0) / dy : INFINITY;
    for (;;) {
        double end = min2(high, min2(next_x, next_y));
        if (end > place.begin) {
            add_part(grid, line, &place, end);
            place.begin = end;
        }
        if (end >= high) {
            return;
        }
        if (next_x <= next_y) {
            place.column += 2 * ahead - 1;
            if (place.column >= grid->width) {
                return;
            }
            next_x = place.column >= 0 ? ((double)(place.column + ahead) - line->x0) / dx : INFINITY;
        } else {
            place.row += 2 * down - 1;
            if (place.row < grid->top || place.row >= grid->bottom) {
                return;
            }
            next_y = ((double)(place.row + down) - line->y0) / dy;
        }
    }
}

/* Record the chords of all edges, and their changes of the winding numbers. */
void add_edges(Grid *grid, const Outline *outline) {
    grid->chord_count = grid->overlap_count = 0;
    for (int32_t edge = 0; edge < outline->edges; edge++) {
        Line line = line_of(outline, edge);
        if (misses_band(grid, &line)) {
            continue;
        }
        if (is_within(grid, &line)) {
            add_edge_within(grid, &line);
        } else {
            add_edge_clipped(grid, &line);
        }
    }
}

/* Take pixels that have edges but lie wholly inside or outside for pixels with overlaps: their edges run along their
borders, and the winding number can't tell which of the sides is painted.
*/
void mark_border_edges(Grid *grid) {
    for (int32_t k = 0; k < grid->chord_count; k++) {
        int32_t pixel = grid->chords[k].pixel;
        if (grid->state[pixel] != OVERLAPPING && grid->winding[pixel] == nearest(grid->winding[pixel])) {
            grid->state[pixel] = OVERLAPPING;
            grid->overlap_pixels[grid->overlap_count++] = pixel;
        }
    }
}
