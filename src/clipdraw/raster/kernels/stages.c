/* The functions that Python calls, on all threads of a team at once: forward and backward, in stages.

To wake a thread takes as long as a stage may, so a team goes through all stages in one call. Each returns DONE,
WAITING if other threads are still at their part (it is then called again), or OUT_OF_MEMORY.

Each thread begins with its own part of a stage's work, the same one in each pass: what it works on then is likely to be
in its core's cache. When that is used up it takes chunks of other threads' parts. No memory is kept between calls.
*/
#include <stdlib.h>

#include "kernels.h"

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

/* The stages, each with counters of its own. */
enum { FLATTEN, COVER, LIST_ROWS, COMPOSITE };
enum { COMPOSITE_BACKWARD, SUM_COLORS, COVERAGE_BACKWARD };

EXPORT int cover_all(const Team *team, const Paths *paths, Coverage *covered);
EXPORT int composite_all(const Team *team, const Paths *paths, Coverage *covered, const Paint *paint);
EXPORT int cover_and_composite(const Team *team, const Paths *paths, Coverage *covered, const Paint *paint);
EXPORT int all_backward(const Team *team, const Paths *paths, const Coverage *covered, const Paint *paint,
                        const Gradients *gradients);

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

static int64_t arrive(const Team *team) { return atomic_fetch_add(&team->arrived->value, 1); }

/* Whether all that layers cover was written. */
static bool has_room(const Coverage *covered) {
    for (int kind = 0; kind < KINDS; kind++) {
        if (atomic_load(&covered->claimed[kind]) > covered->capacity[kind]) {
            return false;
        }
    }
    return true;
}

/* List the spans of each row in the order of layers, and note their layers; false if there is no memory. */
static bool list_rows(const Paths *paths, Coverage *covered) {
    int64_t layers = paths->index.layer_count, rows = paths->rows, total = 0;
    int64_t *first = covered->first_in_row, *place = malloc((size_t)(covered->row_count + 1) * sizeof(int64_t));
    if (!place) {
        return false;
    }
    for (int64_t row = 0; row <= covered->row_count; row++) {
        first[row] = 0;
    }
    for (int64_t layer = 0; layer < layers; layer++) {
        int64_t base = covered->drawing_index[layer] * rows, begin = covered->first[layer][SPANS];
        for (int64_t span = begin; span < begin + covered->counts[layer][SPANS]; span++) {
            first[base + covered->spans[span].row + 1]++;
        }
    }
    for (int64_t row = 0; row <= covered->row_count; row++) {
        total += first[row];
        first[row] = place[row] = total;
    }
    for (int64_t layer = 0; layer < layers; layer++) {
        int64_t base = covered->drawing_index[layer] * rows, begin = covered->first[layer][SPANS];
        for (int64_t span = begin; span < begin + covered->counts[layer][SPANS]; span++) {
            int64_t row = base + covered->spans[span].row;
            covered->row_spans[place[row]++] = (int32_t)span;
            covered->spans[span].row = (int32_t)layer;
        }
    }
    free(place);
    return true;
}

static int cover_as(int64_t own, const Team *team, const Paths *paths, Coverage *covered) {
    if (claim_whole(team, FLATTEN)) { /* before others are awake */
        count_pieces(paths, covered);
        mark_done(team, FLATTEN, 1);
    }
    int state = wait_done(team, FLATTEN, 1);
    if (state == DONE) {
        state = coverage(team, COVER, own, paths, covered);
    }
    if (state == DONE) {
        state = wait_done(team, COVER, paths->index.layer_count);
    }
    if (state != DONE || !has_room(covered)) {
        return state;
    }
    if (claim_whole(team, LIST_ROWS)) {
        if (!list_rows(paths, covered)) {
            return fail(team);
        }
        mark_done(team, LIST_ROWS, 1);
    }
    return wait_done(team, LIST_ROWS, 1);
}

static int composite_as(int64_t own, const Team *team, const Paths *paths, Coverage *covered, const Paint *paint) {
    int state = composite(team, COMPOSITE, own, paths, covered, paint);
    return state == DONE ? wait_done(team, COMPOSITE, covered->row_count) : state;
}

/* Flatten paths, find what layers cover and list the spans of each row; the last only if there was room for all. */
int cover_all(const Team *team, const Paths *paths, Coverage *covered) {
    return cover_as(arrive(team), team, paths, covered);
}

/* Composite what is covered. */
int composite_all(const Team *team, const Paths *paths, Coverage *covered, const Paint *paint) {
    return composite_as(arrive(team), team, paths, covered, paint);
}

/* Both, the second only if there was room for what is covered. */
int cover_and_composite(const Team *team, const Paths *paths, Coverage *covered, const Paint *paint) {
    int64_t own = arrive(team);
    int state = cover_as(own, team, paths, covered);
    return state == DONE && has_room(covered) ? composite_as(own, team, paths, covered, paint) : state;
}

/* From the gradient of the images to those of paint and of geometry. */
int all_backward(const Team *team, const Paths *paths, const Coverage *covered, const Paint *paint,
                 const Gradients *gradients) {
    int64_t own = arrive(team), paths_moved = gradients->geometry_requires_grad ? paths->index.path_count : 0;
    int state = composite_backward(team, COMPOSITE_BACKWARD, own, paths, covered, paint, gradients);
    if (state == DONE) {
        state = wait_done(team, COMPOSITE_BACKWARD, covered->row_count);
    }
    if (state != DONE) {
        return state;
    }
    if (claim_whole(team, SUM_COLORS)) {
        sum_colors(paths, covered, paint, gradients);
        mark_done(team, SUM_COLORS, 1);
    }
    if (paths_moved) {
        state = coverage_backward(team, COVERAGE_BACKWARD, own, paths, covered, gradients);
    }
    if (state == DONE) {
        state = wait_done(team, COVERAGE_BACKWARD, paths_moved);
    }
    return state == DONE ? wait_done(team, SUM_COLORS, 1) : state;
}
