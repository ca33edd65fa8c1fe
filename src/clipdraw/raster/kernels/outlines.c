/* Layers to the outlines that are filled, and back to flattened points. */
#include <math.h>

#include "kernels.h"

/* The polyline itself, closed. */
static void outline_fill(Outline *outline, int32_t begin, int32_t end, int64_t raw) {
    int32_t first = outline->vertices, count = end - begin;
    for (int32_t k = 0; k < count; k++) {
        int32_t at = first + k;
        outline->vertex[at] = (Point){outline->poly[begin + k].x, outline->poly[begin + k].y};
        outline->arm[at].stem = begin + k;
        outline->source[begin + k] = (int32_t)(raw + k);
        int32_t next = k + 1 < count ? at + 1 : first;
        outline->edge[outline->edges++] = (Edge){at, next, (int32_t)(raw + begin + k), 0};
    }
    outline->vertices += count;
}

/* Build a layer's outline in pixels; false for want of room. */
bool build_outline(const Paths *paths, int64_t layer, Outline *outline) {
    int64_t path = paths->index.layers[layer][0], rule = paths->index.layers[layer][1], begin = 0, raw = 0;
    double scale = pixels_per_unit(paths, path);
    outline->vertices = outline->edges = 0;
    for (int64_t subpath = paths->index.first_subpath[path]; subpath < paths->index.first_subpath[path + 1];
         subpath++) {
        int64_t end = flatten(paths, subpath, outline->poly, begin), count = end - begin;
        if (max_int(outline->vertices, outline->edges) + count >= outline->capacity) {
            return false;
        }
        if (rule == STROKE) {
            end = measure_pieces(outline, begin, end, raw, shortest_piece(scale));
            if (!outline_strokes(paths, path, subpath, outline, (int32_t)begin, (int32_t)end)) {
                return false;
            }
        } else {
            outline_fill(outline, (int32_t)begin, (int32_t)end, raw);
        }
        begin = end + 1; /* a number left out: the next subpath's pieces don't follow these */
        raw += count;
    }
    const double(*m)[3] = paths->matrices[path];
    for (int32_t v = 0; v < outline->vertices; v++) {
        Point place = outline->vertex[v];
        outline->vertex[v].x = m[0][0] * place.x + m[0][1] * place.y + m[0][2];
        outline->vertex[v].y = m[1][0] * place.x + m[1][1] * place.y + m[1][2];
    }
    return true;
}

static void add_to(Point *out, double x, double y) {
    out->x += x;
    out->y += y;
}

/* Hand the gradient by the angle of a piece, or of a tangent, on to its ends: flattened points or control points. */
static void turn_backward(const Paths *paths, const Outline *outline, int32_t piece, double grad_angle,
                          Point *grad_flat, Point *grad_points) {
    if (grad_angle == 0) {
        return;
    }
    const PolyVertex *along = &outline->poly[piece];
    double scaled = grad_angle / along->length, x = -scaled * along->dy, y = scaled * along->dx;
    int32_t begin = outline->source[piece], end = outline->source[piece + 1];
    Point *grad = piece < paths->longest[0] ? grad_flat : grad_points;
    add_to(&grad[begin], -x, -y);
    add_to(&grad[end], x, y);
}

/* From the gradient of a layer's outline to those of its flattened points and its matrix, and of control points as far
as tangents depend on them. The gradient of its radius.

`grad_vertices` is in pixels; `grad_flat` is added to, as are the gradients of points and matrices.
*/
double outline_backward(const Paths *paths, int64_t layer, const Outline *outline, const Point *grad_vertices,
                        Point *grad_flat, const Gradients *gradients) {
    int64_t path = paths->index.layers[layer][0], rule = paths->index.layers[layer][1];
    const double(*m)[3] = paths->matrices[path];
    double(*grad_matrix)[3] = gradients->grad_matrices[path];
    double radius = paths->radii[path], grad_radius = 0, determinant = m[0][0] * m[1][1] - m[0][1] * m[1][0];
    double inverse = fabs(determinant) > 1e-30 ? 1 / determinant : 0;
    for (int32_t v = 0; v < outline->vertices; v++) {
        Point grad = grad_vertices[v];
        if (grad.x == 0 && grad.y == 0) {
            continue;
        }
        Point px = {outline->vertex[v].x - m[0][2], outline->vertex[v].y - m[1][2]};
        double x = (m[1][1] * px.x - m[0][1] * px.y) * inverse, y = (m[0][0] * px.y - m[1][0] * px.x) * inverse;
        for (int k = 0; k < 2; k++) {
            double by_row = k == 0 ? grad.x : grad.y;
            grad_matrix[k][0] += by_row * x;
            grad_matrix[k][1] += by_row * y;
            grad_matrix[k][2] += by_row;
        }
        grad = (Point){m[0][0] * grad.x + m[1][0] * grad.y, m[0][1] * grad.x + m[1][1] * grad.y};
        const Arm *arm = &outline->arm[v];
        add_to(&grad_flat[outline->source[arm->stem]], grad.x, grad.y);
        if (rule == STROKE) {
            double grad_before = grad.x * arm->x_before + grad.y * arm->y_before;
            double grad_after = grad.x * arm->x_after + grad.y * arm->y_after;
            grad_radius += grad.x * arm->x + grad.y * arm->y;
            turn_backward(paths, outline, arm->before, radius * grad_before, grad_flat, gradients->grad_points);
            turn_backward(paths, outline, arm->after, radius * grad_after, grad_flat, gradients->grad_points);
        }
    }
    return grad_radius;
}
