// What libFuzzer made up, read from its beginning: what a call needs of it, zeros when it has ended.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef struct {
  const uint8_t *at;
  size_t left;
} Input;

/** Bytes of the input, which stay where they are. */
typedef struct {
  const uint8_t *bytes;
  uint32_t length;
} Part;

static inline uint32_t take_byte(Input *input) {
  if (input->left == 0) return 0;
  input->left--;
  return *input->at++;
}

/** Little-endian, as are all numbers of the input. */
static inline uint32_t take_16(Input *input) {
  const uint32_t low = take_byte(input);
  return low | take_byte(input) << 8;
}

static inline uint32_t take_32(Input *input) {
  const uint32_t low = take_16(input);
  return low | take_16(input) << 16;
}

/** At most so many bytes. */
static inline Part take_bytes(Input *input, size_t length) {
  const Part part = {input->at, (uint32_t)(length < input->left ? length : input->left)};
  input->at += part.length;
  input->left -= part.length;
  return part;
}

/** A part that says in two bytes how long it is. */
static inline Part take_part(Input *input) {
  const uint32_t length = take_16(input);
  return take_bytes(input, length);
}

static inline Part take_rest(Input *input) {
  return take_bytes(input, input->left);
}
