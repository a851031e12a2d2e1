#include "arguments.h"
#include "batch-calls.h"

#define MOST_ARGUMENTS 13

typedef enum { INDEX_WINDOW, SORT_BATCH, PACK_IDS, BEGIN_MERGE, JOIN_BLOCK, PACK_ABSENT, ADD_ATTENTION, DECIDE_MERGE, PACK_MERGED, EXPORT_COUNT } Export;

// The words of a merge, as assembly/layout.ts draws them.
enum { MERGE_COUNT = 5, MERGE_RECORD_COUNT = 7, MERGE_FLAGS = 8, MERGE_HELD = 9, MERGE_GROUPS = 13, MERGE_GROUP_COUNT = 14, MERGE_VERDICTS = 16, MERGE_CHANGES = 17 };

static uint32_t call_with(Export called, const uint32_t *a) {
  Instance *core = instance();
  switch (called) {
    case INDEX_WINDOW: return call_indexWindow(core, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11], a[12]);
    case SORT_BATCH: return call_sortBatch(core, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11]);
    case PACK_IDS: return call_packIds(core, a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
    case BEGIN_MERGE: return call_beginMerge(core, a[0]);
    case JOIN_BLOCK: return call_joinBlock(core, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10]);
    case PACK_ABSENT: return call_packAbsent(core, a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
    case ADD_ATTENTION: return call_addAttention(core, a[0], a[1], a[2], a[3], a[4], a[5]);
    case DECIDE_MERGE: return call_decideMerge(core, a[0], a[1]);
    default: return call_packMerged(core, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10]);
  }
}

static bool is_of_merge(Export called) { return called == BEGIN_MERGE || called == JOIN_BLOCK || called == ADD_ATTENTION || called >= DECIDE_MERGE; }

static uint32_t merge_spans(uint32_t merge, uint64_t *spans, uint32_t count) {
  const uint64_t images = word_at(merge, MERGE_COUNT), records = word_at(merge, MERGE_RECORD_COUNT);
  count = add_span(spans, count, word_at(merge, MERGE_FLAGS), images);
  count = add_span(spans, count, word_at(merge, MERGE_HELD), records * HELD_WORDS * 4);
  count = add_span(spans, count, word_at(merge, MERGE_GROUPS), (uint64_t)word_at(merge, MERGE_GROUP_COUNT) * 4);
  count = add_span(spans, count, word_at(merge, MERGE_VERDICTS), images);
  return add_span(spans, count, word_at(merge, MERGE_CHANGES), records * MERGED_WORDS * 4);
}

/** The spans that a call may write, when its regions were taken. */
static uint32_t spans_of(Export called, const uint32_t *a, uint64_t *spans) {
  uint32_t count = is_of_merge(called) ? merge_spans(a[0], spans, 0) : 0;
  switch (called) {
    case INDEX_WINDOW: {
      count = add_span(spans, count, a[2], RESULT_BYTES);
      count = add_span(spans, count, a[6], (uint64_t)a[8] * ENTRY_BYTES);
      count = add_span(spans, count, a[7], (uint64_t)a[8] * KEY_BYTES);
      return add_span(spans, count, a[9], a[10]);
    }
    case SORT_BATCH: {
      const uint64_t images = a[5];
      count = add_span(spans, count, a[2], RESULT_BYTES);
      count = add_span(spans, count, a[3], images * ENTRY_BYTES);
      count = add_span(spans, count, a[4], images * KEY_BYTES);
      count = add_span(spans, count, a[8], images * KEY_BYTES);
      count = add_span(spans, count, a[9], images * 4);
      return add_span(spans, count, a[10], (uint64_t)a[11] * 4);
    }
    case PACK_IDS: return add_span(spans, add_span(spans, count, a[0], RESULT_BYTES), a[5], a[6]);
    case PACK_ABSENT: return add_span(spans, add_span(spans, count, a[0], RESULT_BYTES), a[5], a[6]);
    case JOIN_BLOCK: return add_span(spans, add_span(spans, count, a[1], RESULT_BYTES), a[9], (uint64_t)a[10] * 4);
    case DECIDE_MERGE: return add_span(spans, count, a[1], RESULT_BYTES);
    case PACK_MERGED: return add_span(spans, add_span(spans, count, a[1], RESULT_BYTES), a[8], a[9]);
    default: return count;
  }
}

static uint32_t keep_possible(uint64_t *spans, uint32_t count) {
  uint32_t kept = 0;
  for (uint32_t index = 0; index < count; index++) {
    const uint64_t at = spans[index * 2], length = spans[index * 2 + 1];
    if (at >= regions_begin(instance()) && at + length <= 65536) kept = add_span(spans, kept, at, length);
  }
  return kept;
}

void call_anyhow(Input *input, Place place) {
  (void)place; // the addresses are the input's
  const Export called = (Export)(take_byte(input) % EXPORT_COUNT);
  uint32_t arguments[MOST_ARGUMENTS], merge[MERGE_WORDS];
  for (uint32_t index = 0; index < MOST_ARGUMENTS; index++) arguments[index] = take_argument(input);
  if (is_of_merge(called)) for (uint32_t word = 0; word < MERGE_WORDS; word++) merge[word] = take_argument(input);
  begin_noise(take_rest(input));
  if (is_of_merge(called)) {
    arguments[0] = regions_begin(instance());
    set_noise_words(arguments[0], merge, MERGE_WORDS);
  }
  const uint32_t status = call_with(called, arguments);
  EXPECT(status <= STATUS_INDEX_FULL, "no status");
  uint64_t spans[20];
  uint32_t count = spans_of(called, arguments, spans);
  // A table may turn out to be none after something was written; where the regions themselves are none, nothing lies in them.
  if (status == STATUS_BAD_REGIONS) count = keep_possible(spans, count);
  check_noise(spans, count);
  answer_word(status);
}
