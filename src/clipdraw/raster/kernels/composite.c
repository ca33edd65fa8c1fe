/* Spans to images, and their gradients back. */
#include <stdlib.h>
#include <string.h>

#include "kernels.h"

/* Rows that a thread takes at a time: the coverage of neighboring rows shares cache lines, and threads that write to
one cache line wait for each other. */
#define CHUNK 8

static inline Color spread(float value) { return (Color){value, value, value, value}; }

static inline int64_t layer_of(Span span) { return span.row < 0 ? -1 - span.row : span.row; }

/* Read a row of images, drawings x 3 x rows x width, as pixels whose fourth number is 0. */
void read_row(const float *image, const Paths *paths, int64_t row, Color *line) {
    int64_t width = paths->width, area = paths->rows * width;
    const float *red = image + row / paths->rows * 3 * area + row % paths->rows * width;
    for (int64_t x = 0; x < width; x++) {
        line[x] = (Color){red[x], red[area + x], red[2 * area + x], 0};
    }
}

/* Write a row of pixels into images, without the fourth number. */
void write_row(float *image, const Paths *paths, int64_t row, const Color *line) {
    int64_t width = paths->width, area = paths->rows * width;
    float *red = image + row / paths->rows * 3 * area + row % paths->rows * width;
    for (int channel = 0; channel < 3; channel++) {
        for (int64_t x = 0; x < width; x++) {
            red[channel * area + x] = line[x][channel];
        }
    }
}

/* Read the background of a row: a color, or a row of an image. */
void read_background(const Paint *paint, const Paths *paths, int64_t row, Color *line) {
    if (paint->background_is_image) {
        read_row(paint->background, paths, row, line);
        return;
    }
    const float *color = paint->background + row / paths->rows * 3;
    for (int64_t x = 0; x < paths->width; x++) {
        line[x] = (Color){color[0], color[1], color[2], 0};
    }
}

/* Mark the spans of a row that opaque paint above hides entirely: `row`, which holds the layer, becomes -1 - layer.

The backward pass still needs their colors, for the gradient of the opacity above them. `hidden` is scratch, one for
each column.
*/
static void hide_covered_spans(const Coverage *covered, const Paint *paint, int64_t row, int64_t width, bool *hidden) {
    memset(hidden, 0, (size_t)width);
    for (int64_t k = covered->first_in_row[row + 1] - 1; k >= covered->first_in_row[row]; k--) {
        Span *span = &covered->spans[covered->row_spans[k]];
        int32_t layer = span->row;
        bool seen = false;
        for (int32_t x = span->left; x < span->right; x++) {
            seen |= !hidden[x];
        }
        if (!seen) {
            span->row = -1 - layer;
        } else if (paint->first_own[layer] < 0 && paint->colors[layer][3] == 1) {
            const float *coverage = covered->coverage + covered->first[layer][FRAGMENTS] + span->fragment;
            for (int32_t x = span->left; x < span->right; x++) {
                hidden[x] |= coverage[x - span->left] == 1;
            }
        }
    }
}

/* Composite a span of one color over a line: I <- I + alpha (c - I), with alpha = coverage x opacity. */
static inline void composite_span(Color *line, int32_t length, const float *coverage, Color color) {
    float opacity = color[3];
    for (int32_t k = 0; k < length; k++) {
        line[k] += spread(coverage[k] * opacity) * (color - line[k]);
    }
}

/* As `composite_span`; `beneath` gets the line as it was before. */
static inline void composite_span_saving(Color *line, int32_t length, const float *coverage, Color color,
                                         Color *beneath) {
    float opacity = color[3];
    for (int32_t k = 0; k < length; k++) {
        Color old = line[k];
        beneath[k] = old;
        line[k] = old + spread(coverage[k] * opacity) * (color - old);
    }
}

/* Take a span of one color off a line; return the gradient of the color and, as its fourth number, of the opacity.

`grad` holds T g, the gradient of the line with the span, and gets that of the line without it. The gradient of the
coverage takes the coverage's place.
*/
static inline Color composite_span_backward(Color *grad, int32_t length, float *coverage, Color color,
                                            const Color *beneath) {
    float opacity = color[3], grad_opacity = 0;
    Color total = spread(0);
    for (int32_t k = 0; k < length; k++) {
        Color grad_line = grad[k], terms = grad_line * (color - beneath[k]);
        float covered = coverage[k], grad_alpha = (terms[0] + terms[2]) + (terms[1] + terms[3]);
        Color taken = spread(covered) * grad_line;
        total += taken;
        grad_opacity += covered * grad_alpha;
        coverage[k] = grad_alpha * opacity;
        grad[k] = grad_line - spread(opacity) * taken;
    }
    total *= spread(opacity);
    total[3] = grad_opacity;
    return total;
}

/* Composite a span whose fragments have a color each; `beneath`, if it isn't NULL, gets the line as it was before. */
static void composite_colors(Color *line, int32_t length, const float *coverage, const Color *colors, Color *beneath) {
    for (int32_t k = 0; k < length; k++) {
        Color old = line[k];
        if (beneath) {
            beneath[k] = old;
        }
        line[k] = old + spread(coverage[k] * colors[k][3]) * (colors[k] - old);
        line[k][3] = 0;
    }
}

/* As `composite_span_backward`; `grad_colors` gets the gradients of the colors. */
static void composite_colors_backward(Color *grad, int32_t length, float *coverage, const Color *colors,
                                      const Color *beneath, Color *grad_colors) {
    for (int32_t k = 0; k < length; k++) {
        Color color = colors[k], grad_line = grad[k], terms = grad_line * (color - beneath[k]);
        float covered = coverage[k], opacity = color[3], grad_alpha = terms[0] + terms[1] + terms[2];
        Color taken = spread(covered * opacity) * grad_line;
        grad[k] = grad_line - taken;
        taken[3] = covered * grad_alpha;
        grad_colors[k] = taken;
        coverage[k] = grad_alpha * opacity;
    }
}

/* Composite the layers over one row, back to front; return the number of its fragments.

`line` holds the background and gets the image. `beneath`, if it isn't NULL, gets the color under each fragment.
*/
int64_t composite_row(const Coverage *covered, const Paint *paint, int64_t row, Color *line, Color *beneath) {
    int64_t used = 0;
    for (int64_t k = covered->first_in_row[row]; k < covered->first_in_row[row + 1]; k++) {
        Span span = covered->spans[covered->row_spans[k]];
        int64_t layer = layer_of(span), first_color = paint->first_own[layer];
        int32_t length = span.right - span.left;
        const float *coverage = covered->coverage + covered->first[layer][FRAGMENTS] + span.fragment;
        Color *under = beneath ? beneath + used : NULL;
        used += length;
        if (first_color >= 0 && (span.row >= 0 || beneath)) {
            const Color *colors = paint->own_colors + first_color + span.fragment;
            composite_colors(line + span.left, length, coverage, colors, under);
        } else if (beneath) {
            composite_span_saving(line + span.left, length, coverage, paint->colors[layer], under);
        } else if (span.row >= 0) { /* it isn't hidden */
            composite_span(line + span.left, length, coverage, paint->colors[layer]);
        }
    }
    return used;
}

/* `composite_row` where strokes hide the fills of their own path; -1 if there is no memory. */
static int64_t composite_groups(const Coverage *covered, const Paint *paint, int64_t row, Color *line) {
    float *kept = alloc(count_fragments(covered, row), sizeof(float));
    if (!kept) {
        return -1;
    }
    apply_group_opacity(covered, paint, row, kept);
    int64_t used = composite_row(covered, paint, row, line, NULL);
    restore_coverage(covered, row, kept);
    free(kept);
    return used;
}

static bool has_opaque_layers(const Paths *paths, const Paint *paint) {
    for (int64_t layer = 0; layer < paths->index.layer_count; layer++) {
        if (paint->colors[layer][3] == 1) {
            return true;
        }
    }
    return false;
}

/* Composite all layers over all rows of all images. */
int composite(const Team *team, int stage, int64_t own, const Paths *paths, const Coverage *covered,
              const Paint *paint) {
    bool opaque = has_opaque_layers(paths, paint), *hidden = alloc(paths->width, sizeof(bool));
    Color *line = alloc(paths->width, sizeof(Color));
    bool enough = hidden && line;
    Chunk chunk = claim_chunk(team, stage, own, covered->row_count, CHUNK);
    for (; enough && chunk.begin < chunk.end; chunk = claim_chunk(team, stage, own, covered->row_count, CHUNK)) {
        for (int64_t row = chunk.begin; enough && row < chunk.end; row++) {
            if (opaque) {
                hide_covered_spans(covered, paint, row, paths->width, hidden);
            }
            read_background(paint, paths, row, line);
            paint->used[row] = paint->group_opacities ? composite_groups(covered, paint, row, line)
                                                      : composite_row(covered, paint, row, line, NULL);
            enough = paint->used[row] >= 0;
            write_row(paint->image, paths, row, line);
        }
        mark_done(team, stage, enough ? chunk.end - chunk.begin : 0);
    }
    free(line);
    free(hidden);
    return enough ? DONE : fail(team);
}

/* Take all layers off one row, front to back: `grad` holds the gradient of the image and gets that of the background.

`beneath` holds the color under each of the row's fragments, `top` in number.
*/
static void row_backward(const Coverage *covered, const Paint *paint, const Gradients *gradients, int64_t row,
                         Color *grad, const Color *beneath, int64_t top) {
    for (int64_t k = covered->first_in_row[row + 1] - 1; k >= covered->first_in_row[row]; k--) {
        int32_t number = covered->row_spans[k];
        Span span = covered->spans[number];
        int64_t layer = layer_of(span), first_color = paint->first_own[layer];
        int32_t length = span.right - span.left;
        float *coverage = covered->coverage + covered->first[layer][FRAGMENTS] + span.fragment;
        top -= length;
        if (span.row < 0) { /* it is hidden */
            gradients->grad_spans[number] = spread(0);
            memset(coverage, 0, (size_t)length * sizeof(float));
            if (first_color >= 0) {
                memset(gradients->grad_own_colors + first_color + span.fragment, 0, (size_t)length * sizeof(Color));
            }
        } else if (first_color >= 0) {
            int64_t first = first_color + span.fragment;
            composite_colors_backward(grad + span.left, length, coverage, paint->own_colors + first, beneath + top,
                                      gradients->grad_own_colors + first);
        } else {
            gradients->grad_spans[number] =
                composite_span_backward(grad + span.left, length, coverage, paint->colors[layer], beneath + top);
        }
    }
}

/* Turn the gradient of the images into those of the coverage, of each span's color and of the background.

Each row is composited again to find the color beneath each fragment: keeping these colors from the forward pass would
take more time, for their memory. The gradient of the coverage takes the coverage's place.
*/
int composite_backward(const Team *team, int stage, int64_t own, const Paths *paths, const Coverage *covered,
                       const Paint *paint, const Gradients *gradients) {
    int64_t most = 1, width = paths->width;
    for (int64_t row = 0; row < covered->row_count; row++) {
        most = max_int(most, paint->used[row]);
    }
    Color *beneath = alloc(most, sizeof(Color)), *line = alloc(width, sizeof(Color)), *grad = alloc(width, sizeof(Color));
    float *kept = alloc(paint->group_opacities ? most : 0, sizeof(float));
    bool enough = beneath && line && grad && kept;
    Chunk chunk = claim_chunk(team, stage, own, covered->row_count, CHUNK);
    for (; enough && chunk.begin < chunk.end; chunk = claim_chunk(team, stage, own, covered->row_count, CHUNK)) {
        for (int64_t row = chunk.begin; row < chunk.end; row++) {
            read_background(paint, paths, row, line);
            read_row(gradients->grad_image, paths, row, grad);
            if (paint->group_opacities) {
                apply_group_opacity(covered, paint, row, kept);
            }
            int64_t top = composite_row(covered, paint, row, line, beneath);
            row_backward(covered, paint, gradients, row, grad, beneath, top);
            if (paint->group_opacities) {
                apply_group_opacity_backward(covered, paint, gradients, row, kept);
            }
            if (gradients->grad_background) {
                write_row(gradients->grad_background, paths, row, grad);
            }
        }
        mark_done(team, stage, chunk.end - chunk.begin);
    }
    free(beneath);
    free(line);
    free(grad);
    free(kept);
    return enough ? DONE : fail(team);
}

/* Add up the color gradients of each layer that has one color over its spans, top to bottom. */
void sum_colors(const Paths *paths, const Coverage *covered, const Paint *paint, const Gradients *gradients) {
    for (int64_t layer = 0; layer < paths->index.layer_count; layer++) {
        double total[4] = {0};
        int64_t first = covered->first[layer][SPANS];
        int64_t last = first + (paint->first_own[layer] < 0 ? covered->counts[layer][SPANS] : 0);
        for (int64_t span = first; span < last; span++) {
            for (int channel = 0; channel < 4; channel++) {
                total[channel] += gradients->grad_spans[span][channel];
            }
        }
        gradients->grad_colors[layer] = (Color){(float)total[0], (float)total[1], (float)total[2], (float)total[3]};
    }
}
