/* The exact area, within one pixel, that outlines wind around; `raster/reference/overlap_area.py` defines it.

Each chord is cut where others cross it. A part is a boundary if only one of its sides is inside: then the painted
area on its right is known, and so is how the area grows when the part moves.
*/
#include "kernels.h"

/* Parts of chords shorter than this, in lengths of their chord, are left out. */
#define SHORTEST_PART 1e-9
/* So many parts are looked at together, in one instruction each. */
#define LANES 2

typedef double Doubles __attribute__((vector_size(LANES * sizeof(double))));
typedef int64_t Integers __attribute__((vector_size(LANES * sizeof(int64_t))));

/* Places on a line from 0 to 1, in order. */
typedef struct {
    int32_t count;
    double at[2 * MOST_CHORDS + 2];
} Cuts;

/* Where chords touch the pixel's left side, and how the winding number there changes downwards. */
typedef struct {
    int32_t count;
    double y[2 * MOST_CHORDS];
    double change[2 * MOST_CHORDS];
    int64_t corner; /* the winding number at the pixel's corner */
} LeftSide;

/* Parts of chords between cuts. */
typedef struct {
    int32_t count;
    Doubles x, y;      /* their middles */
    Doubles border;    /* where rays through the middles begin on the left side */
    Doubles begin, end;
    Doubles chord;
} Parts;

/* Whether a winding number is inside under the fill rule. */
bool is_inside(int64_t winding, int64_t rule) {
    return rule == EVENODD ? winding & 1 : winding != 0;
}

static void insert_cut(Cuts *cuts, double value) {
    int32_t k = cuts->count++;
    for (; k > 0 && cuts->at[k - 1] > value; k--) {
        cuts->at[k] = cuts->at[k - 1];
    }
    cuts->at[k] = value;
}

/* Insert a cut unless it is at an end of the chord or beyond. */
static void insert_inner_cut(Cuts *cuts, double value) {
    if (SHORTEST_PART < value && value < 1 - SHORTEST_PART) {
        insert_cut(cuts, value);
    }
}

/* The events on the left side, from the integral of the winding number along it. */
static void find_left_side(const OverlapScratch *scratch, double integral, LeftSide *side) {
    side->count = 0;
    for (int32_t i = 0; i < scratch->count; i++) {
        const ChordPlace *chord = &scratch->chords[i];
        if (chord->x0 <= 0) { /* it comes in: above, the left side lies beyond the outline */
            side->y[side->count] = chord->y0;
            side->change[side->count++] = -1;
            integral += 1 - chord->y0;
        }
        if (chord->x1 <= 0) {
            side->y[side->count] = chord->y1;
            side->change[side->count++] = 1;
            integral -= 1 - chord->y1;
        }
    }
    side->corner = (int64_t)nearest(integral);
}

/* The winding number on the left side at y, with all changes down to y. */
static int64_t winding_at(const LeftSide *side, double y) {
    double total = 0;
    for (int32_t k = 0; k < side->count; k++) {
        total += side->y[k] <= y ? side->change[k] : 0;
    }
    return side->corner + (int64_t)total;
}

/* The length of the left side that is inside. */
static double inside_length(const LeftSide *side, int64_t rule) {
    if (side->count == 0) {
        return is_inside(side->corner, rule);
    }
    if (side->count == 1) {
        double above = is_inside(side->corner, rule) ? side->y[0] : 0;
        double below = is_inside(side->corner + (int64_t)side->change[0], rule) ? 1 - side->y[0] : 0;
        return above + below;
    }
    Cuts cuts = {2, {0, 1}};
    for (int32_t k = 0; k < side->count; k++) {
        insert_cut(&cuts, side->y[k]);
    }
    double total = 0;
    for (int32_t k = 0; k + 1 < cuts.count; k++) {
        double begin = cuts.at[k], end = cuts.at[k + 1];
        if (end > begin && is_inside(winding_at(side, (begin + end) / 2), rule)) {
            total += end - begin;
        }
    }
    return total;
}

/* Cut two chords where they cross, or where one ends on the other. */
static void cut_pair(const ChordPlace *one, const ChordPlace *two, Cuts *cuts_one, Cuts *cuts_two) {
    Point d = {one->x1 - one->x0, one->y1 - one->y0}, e = {two->x1 - two->x0, two->y1 - two->y0};
    Point a = {two->x0 - one->x0, two->y0 - one->y0}, b = {two->x1 - one->x0, two->y1 - one->y0};
    double side_a = cross(d, a), side_b = cross(d, b), length_one = dot(d, d);
    double near_one = SAME * SAME * length_one;
    bool begins = square(side_a) < near_one, ends = square(side_b) < near_one; /* two on the line of one */
    if (!(begins || ends) && (side_a > 0) == (side_b > 0)) {
        return;
    }
    double side_start = cross(e, a), side_end = cross(e, (Point){a.x - d.x, a.y - d.y}), length_two = dot(e, e);
    double near_two = SAME * SAME * length_two;
    bool begun = square(side_start) < near_two, ended = square(side_end) < near_two; /* one on the line of two */
    if (begins || ends || begun || ended) {
        if (begins) {
            insert_inner_cut(cuts_one, dot(a, d) / length_one);
        }
        if (ends) {
            insert_inner_cut(cuts_one, dot(b, d) / length_one);
        }
        if (begun) {
            insert_inner_cut(cuts_two, -dot(a, e) / length_two);
        }
        if (ended) {
            insert_inner_cut(cuts_two, dot((Point){d.x - a.x, d.y - a.y}, e) / length_two);
        }
    } else if ((side_start > 0) != (side_end > 0)) {
        insert_cut(cuts_one, side_start / (side_start - side_end));
        insert_cut(cuts_two, side_a / (side_a - side_b));
    }
}

static void cut_chords(const OverlapScratch *scratch, Cuts *cuts) {
    for (int32_t i = 0; i < scratch->count; i++) {
        cuts[i].count = 2;
        cuts[i].at[0] = 0;
        cuts[i].at[1] = 1;
        for (int32_t j = 0; j < i; j++) {
            cut_pair(&scratch->chords[i], &scratch->chords[j], &cuts[i], &cuts[j]);
        }
    }
}

/* The change of the winding number along the rays to the middles of some parts, whose own chords don't count. */
static Integers count_windings(const OverlapScratch *scratch, const Parts *parts) {
    Integers total = {0};
    Doubles slope = parts->y - parts->border;
    for (int32_t i = 0; i < scratch->count; i++) {
        const ChordPlace *chord = &scratch->chords[i];
        double dx = chord->x1 - chord->x0, dy = chord->y1 - chord->y0;
        Integers before = parts->x * (chord->y0 - parts->border) - slope * chord->x0 > 0;
        Integers after = parts->x * (chord->y1 - parts->border) - slope * chord->x1 > 0;
        Doubles side = dx * (parts->y - chord->y0) - dy * (parts->x - chord->x0);
        /* between the left side and the place: that lies beyond the chord, seen from the left side */
        Integers beyond = ~((side < 0) ^ after);
        /* one on the other: the first is taken to lie before the second */
        Integers on = side * side < SAME * SAME * (dx * dx + dy * dy);
        Integers earlier = (double)i < parts->chord, other = (double)i != parts->chord;
        beyond = (on & earlier) | (~on & beyond);
        Integers crossed = (before ^ after) & beyond & other;
        total += crossed & ((after & 2) - 1); /* 1 downwards, -1 upwards */
    }
    return total;
}

static void put_part(const OverlapScratch *scratch, int32_t i, double begin, double end, Parts *parts) {
    const ChordPlace *chord = &scratch->chords[i];
    int32_t lane = parts->count++;
    double middle = (begin + end) / 2;
    double x = chord->x0 + middle * (chord->x1 - chord->x0), y = chord->y0 + middle * (chord->y1 - chord->y0);
    x = max2(x, SAME / 2); /* near enough to lie on what spans along the left side */
    parts->x[lane] = x;
    parts->y[lane] = y;
    parts->border[lane] = y + x * (y < 0.5 ? TILT : -TILT); /* rays lean towards the pixel's middle row */
    parts->begin[lane] = begin;
    parts->end[lane] = end;
    parts->chord[lane] = i;
}

/* Add the parts that are boundaries to the weights of their chords; the area on their right. */
static double add_boundaries(OverlapScratch *scratch, const LeftSide *side, int64_t rule, Parts *parts) {
    Integers windings = count_windings(scratch, parts);
    double area = 0;
    for (int32_t lane = 0; lane < parts->count; lane++) {
        int32_t i = (int32_t)parts->chord[lane];
        const ChordPlace *chord = &scratch->chords[i];
        double begin = parts->begin[lane], end = parts->end[lane], border = parts->border[lane];
        double dx = chord->x1 - chord->x0, dy = chord->y1 - chord->y0;
        int64_t upper = winding_at(side, border) + windings[lane];
        /* of both sides, seen along the ray, from the left: down-going edges add 1 */
        upper += dy * parts->x[lane] + dx * (border - parts->y[lane]) > 0;
        bool inside = is_inside(upper, rule);
        if (inside == is_inside(upper - 1, rule)) {
            continue;
        }
        double length = inside ? end - begin : begin - end, middle = (begin + end) / 2;
        scratch->edge_weights[i][0] += length * (1 - middle);
        scratch->edge_weights[i][1] += length * middle;
        area += length * dy * (1 - max2(chord->x0 + middle * dx, SAME));
    }
    parts->count = 0;
    return area;
}

/* The area in [0, 1] that is inside; `integral` is that of the winding number along the pixel's left side. */
double overlap_area(OverlapScratch *scratch, double integral, int64_t rule) {
    LeftSide side;
    Cuts cuts[MOST_CHORDS];
    Parts parts = {0};
    find_left_side(scratch, integral, &side);
    cut_chords(scratch, cuts);
    double area = inside_length(&side, rule);
    for (int32_t i = 0; i < scratch->count; i++) {
        scratch->edge_weights[i][0] = scratch->edge_weights[i][1] = 0;
        for (int32_t k = 0; k + 1 < cuts[i].count; k++) {
            if (cuts[i].at[k + 1] - cuts[i].at[k] < SHORTEST_PART) {
                continue;
            }
            put_part(scratch, i, cuts[i].at[k], cuts[i].at[k + 1], &parts);
            if (parts.count == LANES) {
                area += add_boundaries(scratch, &side, rule, &parts);
            }
        }
    }
    if (parts.count) {
        area += add_boundaries(scratch, &side, rule, &parts);
    }
    return clamp(area, 0, 1);
}
