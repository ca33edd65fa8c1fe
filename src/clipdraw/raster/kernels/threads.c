/* A team of threads: how it divides the work of a stage, and the memory that each of them works with.

Each thread begins with its own part of the work, the same one in each pass: what it works on then is likely to be in
its core's cache. When that is used up it takes chunks of other threads' parts. No memory is kept between calls; where
there is none, functions say so.
*/
#include <stdlib.h>

#include "kernels.h"

/* How often a thread looks whether others are done before it gives up: for a tenth of a millisecond or a few. */
#define SPINS 20000

static Counter *counters_of(const Team *team, int stage) {
    return team->counters + stage * (team->threads + 1);
}

/* The next few of `count` things, at most `size`; begin == end if all are claimed. */
Chunk claim_chunk(const Team *team, int stage, int64_t own, int64_t count, int64_t size) {
    Counter *claimed = counters_of(team, stage);
    for (int64_t turn = 0; turn < team->threads; turn++) {
        int64_t part = (own + turn) % team->threads;
        int64_t first = count * part / team->threads, last = count * (part + 1) / team->threads;
        if (atomic_load(&claimed[part].value) >= last - first) {
            continue;
        }
        int64_t begin = first + atomic_fetch_add(&claimed[part].value, size);
        if (begin < last) {
            return (Chunk){begin, min_int(begin + size, last)};
        }
    }
    return (Chunk){count, count};
}

/* Whether this thread is the first to ask for a stage that one thread does alone. */
bool claim_whole(const Team *team, int stage) {
    return atomic_fetch_add(&counters_of(team, stage)[0].value, 1) == 0;
}

/* Tell that claimed things are done: whoever sees it sees what was written for them, too. */
void mark_done(const Team *team, int stage, int64_t count) {
    atomic_fetch_add(&counters_of(team, stage)[team->threads].value, count);
}

/* Wait a while until all `count` things of a stage are done: DONE, WAITING or OUT_OF_MEMORY. */
int wait_done(const Team *team, int stage, int64_t count) {
    const Counter *done = &counters_of(team, stage)[team->threads];
    for (int spins = 0; spins < SPINS; spins++) {
        if (atomic_load(&done->value) >= count) {
            return DONE;
        }
        if (atomic_load(&team->failed->value)) {
            return OUT_OF_MEMORY;
        }
    }
    return WAITING;
}

/* Tell all threads that one found no memory. */
int fail(const Team *team) {
    atomic_fetch_add(&team->failed->value, 1);
    return OUT_OF_MEMORY;
}

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
