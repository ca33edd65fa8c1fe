/* The constants and structs of all kernels, and the functions that one file calls of another.

The kernels compute what `raster/reference` defines, with gradients by hand. A drawing goes through them in this
order, and its gradients come back through the `_backward` twins:

    flatten.c            how finely each segment is flattened, which rows each layer may touch; segments to polylines
    outline_strokes.c    polylines to the outlines of strokes
    outlines.c           layers to outlines in pixels
    chords.c             outlines to chords, the parts of edges in single pixels, and winding numbers
    overlap_pixels.c     which pixels hold overlapping outlines, and their chords
    overlap_area.c       the exact area of such a pixel
    coverage.c           winding numbers to coverage, in spans of pixels
    group_opacity.c      fills hidden by the strokes of their own path
    composite.c          spans to images
    stages.c             the functions that Python calls, and how a team of threads divides their work

Geometry is computed in double precision, colors in single precision, both without reordering: every compiler gives
the same bits. No result depends on the number of threads, since each layer, row and path is the work of one thread.
*/
#ifndef CLIPDRAW_KERNELS_H
#define CLIPDRAW_KERNELS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Constants of the same names and meanings as in raster/constants.py and bezier.py; a test compares them. */
#define NONZERO 0
#define EVENODD 1
#define STROKE 2
#define CAP_ROUND 0
#define CAP_BUTT 1
#define CAP_SQUARE 2
#define JOIN_ROUND 0
#define JOIN_BEVEL 1
#define JOIN_MITER 2
#define MIN_PIECES 6
#define MAX_PIECES 2048
#define FARTHEST_PX 1e9
#define SMOOTH_TURN 0.3
#define MITER_AREA_PX 0.005
#define TURNED_BACK -0.9999
#define AT_SIDES 0.45
#define IN_THIN 0.25
#define THIN_PX 1.0
#define SHORTEST_PX 1e-3
#define ARC_TOLERANCE_PX 0.06
#define MOST_ARC_STEPS 256
#define LARGEST_ARC_STEP 0.8
#define MOST_CHORDS 32
#define TILT 0.18347
#define SAME 1e-11
#define BORDER 1e-9
#define ROUNDINGS 4

/* How a call ends. A thread that has waited long for others returns WAITING and is called again. */
enum { OUT_OF_MEMORY = -1, WAITING = 0, DONE = 1 };

/* Kinds of things that are counted for each layer, as the second index of `Coverage.first` and `Coverage.counts`. */
enum { FRAGMENTS, CHORDS, SPANS, EDGES, KINDS };

/* Red, green, blue and one more number: one instruction for all four. */
typedef float Color __attribute__((vector_size(16), aligned(4), may_alias));

typedef struct {
    double x, y;
} Point;

/* ---- Structs that Python hands over; native.py has the same ---- */

/* Where the subpaths, segments and layers of a drawing are. */
typedef struct {
    int64_t path_count, layer_count;
    const int64_t (*cubics)[4];   /* control points of each segment: segments x 4 */
    const int64_t *first_cubic;   /* first segment of each subpath, and the end: subpaths + 1 */
    const int64_t *closed;        /* 1 for closed subpaths: subpaths */
    const int64_t *first_subpath; /* first subpath of each path, and the end: paths + 1 */
    const double (*pens)[3];      /* cap, join and miter limit: paths x 3 */
    const int64_t (*layers)[2];   /* path, and NONZERO, EVENODD or STROKE: layers x 2 */
    const int64_t *first_layer;   /* first layer of each path, and the end: paths + 1 */
} Index;

/* The geometry of a drawing, in the coordinates of each path, and the size of its image. */
typedef struct {
    Index index;
    const float (*points)[2];       /* control points: points x 2 */
    const double (*matrices)[2][3]; /* to pixels: paths x 2 x 3 */
    const double *radii;            /* half the stroke widths: paths */
    int64_t *first_piece;           /* gets the first piece of each segment, and the end: segments + 1 */
    int64_t *longest;               /* gets the most polyline vertices of a path: 1 */
    int64_t height, width;          /* of the image */
    int64_t top, rows;              /* the band of it that is wanted: its first row, and how many */
    double tolerance;               /* largest distance between curve and polyline, in pixels */
} Paths;

/* Pixels of one row that a layer covers, one after another. */
typedef struct {
    int32_t row;      /* of the band of the layer's image; once rows are listed the layer, -1 - layer if it is hidden */
    int32_t left;     /* first column */
    int32_t right;    /* column after the last */
    int32_t fragment; /* first fragment, counted from the layer's first */
} Span;

/* The coverage of all layers. A fragment is a pixel of a span; `capacity` tells how many of each kind fit. */
typedef struct {
    int64_t row_count;              /* of the bands of all images together */
    int64_t most;                   /* pixels, or chords, of a layer in the band; one with more asks for too much room */
    int64_t for_gradients;          /* whether chords and edges are kept, which only gradients need */
    const int64_t *drawing_index;   /* the image that each layer is painted on: layers */
    int64_t (*layer_rows)[2];       /* first row that a layer may touch, row after the last: layers x 2 */
    _Atomic int64_t *claimed;       /* how many of each kind all layers have: 4 */
    int64_t capacity[KINDS];        /* how many of each kind fit */
    int64_t (*first)[KINDS];        /* first of each kind of a layer; layers in any order: layers x 4 */
    int64_t (*counts)[KINDS];       /* how many it has: layers x 4 */
    float *coverage;                /* fraction of the pixel, later its gradient: fragments */
    int32_t *chord_fragment;        /* counted from the layer's first: chords */
    float (*chord_weights)[2];      /* derivatives of coverage by the ends of the edge, along its normal: chords x 2 */
    Span *spans;                      /* spans */
    int32_t *edge_end;              /* chord after each edge's last, from the layer's first: edges */
    int64_t *first_in_row;          /* first entry of each row in the next, and the end: rows + 1 */
    int32_t *row_spans;              /* the spans of each row in the order of layers: spans */
} Coverage;

/* Colors of layers, backgrounds and images. */
typedef struct {
    const Color *colors;           /* red, green, blue, opacity of each layer: layers */
    const Color *own_colors;       /* the same for each fragment of layers with gradients */
    const int64_t *first_own;      /* their first fragment there, -1 for other layers: layers */
    const float *background;       /* drawings x 3 x rows x width, or drawings x 3 */
    int64_t background_is_image;   /* which of the two */
    const double *group_opacities; /* see index.Index: layers, or NULL */
    float *image;                  /* gets the bands of the images: drawings x 3 x rows x width */
    int64_t *used;                 /* gets the number of fragments of each row: rows */
} Paint;

/* Gradients: of the images, and of all else from that. */
typedef struct {
    const float *grad_image;             /* drawings x 3 x height x width */
    float *grad_background;              /* the same shape, or NULL */
    Color *grad_spans;                    /* of the colors by span; may be the memory of `Coverage.spans` */
    Color *grad_own_colors;              /* as Paint.own_colors */
    Color *grad_colors;                  /* layers */
    const bool *geometry_requires_grad;  /* paths, or NULL if none does */
    Point *grad_points;                  /* points, 0 before */
    double *grad_radii;                  /* paths, 0 before */
    double (*grad_matrices)[2][3];       /* paths x 2 x 3, 0 before */
} Gradients;

/* ---- Threads (stages.c) ---- */

/* A counter that has a cache line for itself. */
typedef struct {
    _Atomic int64_t value;
    int64_t unused[7];
} Counter;

/* The counters by which a team of threads divides work. All are 0 before. */
typedef struct {
    int64_t threads;
    Counter *counters; /* stages x (threads + 1): how much of each thread's chunk is claimed, how much of all is done */
    Counter *arrived;  /* numbers the threads */
    Counter *failed;   /* above 0 if a thread found no memory, or somebody wants no more of it */
} Team;

typedef struct {
    int64_t begin, end;
} Chunk;

Chunk claim_chunk(const Team *team, int stage, int64_t own, int64_t count, int64_t size);
bool claim_whole(const Team *team, int stage);
void mark_done(const Team *team, int stage, int64_t count);
int wait_done(const Team *team, int stage, int64_t count);
int fail(const Team *team);

/* ---- Memory of one thread (stages.c) ---- */

/* A vertex of a polyline and the piece that begins there. Tangents are stored as pieces, too. */
typedef struct {
    double x, y;
    double dx, dy;   /* direction of the piece: a unit vector */
    double length;   /* of the piece */
    int64_t segment; /* the segment that ends here, UNKNOWN_SEGMENT, or NO_CORNER within a segment */
} PolyVertex;
enum { UNKNOWN_SEGMENT = -1, NO_CORNER = -2 };

/* The dependence of an outline vertex, which is a polyline vertex plus radius times (x, y). */
typedef struct {
    double x, y;
    double x_before, y_before; /* derivatives of (x, y) by the angle of the piece before */
    double x_after, y_after;   /* and of that after */
    int32_t stem;              /* the polyline vertex */
    int32_t before, after;     /* pieces or tangents */
} Arm;

/* An edge of an outline. */
typedef struct {
    int32_t from, to; /* vertices */
    int32_t piece;    /* the piece that it belongs to */
    int32_t inner;    /* 1 if it is inside the stroke */
} Edge;

/* The outline of one layer and the polylines that it follows. */
typedef struct {
    int64_t capacity;  /* of vertices, and of edges */
    PolyVertex *poly;  /* polylines of all subpaths; from Paths.longest on, tangents: 4 for each segment */
    int32_t *source;   /* flattened point of each polyline vertex; the two control points of each tangent */
    Point *vertex;     /* outline vertices, in pixels at last */
    Arm *arm;          /* of each outline vertex */
    Edge *edge;
    int32_t vertices, edges; /* how many there are */
} Outline;

/* The part of an edge in a single pixel. */
typedef struct {
    double begin, end; /* where on the edge, from 0 to 1 */
    float weights[2];  /* integrals of 1 - t and t over it, times the change of the pixel's coverage by the area */
    int32_t pixel;     /* of the grid */
    int32_t edge;
    int32_t before;    /* the chord before in the same pixel, -1 for none */
} Chord;

/* Pixels of one row. */
typedef struct {
    int64_t left, right; /* first column, column after the last */
    int64_t pixel;       /* first pixel of the grid; there is one more than columns */
} RowBounds;

/* The pixels that one layer may cover in a band, row by row, and the chords in them. */
typedef struct {
    int64_t pixel_capacity, chord_capacity, edge_capacity;
    int64_t top, bottom, width; /* rows that the layer may touch, columns of the image */
    int64_t first_row, end_row; /* those of the rows that are in the band */
    RowBounds *row_bounds;                /* rows */
    double *winding;            /* change of the winding number, then that, then coverage: pixels */
    int32_t *state;             /* UNTOUCHED, OVERLAPPING, or see chords.c: pixels */
    int32_t *latest;            /* last chord in each touched pixel: pixels */
    Chord *chords;
    int32_t *overlap_pixels;    /* pixels in which outlines may overlap, or run along borders */
    int32_t *edge_end;          /* see Coverage: edges */
    float *slope;               /* derivative of coverage by the winding number: pixels */
    int32_t *fragment;          /* the fragment that each pixel becomes: pixels */
    Span *spans;                  /* `fragment` is the first pixel of the grid there */
    int32_t chord_count, overlap_count, span_count, fragment_count;
} Grid;
enum { UNTOUCHED = -1, OVERLAPPING = INT32_MAX };

bool alloc_outline(Outline *outline, const Paths *paths, int64_t capacity);
void free_outline(Outline *outline);
bool alloc_grid(Grid *grid, int64_t rows, int64_t pixels, int64_t chords, int64_t edges);
void free_grid(Grid *grid);
void *alloc(int64_t count, size_t size);

/* ---- Outlines ---- */

void count_pieces(const Paths *paths, Coverage *coverage);
int64_t flatten(const Paths *paths, int64_t subpath, PolyVertex *poly, int64_t begin);
int64_t measure_pieces(Outline *outline, int64_t begin, int64_t end, int64_t raw, double shortest);
int32_t tangent(const Paths *paths, int64_t path, Outline *outline, int64_t segment, bool at_end, int32_t piece,
                double *lost);
void flatten_backward(const Paths *paths, int64_t path, const Point *grad_flat, Point *grad_points);
double pixels_per_unit(const Paths *paths, int64_t path);
double shortest_piece(double scale);
int64_t arc_steps(double angle, double radius_px);
bool build_outline(const Paths *paths, int64_t layer, Outline *outline);
bool outline_strokes(const Paths *paths, int64_t path, int64_t subpath, Outline *outline, int32_t begin, int32_t end);
double outline_backward(const Paths *paths, int64_t layer, const Outline *outline, const Point *grad_vertices,
                        Point *grad_flat, const Gradients *gradients);

/* ---- Coverage ---- */

int64_t measure_row_bounds(Grid *grid, const Outline *outline, int64_t *pixels);
void add_edges(Grid *grid, const Outline *outline);
void mark_border_edges(Grid *grid);
void overlap_coverage(const Paths *paths, int64_t layer, const Outline *outline, Grid *grid);
int coverage(const Team *team, int stage, int64_t own, const Paths *paths, Coverage *found);
int coverage_backward(const Team *team, int stage, int64_t own, const Paths *paths, const Coverage *found,
                      const Gradients *gradients);

/* One pixel whose chords are cut where they cross each other. */
typedef struct {
    double x0, y0, x1, y1; /* from the pixel's corner */
} ChordPlace;
typedef struct {
    int32_t count;
    ChordPlace chords[MOST_CHORDS];
    double edge_weights[MOST_CHORDS][2]; /* gets integrals of 1 - t and t over the boundary parts, signed */
} OverlapScratch;

double overlap_area(OverlapScratch *scratch, double integral, int64_t rule);
bool is_inside(int64_t winding, int64_t rule);

/* ---- Images ---- */

int composite(const Team *team, int stage, int64_t own, const Paths *paths, const Coverage *covered,
              const Paint *paint);
int64_t composite_row(const Coverage *covered, const Paint *paint, int64_t row, Color *line, Color *beneath);
void read_background(const Paint *paint, const Paths *paths, int64_t row, Color *line);
void read_row(const float *image, const Paths *paths, int64_t row, Color *line);
void write_row(float *image, const Paths *paths, int64_t row, const Color *line);
int composite_backward(const Team *team, int stage, int64_t own, const Paths *paths, const Coverage *covered,
                       const Paint *paint, const Gradients *gradients);
void sum_colors(const Paths *paths, const Coverage *covered, const Paint *paint, const Gradients *gradients);
int64_t count_fragments(const Coverage *covered, int64_t row);
void apply_group_opacity(const Coverage *covered, const Paint *paint, int64_t row, float *kept);
void restore_coverage(const Coverage *covered, int64_t row, const float *kept);
void apply_group_opacity_backward(const Coverage *covered, const Paint *paint, const Gradients *gradients, int64_t row,
                                  const float *kept);

/* ---- Small functions ---- */

static inline double min2(double one, double two) { return two < one ? two : one; }
static inline double max2(double one, double two) { return two > one ? two : one; }
static inline double clamp(double value, double low, double high) { return min2(max2(value, low), high); }
static inline int64_t min_int(int64_t one, int64_t two) { return two < one ? two : one; }
static inline int64_t max_int(int64_t one, int64_t two) { return two > one ? two : one; }

/* The whole number nearest to a value below 2^51, as rint, which old processors have no instruction for. */
static inline double nearest(double value) {
    const double shift = 6755399441055744.0; /* 1.5 x 2^52: sums have no bits after the point */
    return (value + shift) - shift;
}

static inline double square(double value) { return value * value; }
static inline double cross(Point one, Point two) { return one.x * two.y - one.y * two.x; }
static inline double dot(Point one, Point two) { return one.x * two.x + one.y * two.y; }

#endif
