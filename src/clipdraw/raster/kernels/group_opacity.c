/* Paths whose opacity is that of fill and stroke together: their strokes hide the fills beneath them.

See `index.Index.group_opacities`.
*/
#include "kernels.h"

/* Fragments of a row that belong to one span, and their layer. */
typedef struct {
    int64_t layer;
    int32_t left, right;
    int64_t fragment; /* the first */
    int32_t number;   /* of the span */
} RowSpan;

/* The fraction of a fill that is left beneath a stroke, and its derivative by the stroke's alpha. */
typedef struct {
    double fraction, slope;
} Rest;

static Rest rest_of(double alpha, double opacity) {
    double through = 1 - alpha, least = (1 - opacity) / 2;
    if (through < least) {
        return (Rest){(1 - alpha / opacity) / least, -1 / (opacity * least)};
    }
    return (Rest){(1 - alpha / opacity) / through, (1 - 1 / opacity) / (through * through)};
}

/* The k-th entry of the list of rows. */
static RowSpan row_span(const Coverage *covered, int64_t k) {
    int32_t number = covered->row_spans[k];
    Span span = covered->spans[number];
    int64_t layer = span.row < 0 ? -1 - span.row : span.row;
    return (RowSpan){layer, span.left, span.right, covered->first[layer][FRAGMENTS] + span.fragment, number};
}

/* The opacity of a span's layer in a fragment. */
static float opacity_of(const Coverage *covered, const Paint *paint, const RowSpan *span, int64_t fragment) {
    int64_t own = paint->first_own[span->layer];
    if (own < 0) {
        return paint->colors[span->layer][3];
    }
    return paint->own_colors[own + fragment - covered->first[span->layer][FRAGMENTS]][3];
}

/* The number of fragments of a row. */
int64_t count_fragments(const Coverage *covered, int64_t row) {
    int64_t count = 0;
    for (int64_t k = covered->first_in_row[row]; k < covered->first_in_row[row + 1]; k++) {
        Span span = covered->spans[covered->row_spans[k]];
        count += span.right - span.left;
    }
    return count;
}

/* Leave of the fills of a row what their strokes don't hide; `kept` gets the coverage before, span by span. */
void apply_group_opacity(const Coverage *covered, const Paint *paint, int64_t row, float *kept) {
    float *coverage = covered->coverage;
    for (int64_t k = covered->first_in_row[row]; k < covered->first_in_row[row + 1]; k++) {
        RowSpan stroke = row_span(covered, k);
        double opacity = paint->group_opacities[stroke.layer];
        for (int32_t x = stroke.left; x < stroke.right; x++) {
            *kept++ = coverage[stroke.fragment + x - stroke.left];
        }
        for (int64_t lower = k - 1; opacity != 1 && lower >= covered->first_in_row[row]; lower--) {
            RowSpan fill = row_span(covered, lower);
            if (fill.layer < stroke.layer - 1) {
                break;
            }
            int64_t left = max_int(stroke.left, fill.left), right = min_int(stroke.right, fill.right);
            for (int64_t x = left; fill.layer < stroke.layer && x < right; x++) {
                int64_t fragment = stroke.fragment + x - stroke.left;
                double alpha = (double)coverage[fragment] * opacity_of(covered, paint, &stroke, fragment);
                float *below = &coverage[fill.fragment + x - fill.left];
                *below = (float)(*below * rest_of(alpha, opacity).fraction);
            }
        }
    }
}

/* Give the fragments of a row the coverage back that they had before `apply_group_opacity`. */
void restore_coverage(const Coverage *covered, int64_t row, const float *kept) {
    for (int64_t k = covered->first_in_row[row]; k < covered->first_in_row[row + 1]; k++) {
        RowSpan span = row_span(covered, k);
        for (int32_t x = span.left; x < span.right; x++) {
            covered->coverage[span.fragment + x - span.left] = *kept++;
        }
    }
}

/* From the gradient of what fills cover after `apply_group_opacity` to that before, and to that of the strokes.

The gradients are those of `composite_backward`, that of coverage in its place; all are changed.
*/
void apply_group_opacity_backward(const Coverage *covered, const Paint *paint, const Gradients *gradients, int64_t row,
                                  const float *kept) {
    float *grad = covered->coverage;
    const float *stroke_kept = kept;
    for (int64_t k = covered->first_in_row[row]; k < covered->first_in_row[row + 1]; k++) {
        RowSpan stroke = row_span(covered, k);
        double group = paint->group_opacities[stroke.layer], total = 0;
        int64_t own = paint->first_own[stroke.layer];
        const float *fill_kept = stroke_kept;
        for (int64_t lower = k - 1; group != 1 && lower >= covered->first_in_row[row]; lower--) {
            RowSpan fill = row_span(covered, lower);
            fill_kept -= fill.right - fill.left;
            if (fill.layer < stroke.layer - 1) {
                break;
            }
            int64_t left = max_int(stroke.left, fill.left), right = min_int(stroke.right, fill.right);
            for (int64_t x = left; fill.layer < stroke.layer && x < right; x++) {
                int64_t fragment = stroke.fragment + x - stroke.left, beneath = fill.fragment + x - fill.left;
                double before = stroke_kept[x - stroke.left], opacity = opacity_of(covered, paint, &stroke, fragment);
                Rest rest = rest_of(before * opacity, group);
                double grad_alpha = grad[beneath] * fill_kept[x - fill.left] * rest.slope;
                grad[beneath] = (float)(grad[beneath] * rest.fraction);
                grad[fragment] = (float)(grad[fragment] + grad_alpha * opacity);
                total += grad_alpha * before;
                if (own >= 0) {
                    int64_t at = own + fragment - covered->first[stroke.layer][FRAGMENTS];
                    gradients->grad_own_colors[at][3] = (float)(gradients->grad_own_colors[at][3] + grad_alpha * before);
                }
            }
        }
        if (own < 0) {
            gradients->grad_spans[stroke.number][3] = (float)(gradients->grad_spans[stroke.number][3] + total);
        }
        stroke_kept += stroke.right - stroke.left;
    }
}
