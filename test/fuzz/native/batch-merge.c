#include "batch-calls.h"
#include <string.h>

#define MOST_GROUPS 8u
#define OUT_BYTES 16384u
#define OUT_ROWS 64u

/** Where the regions of a merge are, in the order in which they lie. */
typedef struct {
  uint32_t merge, result, ids, ids_bytes, block, absent, attention, items, out, changes, verdicts;
} Regions;

static uint8_t id_block[MOST_IMAGES * 280 + 16];

/** The row block of the ids of the first object that has some. Answers with its bytes, 0 when the module makes none. */
static uint32_t pack_ids(uint32_t count, Place place) {
  const uint32_t ids_bytes = batch.ids_used + 272, block_bytes = ROW_BLOCK_HEADER_BYTES + count * ROW_ENDS_BYTES + ids_bytes;
  begin_regions(place.filler, place.shift);
  const uint32_t result = asked(RESULT_BYTES), keys = given(bytes_of(batch.keys, count * KEY_BYTES), count * KEY_BYTES);
  const uint32_t ids = given(bytes_of(batch.ids, batch.ids_used), ids_bytes), block = asked(block_bytes);
  close_regions();
  const uint32_t status = call_packIds(instance(), result, keys, count, ids, ids_bytes, block, block_bytes);
  check_regions();
  EXPECT(status == STATUS_OK || status == STATUS_BAD_REGIONS, "no status of ids");
  answer_word(status);
  if (status != STATUS_OK) return 0;
  const uint32_t used = word_at(result, RESULT_OFFSET);
  EXPECT(used <= block_bytes, "a block longer than its region");
  answer_bytes(block, used);
  memcpy(id_block, address_of(block), used);
  return used;
}

static void pack_merged(Regions at, uint32_t first, uint32_t items_bytes) {
  for (uint32_t from = 0, turns = 0; turns < 4; turns++) {
    const uint32_t status =
        call_packMerged(instance(), at.merge, at.result, at.ids, at.ids_bytes, first, from, at.items, items_bytes, at.out, OUT_BYTES, OUT_ROWS);
    EXPECT(status == STATUS_OK || status == STATUS_BAD_REGIONS, "no status of merged rows");
    answer_word(status);
    if (status != STATUS_OK) return;
    const uint32_t rows = word_at(at.result, RESULT_COUNT), start = word_at(at.result, RESULT_OFFSET), length = word_at(at.result, RESULT_SECOND_OFFSET);
    EXPECT(rows <= OUT_ROWS && (uint64_t)start + length <= OUT_BYTES, "a block outside of its region");
    answer_word(rows);
    answer_bytes(at.out + start, length);
    if (rows == 0 || word_at(at.result, RESULT_THIRD_OFFSET) <= from) return;
    from = word_at(at.result, RESULT_THIRD_OFFSET);
  }
}

/** The calls of one merge, over regions that stay where they are. */
static void run_merge(Regions at, uint32_t first, uint32_t block_bytes, uint32_t absent_room, uint32_t attention_bytes, uint32_t items_bytes) {
  uint32_t status = call_beginMerge(instance(), at.merge);
  answer_word(status);
  if (status != STATUS_OK) return;
  status = call_addAttention(instance(), at.merge, at.ids, at.ids_bytes, first, at.attention, attention_bytes);
  EXPECT(status == STATUS_OK || status == STATUS_BAD_REGIONS || status == STATUS_NOT_SORTED, "no status of attention");
  answer_word(status);
  status = call_joinBlock(instance(), at.merge, at.result, at.ids, at.ids_bytes, first, 0, 3, at.block, block_bytes, at.absent, absent_room);
  EXPECT(status <= STATUS_BAD_REGIONS, "no status of a block");
  answer_word(status);
  const uint32_t absent_count = status == STATUS_OK ? word_at(at.result, RESULT_OFFSET) : 0;
  EXPECT(absent_count <= absent_room, "more rows that nothing is about than there is room for");
  if (absent_room > 0 && status == STATUS_OK) {
    answer_bytes(at.absent, absent_count * 4);
    status = call_packAbsent(instance(), at.result, at.block, block_bytes, at.absent, absent_count, at.out, OUT_BYTES);
    EXPECT(status == STATUS_OK || status == STATUS_BAD_REGIONS, "no status of absent rows");
    answer_word(status);
    if (status == STATUS_OK) answer_bytes(at.out, word_at(at.result, RESULT_OFFSET));
  }
  status = call_decideMerge(instance(), at.merge, at.result);
  EXPECT(status == STATUS_OK || status == STATUS_BAD_REGIONS, "no status of a decision");
  answer_word(status);
  if (status != STATUS_OK) return;
  const uint32_t changes = word_at(at.result, RESULT_COUNT);
  EXPECT(changes <= batch.record_count, "more changes than records");
  for (uint32_t image = 0; image < batch.count; image++) EXPECT(*address_of(at.verdicts + image) <= VERDICT_CARE, "no verdict");
  answer_bytes(at.verdicts, batch.count);
  answer_bytes(at.changes, changes * MERGED_WORDS * 4);
  pack_merged(at, first, items_bytes);
}

void merge_batch(Input *input, Place place) {
  const uint32_t merges_equal = take_byte(input) & 1, lists_absent = take_byte(input) & 1, group_count = take_byte(input) % MOST_GROUPS;
  const Part layouts = take_part(input), beginnings = take_part(input), block = take_part(input), attention = take_part(input), needs = take_part(input);
  const Part group_of = take_part(input), tampering = take_part(input), items = take_rest(input);
  if (!make_batch(layouts, items, items.length, (Part){NULL, 0}, place)) return;
  uint32_t first = 0, object = 0;
  while (object < MOST_OBJECTS - 1 && batch.ends[object] == first) object++;
  const uint32_t ids_bytes = pack_ids(batch.ends[object] - first, place);
  if (ids_bytes == 0) return;
  tamper(tampering, batch.entries, batch.count * ENTRY_BYTES);
  tamper(tampering, batch.order, batch.record_count * 4);
  tamper(tampering, id_block, ids_bytes);
  const uint32_t need_count = needs.length / (NEED_WORDS * 4), absent_room = lists_absent ? block.length / ROW_ENDS_BYTES : 0;
  begin_regions(place.filler, place.shift);
  Regions at = {.ids_bytes = ids_bytes};
  at.merge = asked(MERGE_WORDS * 4);
  const uint32_t layouts_at = given(layouts, layouts.length), beginnings_at = given_loosely(beginnings, beginnings.length);
  const uint32_t entries = given(bytes_of(batch.entries, batch.count * ENTRY_BYTES), batch.count * ENTRY_BYTES);
  const uint32_t order = given(bytes_of(batch.order, batch.record_count * 4), batch.record_count * 4), flags = asked(batch.count);
  const uint32_t held = asked(batch.record_count * HELD_WORDS * 4), group_of_at = asked(group_count == 0 ? 0 : batch.count * 4);
  const uint32_t needs_at = given(needs, need_count * NEED_WORDS * 4), groups = shared(needs, group_count * 4);
  at.verdicts = asked(batch.count);
  at.changes = asked(batch.record_count * MERGED_WORDS * 4);
  at.result = asked(RESULT_BYTES);
  at.ids = given_loosely(bytes_of(id_block, ids_bytes), ids_bytes);
  at.block = given(block, block.length);
  at.absent = asked(absent_room * 4);
  at.attention = given(attention, attention.length);
  at.items = given_loosely(items, items.length);
  at.out = asked(OUT_BYTES);
  for (uint32_t image = 0; group_count > 0 && image < batch.count; image++) {
    const uint32_t byte = group_of.length == 0 ? 0xff : group_of.bytes[image % group_of.length];
    set_word_at(group_of_at, image, byte == 0xff ? NO_INDEX : byte);
  }
  const uint32_t words[MERGE_WORDS] = {
    layouts_at, layouts.length, beginnings_at, beginnings.length, entries, batch.count, order, batch.record_count, flags, held,
    group_of_at, needs_at, need_count, groups, group_count, merges_equal, at.verdicts, at.changes,
  };
  memcpy(address_of(at.merge), words, sizeof(words));
  close_regions();
  run_merge(at, first, block.length, absent_room, attention.length, items.length);
  check_regions();
}
