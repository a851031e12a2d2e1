// Arguments that no careful caller would choose, and the spans that a call may write.
#pragma once
#include "regions.h"

/** Around the ends of a page, of 2^31 and of 2^32, and what wraps when it is multiplied by the bytes of an entry. */
static const uint32_t TELLING[] = {
  0, 1, 0xffff, 0x10000, 0x10001, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff, 0x40000000, 0x20000000, 0x10000000, 0x15555556, 0x1c71c71d, 0x04ec4ec5,
};

/** An argument: an address behind the first one, a small number, a telling one, or any. */
static inline uint32_t take_argument(Input *input) {
  const uint32_t kind = take_byte(input);
  switch (kind % 4) {
    case 0: return regions_begin(instance()) + take_16(input);
    case 1: return take_byte(input);
    case 2: return TELLING[take_byte(input) % (sizeof(TELLING) / 4)];
    default: return take_32(input);
  }
}

static inline uint32_t add_span(uint64_t *spans, uint32_t count, uint64_t at, uint64_t length) {
  spans[count * 2] = at;
  spans[count * 2 + 1] = length;
  return count + 1;
}
