// The calls of a module: each takes what it needs of the input, calls an export, and holds the answer to what is true of any input.
#pragma once
#include "input.h"
#include "layout.h"

/** Where a call lies: what unset bytes are, and how far behind the first address the regions begin. */
typedef struct {
  uint8_t filler;
  uint32_t shift;
} Place;

typedef void (*Call)(Input *input, Place place);

extern const Call CALLS[];
extern const uint32_t CALL_COUNT;

/** Calls an export with any arguments over any memory. */
void call_anyhow(Input *input, Place place);
