#include "core-calls.h"
#include "regions.h"
#include <string.h>

#define RESULT_BYTES (RESULT_WORDS * 4)
#define MOST_GROUPS 8

static uint8_t index_copy[MEMORY_BYTES / 4];

/** Slots of a table at most half full, as callers choose them. */
static uint32_t slots_for(uint32_t count) {
  uint32_t slots = 2;
  while (slots < count * 2 + 2) slots *= 2;
  return slots;
}

/** Indexes the items, and keeps a copy of the index; −1 when they are refused. */
static int32_t index_first(Part items, Part layouts, Place place) {
  begin_regions(place.filler, place.shift);
  const uint32_t at = given(items, items.length), layouts_at = given(layouts, layouts.length), result = asked(RESULT_BYTES);
  const uint32_t index = asked(sizeof(index_copy));
  close_regions();
  const uint32_t status = call_indexImages(instance(), at, items.length, layouts_at, layouts.length, result, index, sizeof(index_copy), 0);
  check_regions();
  if (status != STATUS_OK) return -1;
  const uint32_t count = word_at(result, RESULT_COUNT);
  memcpy(index_copy, address_of(index), (size_t)count * IMAGE_WORDS * 4);
  return (int32_t)count;
}

/** Verdicts there are; of the images of a record exactly one is not superseded: its bytes of id and its object name it. */
static void expect_verdicts(uint32_t verdicts, uint32_t count) {
  for (uint32_t image = 0; image < count; image++) EXPECT(*address_of(verdicts + image) <= VERDICT_INCOMPLETE, "no verdict");
}

void plan_batch(Input *input, Place place) {
  const uint32_t merges_equal = take_byte(input) & 1, group_count = take_byte(input) % MOST_GROUPS, attention_count = take_byte(input);
  const Part layouts = take_part(input), attention = take_part(input), needs = take_part(input), seed = take_bytes(input, SEED_BYTES);
  // What images have one each of is read over and over where the input has too little.
  const Part bases = take_part(input), group_of = take_part(input), items = take_rest(input);
  const int32_t count = index_first(items, layouts, place);
  if (count < 0) return;
  const uint32_t images = (uint32_t)count, need_count = needs.length / (NEED_WORDS * 4), slots = slots_for(images);
  begin_regions(place.filler, place.shift);
  const uint32_t plan = asked(PLAN_WORDS * 4), items_at = given(items, items.length), layouts_at = given(layouts, layouts.length);
  const uint32_t index = given((Part){index_copy, images * IMAGE_WORDS * 4}, images * IMAGE_WORDS * 4);
  const uint32_t bases_at = given(bases, images * BASE_WORDS * 4), attention_at = given(attention, attention.length);
  const uint32_t group_of_at = asked(images * 4), needs_at = given(needs, need_count * NEED_WORDS * 4), seed_at = given(seed, SEED_BYTES);
  const uint32_t table = asked(slots * 4), groups = shared((Part){seed.bytes, seed.length}, group_count * 4), verdicts = asked(images);
  for (uint32_t image = 0; image < images; image++) {
    const uint32_t byte = group_of.length == 0 ? 0xff : group_of.bytes[image % group_of.length];
    set_word_at(group_of_at, image, byte == 0xff ? NO_INDEX : byte);
  }
  const uint32_t words[PLAN_WORDS] = {
    items_at, items.length, layouts_at, layouts.length, index, images, bases_at, attention_at, attention.length, attention_count, merges_equal,
    group_of_at, needs_at, need_count, seed_at, table, slots, groups, group_count, verdicts,
  };
  memcpy(address_of(plan), words, sizeof(words));
  close_regions();
  const uint32_t status = call_planFeed(instance(), plan);
  check_regions();
  EXPECT(status == STATUS_OK || status == STATUS_BAD_REGIONS, "no status of a plan");
  answer_word(status);
  if (status != STATUS_OK) return;
  expect_verdicts(verdicts, images);
  answer_bytes(verdicts, images);
  answer_bytes(groups, group_count * 4);
}

void plan_anyhow(Input *input, Place place) {
  const uint32_t count = take_byte(input) % 32, need_count = take_byte(input) % 8, group_count = take_byte(input) % MOST_GROUPS;
  const uint32_t attention_count = take_byte(input), slots = 1u << take_byte(input) % 8;
  const Part layouts = take_part(input), attention = take_part(input), seed = take_bytes(input, SEED_BYTES);
  const Part index = take_bytes(input, count * IMAGE_WORDS * 4), bases = take_bytes(input, count * BASE_WORDS * 4);
  const Part group_of = take_bytes(input, count * 4), needs = take_bytes(input, need_count * NEED_WORDS * 4), items = take_rest(input);
  begin_regions(place.filler, place.shift);
  const uint32_t plan = asked(PLAN_WORDS * 4), items_at = given(items, items.length), layouts_at = given(layouts, layouts.length);
  const uint32_t index_at = given(index, count * IMAGE_WORDS * 4), bases_at = given(bases, count * BASE_WORDS * 4);
  const uint32_t attention_at = given(attention, attention.length), group_of_at = given(group_of, count * 4);
  const uint32_t needs_at = given(needs, need_count * NEED_WORDS * 4), seed_at = given(seed, SEED_BYTES), table = asked(slots * 4);
  const uint32_t groups = shared(needs, group_count * 4), verdicts = asked(count);
  const uint32_t words[PLAN_WORDS] = {
    items_at, items.length, layouts_at, layouts.length, index_at, count, bases_at, attention_at, attention.length, attention_count, slots & 1,
    group_of_at, needs_at, need_count, seed_at, table, slots, groups, group_count, verdicts,
  };
  memcpy(address_of(plan), words, sizeof(words));
  close_regions();
  const uint32_t status = call_planFeed(instance(), plan);
  check_regions();
  EXPECT(status == STATUS_OK || status == STATUS_BAD_REGIONS, "no status of a plan");
  answer_word(status);
  if (status != STATUS_OK) return;
  expect_verdicts(verdicts, count);
  answer_bytes(verdicts, count);
}
