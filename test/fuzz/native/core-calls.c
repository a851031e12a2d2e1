#include "core-calls.h"
#include "regions.h"

#define RESULT_BYTES (RESULT_WORDS * 4)
#define MOST_FIELDS 600
#define MOST_PAIRS 64

/** The smaller one. */
static uint32_t at_most(uint32_t number, uint32_t most) { return number < most ? number : most; }

static uint32_t mask_bytes(uint32_t field_count) { return (field_count + 7) / 8; }

/** Judges the status of a call whose regions were in order, and the offset of a refusal in the region it is about. */
static void expect_status(uint32_t status, uint32_t result, uint32_t region_bytes) {
  EXPECT(status <= STATUS_OUT_OF_MEMORY, "no status of bytes in regions that are in order");
  if (status != STATUS_OK) EXPECT(word_at(result, RESULT_OFFSET) <= region_bytes, "an offset outside of what was refused");
  answer_word(status);
  answer_word(word_at(result, RESULT_OFFSET));
  answer_word(word_at(result, RESULT_COUNT));
}

static void scan_message(Input *input, Place place) {
  const Part message = take_rest(input);
  begin_regions(place.filler, place.shift);
  const uint32_t at = given(message, message.length), result = asked(RESULT_BYTES);
  close_regions();
  const uint32_t status = call_scanMessage(instance(), at, message.length, result);
  check_regions();
  expect_status(status, result, message.length);
}

static void validate_row(Input *input, Place place) {
  const Part types = take_part(input), row = take_rest(input);
  begin_regions(place.filler, place.shift);
  const uint32_t types_at = given(types, types.length), at = given(row, row.length), result = asked(RESULT_BYTES);
  close_regions();
  const uint32_t status = call_validateRow(instance(), types_at, types.length, at, row.length, result);
  check_regions();
  expect_status(status, result, row.length);
}

typedef uint32_t (*IndexItems)(Instance *, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t);

/** Parts of an entry, by the word that says where they begin; the next one has their bytes. */
static const uint32_t IMAGE_PARTS[] = {IMAGE_ID_AT, IMAGE_ROW_AT}, CHANGE_PARTS[] = {CHANGE_ID_AT, CHANGE_MASK_AT, CHANGE_PREVIOUS_AT, CHANGE_NEXT_AT};

/** Indexes items in steps of so many entries as the input says: each goes on where the last one had no room. */
static void index_items(Input *input, Place place, IndexItems call, uint32_t words, const uint32_t *parts, uint32_t part_count) {
  const uint32_t room = 1 + take_byte(input);
  const Part layouts = take_part(input), items = take_rest(input);
  // Of one turn in steps, of the other in one go: the answers are compared.
  const uint32_t entries = place.shift == 0 ? room : 1 + items.length;
  uint32_t start = 0, count = 0, status = STATUS_INDEX_FULL;
  while (status == STATUS_INDEX_FULL) {
    begin_regions(place.filler, place.shift);
    const uint32_t at = given(items, items.length), layouts_at = given(layouts, layouts.length);
    const uint32_t result = asked(RESULT_BYTES), index_bytes = at_most(entries * words * 4, MEMORY_BYTES / 4), index = asked(index_bytes);
    close_regions();
    status = call(instance(), at, items.length, layouts_at, layouts.length, result, index, index_bytes, start);
    check_regions();
    EXPECT(status <= STATUS_INDEX_FULL, "no status");
    if (status == STATUS_BAD_REGIONS) break;
    const uint32_t done = word_at(result, RESULT_COUNT);
    if (status != STATUS_OK && status != STATUS_INDEX_FULL) {
      forget_answer();
      answer_word(status);
      answer_word(word_at(result, RESULT_OFFSET));
      EXPECT(word_at(result, RESULT_OFFSET) <= items.length, "an offset outside of the items");
      return;
    }
    EXPECT(done <= index_bytes / (words * 4), "more entries than there is room for");
    EXPECT(status == STATUS_OK || (done > 0 && word_at(result, RESULT_OFFSET) > start), "a step that got nowhere");
    for (uint32_t entry = 0; entry < done; entry++) {
      for (uint32_t part = 0; part < part_count; part++) {
        const uint64_t from = word_at(index, entry * words + parts[part]), bytes = word_at(index, entry * words + parts[part] + 1);
        EXPECT(from + bytes <= items.length, "a part outside of the items");
      }
    }
    count += done;
    answer_bytes(index, (uint64_t)done * words * 4);
    start = word_at(result, RESULT_OFFSET);
  }
  answer_word(status);
  answer_word(count);
}

static void index_images(Input *input, Place place) { index_items(input, place, call_indexImages, IMAGE_WORDS, IMAGE_PARTS, 2); }

static void index_changes(Input *input, Place place) { index_items(input, place, call_indexChanges, CHANGE_WORDS, CHANGE_PARTS, 4); }

static void diff_rows(Input *input, Place place) {
  const uint32_t field_count = take_16(input) % MOST_FIELDS, count = take_byte(input) % MOST_PAIRS;
  const Part before = take_part(input), after = take_rest(input);
  begin_regions(place.filler, place.shift);
  const uint32_t before_at = given(before, before.length), after_at = given(after, after.length);
  const uint32_t masks = asked(mask_bytes(field_count) * count), result = asked(RESULT_BYTES);
  close_regions();
  const uint32_t status = call_diffRows(instance(), before_at, before.length, after_at, after.length, field_count, count, masks, result);
  check_regions();
  expect_status(status, result, before.length);
  const uint32_t done = word_at(result, RESULT_COUNT);
  EXPECT(status == STATUS_OK ? done == count : done < count, "a batch that is done, or is not, and says otherwise");
  EXPECT(word_at(result, RESULT_SECOND_OFFSET) <= after.length, "an offset outside of the rows");
  answer_word(word_at(result, RESULT_SECOND_OFFSET));
  answer_bytes(masks, mask_bytes(field_count) * done);
}

static void diff_framed(Input *input, Place place) {
  const uint32_t field_count = take_16(input) % MOST_FIELDS, count = take_byte(input) % MOST_PAIRS, before_from = take_byte(input), after_from = take_byte(input);
  const Part ends = take_bytes(input, count * 8), before = take_part(input), after = take_rest(input);
  begin_regions(place.filler, place.shift);
  const uint32_t before_at = given(before, before.length), after_at = given(after, after.length), ends_at = given(ends, count * 8);
  const uint32_t masks = asked(mask_bytes(field_count) * count), result = asked(RESULT_BYTES);
  close_regions();
  const uint32_t status = call_diffFramed(
      instance(), before_at, before.length, before_from, after_at, after.length, after_from, ends_at, field_count, count, masks, result);
  check_regions();
  expect_status(status, result, before.length);
  const uint32_t done = word_at(result, RESULT_COUNT);
  EXPECT(status == STATUS_OK ? done == count : done < count, "a batch that is done, or is not, and says otherwise");
  EXPECT(word_at(result, RESULT_SECOND_OFFSET) <= after.length, "an offset outside of the rows");
  answer_bytes(masks, mask_bytes(field_count) * done);
}

static void check_edits(Input *input, Place place) {
  const uint32_t field_count = take_16(input) % MOST_FIELDS, count = take_byte(input) % MOST_PAIRS;
  const uint32_t masks_bytes = mask_bytes(field_count) * count;
  const Part masks = take_bytes(input, masks_bytes), previous = take_part(input), next = take_part(input), current = take_rest(input);
  begin_regions(place.filler, place.shift);
  const uint32_t masks_at = given(masks, masks_bytes), previous_at = given(previous, previous.length);
  const uint32_t next_at = given(next, next.length), current_at = given(current, current.length);
  const uint32_t conflicts = asked(masks_bytes), writes = asked(masks_bytes), result = asked(RESULT_BYTES);
  close_regions();
  const uint32_t status = call_checkEdits(
      instance(), masks_at, previous_at, previous.length, next_at, next.length, current_at, current.length, field_count, count, conflicts, writes, result);
  check_regions();
  expect_status(status, result, previous.length);
  const uint32_t done = word_at(result, RESULT_COUNT);
  EXPECT(status == STATUS_OK ? done == count : done < count, "a batch that is done, or is not, and says otherwise");
  EXPECT(word_at(result, RESULT_SECOND_OFFSET) <= next.length && word_at(result, RESULT_THIRD_OFFSET) <= current.length, "an offset outside");
  for (uint32_t at = 0; at < mask_bytes(field_count) * done; at++) {
    const uint32_t mask = *address_of(masks_at + at), conflict = *address_of(conflicts + at), write = *address_of(writes + at);
    EXPECT((conflict & write) == 0, "a field both in conflict and to write");
    EXPECT(((conflict | write) & ~mask) == 0, "a field that was not edited");
  }
  answer_bytes(conflicts, mask_bytes(field_count) * done);
  answer_bytes(writes, mask_bytes(field_count) * done);
}

static void apply_edit(Input *input, Place place) {
  const uint32_t field_count = take_16(input) % MOST_FIELDS;
  const Part edit_mask = take_bytes(input, mask_bytes(field_count)), mask = take_bytes(input, mask_bytes(field_count));
  const Part next = take_part(input), current = take_rest(input);
  begin_regions(place.filler, place.shift);
  const uint32_t edit_mask_at = given(edit_mask, mask_bytes(field_count)), mask_at = given(mask, mask_bytes(field_count));
  const uint32_t next_at = given(next, next.length), current_at = given(current, current.length);
  const uint32_t row_bytes = next.length + current.length, row = asked(row_bytes), result = asked(RESULT_BYTES);
  close_regions();
  const uint32_t status =
      call_applyEdit(instance(), edit_mask_at, mask_at, next_at, next.length, current_at, current.length, field_count, row, row_bytes, result);
  check_regions();
  EXPECT(status <= STATUS_OUT_OF_MEMORY, "no status of bytes in regions that are in order");
  answer_word(status);
  if (status != STATUS_OK) return;
  const uint32_t written = word_at(result, RESULT_COUNT);
  EXPECT(written <= row_bytes, "a row longer than its region");
  answer_bytes(row, written);
}

const Call CALLS[] = {
  scan_message, validate_row, index_images, index_changes, diff_rows, check_edits, apply_edit, plan_batch, plan_anyhow, call_anyhow, diff_framed,
};
const uint32_t CALL_COUNT = sizeof(CALLS) / sizeof(CALLS[0]);
