#include "regions.h"
#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_BYTES 65536u
#define MAX_REGIONS 24
#define ALIGNMENT 8u
/** Bytes behind a region that a copy in words may read. */
#define LOOSE_BYTES 15u

typedef struct {
  uint32_t at, length, readable;
  bool is_given;
} Region;

static Instance core;
static uint8_t *memory;
/** The memory before the call: what was given there, and the tables of the module as they were made. */
static uint8_t before[MEMORY_BYTES];
static uint8_t tables[PAGE_BYTES];
static Region regions[MAX_REGIONS];
static uint32_t region_count, end, filler;

static uint8_t answers[2][MEMORY_BYTES];
static uint64_t answer_length[2];
static int turn;

_Noreturn void fail(const char *what, const char *file, int line) {
  fprintf(stderr, "%s:%d: %s\n", file, line, what);
  abort();
}

void open_memory(void) {
  open_module(&core);
  memory = memory_of(&core)->data;
  memcpy(tables, memory, regions_begin(&core));
}

Instance *instance(void) { return &core; }
uint8_t *address_of(uint32_t at) { return memory + at; }

static void set_size(uint32_t bytes) {
  ASAN_UNPOISON_MEMORY_REGION(memory, MEMORY_BYTES);
  memory_of(&core)->size = bytes;
  memory_of(&core)->pages = bytes / PAGE_BYTES;
}

void begin_regions(uint8_t byte, uint32_t shift) {
  set_size(MEMORY_BYTES);
  region_count = 0;
  filler = byte;
  end = regions_begin(&core) + shift;
}

static uint32_t place(Part part, uint32_t length, bool is_given) {
  const uint32_t at = (end + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  EXPECT(region_count < MAX_REGIONS && at < MEMORY_BYTES / 2 && length < MEMORY_BYTES / 2 - 64, "the harness has no room for this call");
  const uint32_t copied = part.length < length ? part.length : length;
  memset(memory + at, part.bytes == NULL ? (int)filler : 0, length);
  if (copied > 0) memcpy(memory + at, part.bytes, copied);
  regions[region_count++] = (Region){at, length, length, is_given};
  // A gap behind each, even one that ends on a multiple of the alignment.
  end = at + length + ALIGNMENT;
  return at;
}

uint32_t given(Part part, uint32_t length) {
  static const uint8_t nothing[1];
  if (part.bytes == NULL) part.bytes = nothing;
  return place(part, length, true);
}

uint32_t given_loosely(Part part, uint32_t length) {
  const uint32_t at = given(part, length);
  memset(memory + at + length, (int)filler, ALIGNMENT + LOOSE_BYTES);
  regions[region_count - 1].readable = length + LOOSE_BYTES;
  end += LOOSE_BYTES;
  return at;
}

uint32_t asked(uint32_t length) { return place((Part){NULL, 0}, length, false); }
uint32_t shared(Part part, uint32_t length) {
  const uint32_t at = given(part, length);
  regions[region_count - 1].is_given = false;
  return at;
}

void close_regions(void) {
  uint32_t from = regions_begin(&core);
  for (uint32_t index = 0; index < region_count; index++) {
    const Region region = regions[index];
    ASAN_POISON_MEMORY_REGION(memory + from, region.at - from);
    memcpy(before + region.at, memory + region.at, region.readable);
    from = region.at + region.readable;
  }
  ASAN_POISON_MEMORY_REGION(memory + from, MEMORY_BYTES - from);
}

/** Constants that the module keeps below the regions stay; what it writes there begins as zeros. */
static void check_tables(void) {
  for (uint32_t at = 0; at < regions_begin(&core); at++) EXPECT(tables[at] == 0 || tables[at] == memory[at], "a table of the module was written");
}

void check_regions(void) {
  ASAN_UNPOISON_MEMORY_REGION(memory, MEMORY_BYTES);
  for (uint32_t index = 0; index < region_count; index++) {
    const Region region = regions[index];
    if (region.is_given) EXPECT(memcmp(memory + region.at, before + region.at, region.readable) == 0, "bytes that were given were written");
  }
  check_tables();
}

uint32_t word_at(uint32_t at, uint32_t index) {
  uint32_t word;
  memcpy(&word, memory + at + index * 4, 4);
  return word;
}

void set_word_at(uint32_t at, uint32_t index, uint32_t word) { memcpy(memory + at + index * 4, &word, 4); }

void begin_answer(bool is_second) {
  turn = is_second ? 1 : 0;
  answer_length[turn] = 0;
}

void forget_answer(void) { answer_length[turn] = 0; }

static void add(const void *bytes, uint64_t length) {
  EXPECT(answer_length[turn] + length <= MEMORY_BYTES, "an answer is longer than the memory");
  memcpy(answers[turn] + answer_length[turn], bytes, length);
  answer_length[turn] += length;
}

void answer_word(uint32_t word) { add(&word, 4); }
void answer_bytes(uint32_t at, uint64_t length) { add(memory + at, length); }

void end_answer(void) {
  if (turn == 0) return;
  const bool is_same = answer_length[0] == answer_length[1] && memcmp(answers[0], answers[1], answer_length[0]) == 0;
  EXPECT(is_same, "the same bytes were answered in another way the second time");
}

void begin_noise(Part noise) {
  set_size(PAGE_BYTES);
  ASAN_POISON_MEMORY_REGION(memory + PAGE_BYTES, MEMORY_BYTES - PAGE_BYTES);
  const uint32_t from = regions_begin(&core);
  memset(memory + from, 0, PAGE_BYTES - from);
  for (uint32_t at = from; noise.length > 0 && at < PAGE_BYTES; at += noise.length) {
    memcpy(memory + at, noise.bytes, noise.length < PAGE_BYTES - at ? noise.length : PAGE_BYTES - at);
  }
  memcpy(before, memory, PAGE_BYTES);
}

void set_noise_words(uint32_t at, const uint32_t *words, uint32_t count) {
  memcpy(memory + at, words, count * 4);
  memcpy(before + at, words, count * 4);
}

void check_noise(const uint64_t *spans, uint32_t count) {
  for (uint32_t index = 0; index < count; index++) {
    const uint64_t at = spans[index * 2], length = spans[index * 2 + 1];
    EXPECT(at >= regions_begin(&core) && at + length <= PAGE_BYTES, "a region outside of the memory was taken");
    memcpy(before + at, memory + at, length);
  }
  check_tables();
  const uint32_t from = regions_begin(&core);
  EXPECT(memcmp(memory + from, before + from, PAGE_BYTES - from) == 0, "bytes outside of what was asked for were written");
}
