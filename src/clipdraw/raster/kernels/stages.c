/* The functions that Python calls, on all threads of a team at once: forward and backward, in stages.

To wake a thread takes as long as a stage may, so a team goes through all stages in one call. Each returns DONE,
WAITING if other threads are still at their part (it is then called again), or OUT_OF_MEMORY.
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
