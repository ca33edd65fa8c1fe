/* The work of a stage, divided among a team of threads.

Each thread begins with its own part of the work, the same one in each pass: what it works on then is likely to be in
its core's cache. When that is used up it takes chunks of other threads' parts.
*/
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
