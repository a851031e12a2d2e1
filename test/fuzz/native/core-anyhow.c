#include "arguments.h"
#include "calls.h"
#include <string.h>

#define MOST_ARGUMENTS 12
#define RESULT_BYTES (RESULT_WORDS * 4)

typedef enum { SCAN_MESSAGE, VALIDATE_ROW, INDEX_IMAGES, INDEX_CHANGES, DIFF_ROWS, CHECK_EDITS, APPLY_EDIT, DIFF_FRAMED, PLAN_FEED, EXPORT_COUNT } Export;

static uint64_t masks_of(uint32_t field_count) { return field_count / 8 + (field_count % 8 != 0 ? 1 : 0); }

static uint32_t call_with(Export called, const uint32_t *a) {
  Instance *core = instance();
  switch (called) {
    case SCAN_MESSAGE: return call_scanMessage(core, a[0], a[1], a[2]);
    case VALIDATE_ROW: return call_validateRow(core, a[0], a[1], a[2], a[3], a[4]);
    case INDEX_IMAGES: return call_indexImages(core, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
    case INDEX_CHANGES: return call_indexChanges(core, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
    case DIFF_ROWS: return call_diffRows(core, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
    case CHECK_EDITS: return call_checkEdits(core, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11]);
    case APPLY_EDIT: return call_applyEdit(core, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9]);
    case DIFF_FRAMED: return call_diffFramed(core, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10]);
    default: return call_planFeed(core, a[0]);
  }
}

/** The spans that a call may write, when its regions were taken. */
static uint32_t spans_of(Export called, const uint32_t *a, uint64_t *spans) {
  switch (called) {
    case SCAN_MESSAGE: return add_span(spans, 0, a[2], RESULT_BYTES);
    case VALIDATE_ROW: return add_span(spans, 0, a[4], RESULT_BYTES);
    case INDEX_IMAGES:
    case INDEX_CHANGES: return add_span(spans, add_span(spans, 0, a[4], RESULT_BYTES), a[5], a[6]);
    case DIFF_ROWS: return add_span(spans, add_span(spans, 0, a[6], masks_of(a[4]) * a[5]), a[7], RESULT_BYTES);
    case CHECK_EDITS: {
      const uint64_t masks = masks_of(a[7]) * a[8];
      return add_span(spans, add_span(spans, add_span(spans, 0, a[9], masks), a[10], masks), a[11], RESULT_BYTES);
    }
    case APPLY_EDIT: return add_span(spans, add_span(spans, 0, a[7], a[8]), a[9], RESULT_BYTES);
    case DIFF_FRAMED: return add_span(spans, add_span(spans, 0, a[9], masks_of(a[7]) * a[8]), a[10], RESULT_BYTES);
    default: {
      const uint32_t plan = a[0];
      uint32_t count = add_span(spans, 0, word_at(plan, PLAN_TABLE), (uint64_t)word_at(plan, PLAN_TABLE_SLOTS) * 4);
      count = add_span(spans, count, word_at(plan, PLAN_GROUPS), (uint64_t)word_at(plan, PLAN_GROUP_COUNT) * 4);
      return add_span(spans, count, word_at(plan, PLAN_VERDICTS), word_at(plan, PLAN_COUNT));
    }
  }
}

void call_anyhow(Input *input, Place place) {
  (void)place; // the addresses are the input's
  const Export called = (Export)(take_byte(input) % EXPORT_COUNT);
  uint32_t arguments[MOST_ARGUMENTS];
  for (uint32_t index = 0; index < MOST_ARGUMENTS; index++) arguments[index] = take_argument(input);
  uint32_t plan[PLAN_WORDS];
  if (called == PLAN_FEED) for (uint32_t word = 0; word < PLAN_WORDS; word++) plan[word] = take_argument(input);
  begin_noise(take_rest(input));
  if (called == PLAN_FEED) {
    arguments[0] = regions_begin(instance());
    set_noise_words(arguments[0], plan, PLAN_WORDS);
  }
  const uint32_t status = call_with(called, arguments);
  EXPECT(status <= STATUS_INDEX_FULL, "no status");
  uint64_t spans[6];
  check_noise(spans, status == STATUS_BAD_REGIONS ? 0 : spans_of(called, arguments, spans));
  answer_word(status);
}
