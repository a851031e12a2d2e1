#include "batch-calls.h"
#include <string.h>

Batch batch;

void tamper(Part tampering, void *bytes, uint32_t length) {
  uint8_t *target = bytes;
  for (uint32_t at = 0; length > 0 && at + 3 <= tampering.length; at += 3) {
    target[(tampering.bytes[at] | (uint32_t)tampering.bytes[at + 1] << 8) % length] = tampering.bytes[at + 2];
  }
}

static uint32_t word_of(const void *table, uint32_t index) {
  uint32_t word;
  memcpy(&word, (const uint8_t *)table + index * 4, 4);
  return word;
}

/** Reads the items window by window, as src/core/batch-session.ts does. */
static bool read_windows(Part layouts, Part items, uint32_t window_bytes, Place place) {
  uint32_t offset = 0;
  batch.count = batch.ids_used = 0;
  while (offset < items.length) {
    const uint32_t left = items.length - offset, bytes = window_bytes < left ? window_bytes : left;
    begin_regions(place.filler, place.shift);
    const uint32_t layouts_at = given(layouts, layouts.length), result = asked(RESULT_BYTES);
    const uint32_t window = given_loosely((Part){items.bytes + offset, bytes}, bytes);
    const uint32_t entries = shared(bytes_of(batch.entries, batch.count * ENTRY_BYTES), sizeof(batch.entries));
    const uint32_t keys = shared(bytes_of(batch.keys, batch.count * KEY_BYTES), sizeof(batch.keys));
    const uint32_t ids = shared(bytes_of(batch.ids, batch.ids_used), sizeof(batch.ids));
    close_regions();
    const uint32_t status = call_indexWindow(
        instance(), layouts_at, layouts.length, result, window, bytes, offset, entries, keys, MOST_IMAGES, ids, sizeof(batch.ids), batch.count, batch.ids_used);
    check_regions();
    EXPECT(status <= STATUS_INDEX_FULL, "no status");
    if (status == STATUS_BAD_REGIONS || status == STATUS_INDEX_FULL) return answer_word(status), false;
    const uint32_t begun = word_at(result, RESULT_OFFSET), refused = word_at(result, RESULT_THIRD_OFFSET);
    EXPECT(begun <= bytes && refused <= bytes, "an offset outside of the window");
    EXPECT(word_at(result, RESULT_COUNT) >= batch.count && word_at(result, RESULT_COUNT) <= MOST_IMAGES, "a count that cannot be");
    EXPECT(word_at(result, RESULT_SECOND_OFFSET) <= sizeof(batch.ids), "more bytes of ids than there is room for");
    batch.count = word_at(result, RESULT_COUNT);
    batch.ids_used = word_at(result, RESULT_SECOND_OFFSET);
    memcpy(batch.entries, address_of(entries), batch.count * ENTRY_BYTES);
    memcpy(batch.keys, address_of(keys), batch.count * KEY_BYTES);
    memcpy(batch.ids, address_of(ids), batch.ids_used);
    const bool is_cut = status == STATUS_TRUNCATED && offset + bytes < items.length;
    if (is_cut && begun == 0) window_bytes = window_bytes * 4 + 1;
    else if (status != STATUS_OK && !is_cut) return answer_word(status), answer_word(offset + refused), false;
    offset += begun;
  }
  return true;
}

/** The order of the UTF-16 code units of two ids, each a byte with its length before it. */
static int compare_ids(const uint8_t *left, const uint8_t *right) {
  const uint32_t both = left[0] < right[0] ? left[0] : right[0];
  for (uint32_t at = 1; at <= both; at++) {
    const int a = left[at] == 0xee || left[at] == 0xef ? left[at] + 16 : left[at], b = right[at] == 0xee || right[at] == 0xef ? right[at] + 16 : right[at];
    if (a != b) return a - b;
  }
  return (int)left[0] - (int)right[0];
}

static uint32_t object_of(Part layouts, uint32_t image) {
  return word_of(layouts.bytes, LAYOUTS_HEADER_WORDS + word_of(batch.entries, image * BATCH_IMAGE_WORDS + IMAGE_LAYOUT) * LAYOUT_WORDS + LAYOUT_OBJECT);
}

/** Records come by object and then by id, each once, and each image knows the newest one of its record. */
static void expect_order(Part layouts) {
  uint32_t from = 0;
  for (uint32_t object = 0; object < batch.object_count; object++) {
    EXPECT(batch.ends[object] >= from && batch.ends[object] <= batch.record_count, "an object that ends before it begins");
    for (uint32_t place = from; place < batch.ends[object]; place++) {
      EXPECT(object_of(layouts, batch.order[place]) == object, "a record among those of another object");
      const uint8_t *id = batch.ids + word_of(batch.keys, place * BATCH_KEY_WORDS + BATCH_KEY_ID);
      if (place > from) EXPECT(compare_ids(batch.ids + word_of(batch.keys, (place - 1) * BATCH_KEY_WORDS + BATCH_KEY_ID), id) < 0, "records out of order");
      EXPECT(word_of(batch.entries, batch.order[place] * BATCH_IMAGE_WORDS + BATCH_NEWEST) == batch.order[place], "a record whose image is not its newest");
    }
    from = batch.ends[object];
  }
  EXPECT(from == batch.record_count, "records of no object");
  for (uint32_t image = 0; image < batch.count; image++) {
    const uint32_t newest = word_of(batch.entries, image * BATCH_IMAGE_WORDS + BATCH_NEWEST);
    EXPECT(newest < batch.count && word_of(batch.entries, newest * BATCH_IMAGE_WORDS + BATCH_NEWEST) == newest, "a newest image that is none");
  }
}

bool make_batch(Part layouts, Part items, uint32_t window_bytes, Part tampering, Place place) {
  // In one turn in windows, in the other in one: the answers are compared.
  if (!read_windows(layouts, items, place.shift == 0 ? window_bytes : items.length, place)) return false;
  answer_word(batch.count);
  batch.object_count = MOST_OBJECTS;
  tamper(tampering, batch.entries, batch.count * ENTRY_BYTES);
  tamper(tampering, batch.keys, batch.count * KEY_BYTES);
  tamper(tampering, batch.ids, batch.ids_used);
  begin_regions(place.filler, place.shift);
  const uint32_t layouts_at = given(layouts, layouts.length), result = asked(RESULT_BYTES);
  const uint32_t entries = shared(bytes_of(batch.entries, batch.count * ENTRY_BYTES), batch.count * ENTRY_BYTES);
  const uint32_t keys = shared(bytes_of(batch.keys, batch.count * KEY_BYTES), batch.count * KEY_BYTES), ids_bytes = batch.ids_used + 272;
  const uint32_t ids = given(bytes_of(batch.ids, batch.ids_used), ids_bytes), spare = asked(batch.count * KEY_BYTES), order = asked(batch.count * 4);
  const uint32_t ends = asked(MOST_OBJECTS * 4);
  close_regions();
  const uint32_t status =
      call_sortBatch(instance(), layouts_at, layouts.length, result, entries, keys, batch.count, ids, ids_bytes, spare, order, ends, MOST_OBJECTS);
  check_regions();
  EXPECT(status == STATUS_OK || status == STATUS_BAD_REGIONS, "no status of a sort");
  answer_word(status);
  if (status != STATUS_OK) return false;
  batch.record_count = word_at(result, RESULT_COUNT);
  EXPECT(batch.record_count <= batch.count, "more records than images");
  memcpy(batch.entries, address_of(entries), batch.count * ENTRY_BYTES);
  memcpy(batch.keys, address_of(keys), batch.count * KEY_BYTES);
  memcpy(batch.order, address_of(order), batch.record_count * 4);
  memcpy(batch.ends, address_of(ends), sizeof(batch.ends));
  if (tampering.length < 3) expect_order(layouts);
  answer_bytes(order, batch.record_count * 4);
  answer_bytes(entries, batch.count * ENTRY_BYTES);
  return true;
}

static void index_batch(Input *input, Place place) {
  const uint32_t window_bytes = 32 + take_16(input);
  const Part layouts = take_part(input), items = take_rest(input);
  // Few enough windows that an input takes no longer than others.
  make_batch(layouts, items, window_bytes > items.length / 8 ? window_bytes : items.length / 8, (Part){NULL, 0}, place);
}

static void sort_anyhow(Input *input, Place place) {
  const Part layouts = take_part(input), tampering = take_part(input), items = take_rest(input);
  make_batch(layouts, items, items.length, tampering, place);
}

const Call CALLS[] = {index_batch, merge_batch, sort_anyhow, call_anyhow};
const uint32_t CALL_COUNT = sizeof(CALLS) / sizeof(CALLS[0]);
