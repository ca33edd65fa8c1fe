/* The memory that one thread works with. Nothing is kept between calls; where there is none, functions say so. */
#include <stdlib.h>

#include "kernels.h"

/* Memory for some things, NULL if there is none; for 0 things as for 1. */
void *alloc(int64_t count, size_t size) {
    if (count < 0 || count > INT32_MAX) { /* they are numbered in 32 bits */
        return NULL;
    }
    return malloc((size_t)(count ? count : 1) * size);
}

/* Memory for every polyline, and for outlines of up to so many vertices and edges. */
bool alloc_outline(Outline *outline, const Paths *paths, int64_t capacity) {
    const Index *index = &paths->index;
    int64_t most = 0;
    for (int64_t path = 0; path < index->path_count; path++) {
        int64_t first = index->first_subpath[path], last = index->first_subpath[path + 1];
        most = max_int(most, index->first_cubic[last] - index->first_cubic[first]);
    }
    int64_t places = paths->longest[0] + 4 * most;
    *outline = (Outline){
        .capacity = capacity,
        .poly = alloc(places, sizeof(PolyVertex)),
        .source = alloc(places, sizeof(int32_t)),
        .vertex = alloc(capacity, sizeof(Point)),
        .arm = alloc(capacity, sizeof(Arm)),
        .edge = alloc(capacity, sizeof(Edge)),
    };
    return outline->poly && outline->source && outline->vertex && outline->arm && outline->edge;
}

void free_outline(Outline *outline) {
    free(outline->poly);
    free(outline->source);
    free(outline->vertex);
    free(outline->arm);
    free(outline->edge);
    *outline = (Outline){0};
}

/* Memory for layers of up to so many rows, pixels, chords and edges. */
bool alloc_grid(Grid *grid, int64_t rows, int64_t pixels, int64_t chords, int64_t edges) {
    *grid = (Grid){
        .pixel_capacity = pixels,
        .chord_capacity = chords,
        .edge_capacity = edges,
        .row_bounds = alloc(rows, sizeof(RowBounds)),
        .winding = alloc(pixels, sizeof(double)),
        .state = alloc(pixels, sizeof(int32_t)),
        .latest = alloc(pixels, sizeof(int32_t)),
        .chords = alloc(chords, sizeof(Chord)),
        .overlap_pixels = alloc(chords, sizeof(int32_t)),
        .edge_end = alloc(edges, sizeof(int32_t)),
        .slope = alloc(pixels, sizeof(float)),
        .fragment = alloc(pixels, sizeof(int32_t)),
        .spans = alloc(pixels, sizeof(Span)),
    };
    return grid->row_bounds && grid->winding && grid->state && grid->latest && grid->chords && grid->overlap_pixels &&
           grid->edge_end && grid->slope && grid->fragment && grid->spans;
}

void free_grid(Grid *grid) {
    free(grid->row_bounds);
    free(grid->winding);
    free(grid->state);
    free(grid->latest);
    free(grid->chords);
    free(grid->overlap_pixels);
    free(grid->edge_end);
    free(grid->slope);
    free(grid->fragment);
    free(grid->spans);
    *grid = (Grid){0};
}
