/* The coverage of layers, in spans of pixels, and back from the gradient of coverage to control points. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels.h"

/* Layers, or paths, claimed at a time. */
#define CHUNK 2
/* Winding numbers nearer to a whole number than this are taken for that. */
#define NOISE 1e-9
/* Fewer untouched pixels than this don't end a span: so many fragments take as much memory as a span does. */
#define BRIDGE 11
/* Memory at first is for so many. */
#define FIRST_EDGES 1024
#define FIRST_PIXELS 4096

/* Sum the changes of each row up to the winding numbers of its pixels. */
static void sum_windings(Grid *grid, int64_t pixels) {
    double *winding = grid->winding;
    for (int64_t row = 0; row < grid->end_row - grid->first_row; row++) {
        const RowBounds *bounds = &grid->row_bounds[row];
        double total = 0;
        for (int64_t k = bounds->pixel; k < bounds->pixel + bounds->right - bounds->left; k++) {
            total += winding[k];
            winding[k] = total;
        }
    }
    for (int64_t k = 0; k < pixels; k++) {
        double whole = nearest(winding[k]);
        winding[k] = fabs(winding[k] - whole) < NOISE ? whole : winding[k];
    }
}

/* From winding numbers to coverage, and its derivative, where one line parts a pixel at most: even-odd. */
static void fold_windings(Grid *grid, int64_t pixels) {
    for (int64_t k = 0; k < pixels; k++) {
        double half = grid->winding[k] / 2, whole = nearest(half);
        double phase = grid->winding[k] - 2 * (whole > half ? whole - 1 : whole);
        grid->winding[k] = phase < 1 ? phase : 2 - phase;
        grid->slope[k] = phase < 1 ? 1 : -1;
    }
}

/* The same for all other rules. */
static void limit_windings(Grid *grid, int64_t pixels) {
    for (int64_t k = 0; k < pixels; k++) {
        double wound = grid->winding[k], sign = wound >= 0 ? 1 : -1;
        grid->winding[k] = min2(fabs(wound), 1);
        grid->slope[k] = (float)(fabs(wound) >= 1 ? 0 : sign);
    }
}

/* From winding numbers to coverage; that of pixels with overlaps is there already. */
static void find_coverage(Grid *grid, int64_t pixels, int64_t rule) {
    if (rule == EVENODD) {
        fold_windings(grid, pixels);
    } else {
        limit_windings(grid, pixels);
    }
    for (int64_t k = 0; k < pixels; k++) {
        grid->slope[k] = grid->state[k] == OVERLAPPING ? 1 : grid->slope[k];
    }
}

static bool is_covered(const Grid *grid, int64_t pixel) {
    return grid->state[pixel] != UNTOUCHED || grid->winding[pixel] != 0;
}

/* Find the spans of pixels that a layer covers or that its edges go through, and the fragment of each pixel. */
static void find_spans(const Paths *paths, Grid *grid) {
    int32_t spans = 0, total = 0;
    for (int64_t row = 0; row < grid->end_row - grid->first_row; row++) {
        const RowBounds *bounds = &grid->row_bounds[row];
        int64_t k = bounds->pixel, end = k + max_int(0, bounds->right - bounds->left);
        while (k < end) {
            if (!is_covered(grid, k)) {
                k++;
                continue;
            }
            int64_t begin = k, last = k;
            for (; k < end && k - last <= BRIDGE; k++) {
                last = is_covered(grid, k) ? k : last;
            }
            for (int64_t pixel = begin; pixel <= last; pixel++) {
                grid->fragment[pixel] = total + (int32_t)(pixel - begin);
            }
            int32_t left = (int32_t)(bounds->left + begin - bounds->pixel), length = (int32_t)(last + 1 - begin);
            grid->spans[spans++] =
                (Span){(int32_t)(grid->first_row - paths->top + row), left, left + length, (int32_t)begin};
            total += length;
        }
    }
    grid->span_count = spans;
    grid->fragment_count = total;
}

/* Put the chords that bound what is painted first, with their fragments instead of their pixels and with the
derivatives of coverage; `edge_end` gets the end of those of each edge.
*/
static void keep_boundaries(Grid *grid, int32_t edges) {
    int32_t count = 0, *edge_end = grid->edge_end;
    memset(edge_end, 0, (size_t)edges * sizeof(int32_t));
    for (int32_t k = 0; k < grid->chord_count; k++) {
        const Chord *chord = &grid->chords[k];
        float slope = grid->slope[chord->pixel], one = slope * chord->weights[0], two = slope * chord->weights[1];
        int32_t fragment = grid->fragment[chord->pixel], edge = chord->edge;
        Chord *kept = &grid->chords[count];
        kept->pixel = fragment;
        kept->weights[0] = one;
        kept->weights[1] = two;
        count += one != 0 || two != 0;
        edge_end[edge] = count;
    }
    for (int32_t edge = 1; edge < edges; edge++) {
        edge_end[edge] = edge_end[edge] > edge_end[edge - 1] ? edge_end[edge] : edge_end[edge - 1];
    }
    grid->chord_count = count;
}

/* Claim room for a layer; false if there is not enough. */
static bool claim(Coverage *found, int64_t layer, const int64_t counts[KINDS]) {
    int64_t first[KINDS];
    bool fits = true;
    for (int kind = 0; kind < KINDS; kind++) {
        first[kind] = atomic_fetch_add(&found->claimed[kind], counts[kind]);
        fits &= first[kind] + counts[kind] <= found->capacity[kind];
    }
    for (int kind = 0; fits && kind < KINDS; kind++) {
        found->first[layer][kind] = first[kind];
        found->counts[layer][kind] = counts[kind];
    }
    return fits;
}

/* Write the spans, coverage and chords of a layer to the room that it claimed. */
static void store(const Grid *grid, Coverage *found, int64_t layer) {
    const int64_t *first = found->first[layer], *counts = found->counts[layer];
    float *coverage = found->coverage + first[FRAGMENTS];
    int32_t fragment = 0;
    for (int32_t k = 0; k < grid->span_count; k++) {
        Span span = grid->spans[k];
        const double *covered = grid->winding + span.fragment;
        for (int32_t pixel = 0; pixel < span.right - span.left; pixel++) {
            coverage[fragment + pixel] = (float)covered[pixel];
        }
        found->spans[first[SPANS] + k] = (Span){span.row, span.left, span.right, fragment};
        fragment += span.right - span.left;
    }
    for (int64_t k = 0; k < counts[CHORDS]; k++) {
        found->chord_fragment[first[CHORDS] + k] = grid->chords[k].pixel;
        memcpy(found->chord_weights[first[CHORDS] + k], grid->chords[k].weights, 2 * sizeof(float));
    }
    if (counts[EDGES]) {
        memcpy(found->edge_end + first[EDGES], grid->edge_end, (size_t)counts[EDGES] * sizeof(int32_t));
    }
}

/* Find what one layer covers, of which the outline and the row_bounds are known. */
static void cover_layer(const Paths *paths, int64_t layer, const Outline *outline, Grid *grid, int64_t pixels,
                        Coverage *found) {
    memset(grid->winding, 0, (size_t)pixels * sizeof(double));
    for (int64_t k = 0; k < pixels; k++) {
        grid->state[k] = UNTOUCHED;
    }
    add_edges(grid, outline);
    sum_windings(grid, pixels);
    mark_border_edges(grid);
    overlap_coverage(paths, layer, outline, grid);
    find_coverage(grid, pixels, paths->index.layers[layer][1]);
    find_spans(paths, grid);
    keep_boundaries(grid, outline->edges);
    bool kept = found->for_gradients;
    int64_t counts[KINDS] = {grid->fragment_count, kept ? grid->chord_count : 0, grid->span_count,
                             kept ? outline->edges : 0};
    if (claim(found, layer, counts)) {
        store(grid, found, layer);
    }
}

/* Build a layer's outline, in more memory if need be; false if there is none. */
static bool outline_layer(const Paths *paths, int64_t layer, Outline *outline) {
    while (!build_outline(paths, layer, outline)) {
        int64_t capacity = 4 * outline->capacity;
        free_outline(outline);
        if (!alloc_outline(outline, paths, capacity)) {
            return false;
        }
    }
    return true;
}

/* Set the rows of a layer, and which of them are in the band; false if none is. */
static bool place_grid(const Paths *paths, const Coverage *found, int64_t layer, Grid *grid) {
    grid->top = found->layer_rows[layer][0];
    grid->bottom = found->layer_rows[layer][1];
    grid->width = paths->width;
    grid->first_row = max_int(grid->top, paths->top);
    grid->end_row = min_int(grid->bottom, paths->top + paths->rows);
    return grid->first_row < grid->end_row;
}

/* Ask for more room than there is for a layer that is too large for this band. */
static void refuse_layer(Coverage *found, int64_t size) {
    atomic_fetch_add(&found->claimed[FRAGMENTS], (found->capacity[FRAGMENTS] + 1) * (size / found->most + 1));
}

/* Whether so much room was asked for that the band must be a lot smaller. */
static bool is_hopeless(const Coverage *found) {
    return found->most < INT32_MAX && atomic_load(&found->claimed[FRAGMENTS]) / 4 > found->capacity[FRAGMENTS];
}

/* Find the row_bounds of a layer, and memory for its pixels, chords and edges; false if there is none.

`pixels` gets the number of pixels, -1 if the layer is too large for this band.
*/
static bool measure_layer(const Paths *paths, Coverage *found, int64_t layer, const Outline *outline, Grid *grid,
                          int64_t *pixels) {
    place_grid(paths, found, layer, grid);
    int64_t chords = measure_row_bounds(grid, outline, pixels);
    if (max_int(*pixels, chords) > found->most) {
        refuse_layer(found, max_int(*pixels, chords));
        *pixels = -1;
        return true;
    }
    if (*pixels <= grid->pixel_capacity && chords <= grid->chord_capacity && outline->edges <= grid->edge_capacity) {
        return true;
    }
    int64_t more_pixels = *pixels > grid->pixel_capacity ? 2 * *pixels : grid->pixel_capacity;
    int64_t more_chords = chords > grid->chord_capacity ? 2 * chords : grid->chord_capacity;
    free_grid(grid);
    if (!alloc_grid(grid, paths->rows, more_pixels, more_chords, outline->capacity)) {
        return false;
    }
    place_grid(paths, found, layer, grid);
    measure_row_bounds(grid, outline, pixels);
    return true;
}

/* Find what all layers cover: their fragments, chords, spans and edges.

`found->claimed` gets the numbers of them all. Those for which there is no room are not written.
*/
int coverage(const Team *team, int stage, int64_t own, const Paths *paths, Coverage *found) {
    Outline outline;
    Grid grid;
    bool outline_made = alloc_outline(&outline, paths, FIRST_EDGES), enough = outline_made;
    enough &= alloc_grid(&grid, paths->rows, FIRST_PIXELS, FIRST_PIXELS, FIRST_EDGES);
    Chunk chunk = claim_chunk(team, stage, own, paths->index.layer_count, CHUNK);
    for (; enough && chunk.begin < chunk.end;
         chunk = claim_chunk(team, stage, own, paths->index.layer_count, CHUNK)) {
        for (int64_t layer = chunk.begin; enough && layer < chunk.end; layer++) {
            memset(found->counts[layer], 0, sizeof found->counts[layer]);
            if (!place_grid(paths, found, layer, &grid) || is_hopeless(found)) {
                continue;
            }
            int64_t pixels;
            enough = outline_layer(paths, layer, &outline) &&
                     measure_layer(paths, found, layer, &outline, &grid, &pixels);
            if (enough && pixels >= 0) {
                cover_layer(paths, layer, &outline, &grid, pixels, found);
            }
        }
        mark_done(team, stage, enough ? chunk.end - chunk.begin : 0);
    }
    free_grid(&grid);
    free_outline(&outline);
    return enough ? DONE : fail(team);
}

/* Add up the gradients of the ends of a layer's edges.

Where a boundary moves by (x, y), the area on its right grows by dx y - dy x for each step (dx, dy) along it.
*/
static void edges_backward(const Coverage *found, int64_t layer, const Outline *outline, Point *grad_vertices) {
    const int64_t *first = found->first[layer];
    const float *grad = found->coverage + first[FRAGMENTS];
    const int32_t *fragment = found->chord_fragment + first[CHORDS], *edge_end = found->edge_end + first[EDGES];
    const float(*weights)[2] = (const float(*)[2])found->chord_weights + first[CHORDS];
    int32_t k = 0;
    for (int32_t edge = 0; edge < outline->edges; edge++) {
        double start = 0, end = 0;
        if (k == edge_end[edge]) {
            continue;
        }
        for (; k < edge_end[edge]; k++) {
            start += grad[fragment[k]] * weights[k][0];
            end += grad[fragment[k]] * weights[k][1];
        }
        int32_t a = outline->edge[edge].from, b = outline->edge[edge].to;
        double dx = outline->vertex[b].x - outline->vertex[a].x, dy = outline->vertex[b].y - outline->vertex[a].y;
        grad_vertices[a].x -= start * dy;
        grad_vertices[a].y += start * dx;
        grad_vertices[b].x -= end * dy;
        grad_vertices[b].y += end * dx;
    }
}

/* Memory for the gradients of outlines of some capacity, and of a path's flattened points. */
typedef struct {
    int64_t capacity;
    Outline outline;
    Point *grad_vertices, *grad_flat;
} Backward;

/* The gradients of one path's geometry; false if there is no memory. */
static bool path_backward(const Paths *paths, const Coverage *found, const Gradients *gradients, int64_t path,
                          Backward *memory) {
    const Index *index = &paths->index;
    int64_t first = index->first_subpath[path], last = index->first_subpath[path + 1];
    int64_t begin = index->first_cubic[first], end = index->first_cubic[last];
    int64_t flat = paths->first_piece[end] - paths->first_piece[begin] + last - first;
    bool touched = false;
    memset(memory->grad_flat, 0, (size_t)flat * sizeof(Point));
    for (int64_t layer = index->first_layer[path]; layer < index->first_layer[path + 1]; layer++) {
        if (found->counts[layer][CHORDS] == 0) {
            continue;
        }
        if (!outline_layer(paths, layer, &memory->outline)) {
            return false;
        }
        if (memory->capacity < memory->outline.capacity) {
            free(memory->grad_vertices);
            memory->capacity = memory->outline.capacity;
            memory->grad_vertices = alloc(memory->capacity, sizeof(Point));
            if (!memory->grad_vertices) {
                return false;
            }
        }
        if (memory->outline.edges != found->counts[layer][EDGES]) { /* somebody has moved its points meanwhile */
            continue;
        }
        memset(memory->grad_vertices, 0, (size_t)memory->outline.vertices * sizeof(Point));
        edges_backward(found, layer, &memory->outline, memory->grad_vertices);
        gradients->grad_radii[path] += outline_backward(paths, layer, &memory->outline, memory->grad_vertices,
                                                        memory->grad_flat, gradients);
        touched = true;
    }
    if (touched) {
        flatten_backward(paths, path, memory->grad_flat, gradients->grad_points);
    }
    return true;
}

/* From the gradient of coverage to those of control points, radii and matrices, path by path. */
int coverage_backward(const Team *team, int stage, int64_t own, const Paths *paths, const Coverage *found,
                      const Gradients *gradients) {
    Backward memory = {.capacity = FIRST_EDGES};
    bool enough = alloc_outline(&memory.outline, paths, FIRST_EDGES);
    memory.grad_vertices = alloc(FIRST_EDGES, sizeof(Point));
    memory.grad_flat = alloc(paths->longest[0], sizeof(Point));
    enough &= memory.grad_vertices && memory.grad_flat;
    Chunk chunk = claim_chunk(team, stage, own, paths->index.path_count, CHUNK);
    for (; enough && chunk.begin < chunk.end; chunk = claim_chunk(team, stage, own, paths->index.path_count, CHUNK)) {
        for (int64_t path = chunk.begin; enough && path < chunk.end; path++) {
            if (gradients->geometry_requires_grad[path]) {
                enough = path_backward(paths, found, gradients, path, &memory);
            }
        }
        mark_done(team, stage, enough ? chunk.end - chunk.begin : 0);
    }
    free_outline(&memory.outline);
    free(memory.grad_vertices);
    free(memory.grad_flat);
    return enough ? DONE : fail(team);
}
