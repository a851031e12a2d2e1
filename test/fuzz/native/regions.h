// The regions of one call in the memory of the module, one behind the other as src/core/arena.ts places them, and poison between them:
// AddressSanitizer stops at the first byte that is read or written outside.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "input.h"
#include "module.h"

/** Bytes of memory that a call has. */
#define MEMORY_BYTES (8u << 16)

/** Ends the program: libFuzzer keeps the input, and says where. */
#define EXPECT(condition, what) ((condition) ? (void)0 : fail(what, __FILE__, __LINE__))
_Noreturn void fail(const char *what, const char *file, int line);

/** Makes an instance, which every call uses. */
void open_memory(void);
Instance *instance(void);

/** Forgets all regions. What is not given is filled with `filler`; regions begin `shift` bytes behind where they may. */
void begin_regions(uint8_t filler, uint32_t shift);
/** A region that the module only reads: it holds the bytes, and then zeros. */
uint32_t given(Part part, uint32_t length);
/** The same with a few bytes behind that may be read, whatever they are: for bytes that are copied in whole words. */
uint32_t given_loosely(Part part, uint32_t length);
/** A region that the module writes. */
uint32_t asked(uint32_t length);
/** A region that the module reads and writes. */
uint32_t shared(Part part, uint32_t length);
/** Poisons what is no region: the call comes now. */
void close_regions(void);
/** After the call: what was given, and the tables of the module, are as they were. */
void check_regions(void);

/** Where an address is in the harness' own memory. */
uint8_t *address_of(uint32_t at);
uint32_t word_at(uint32_t at, uint32_t index);
void set_word_at(uint32_t at, uint32_t index, uint32_t word);

/** What the module answered, to compare with what it answers the second time. */
void begin_answer(bool is_second);
void answer_word(uint32_t word);
void answer_bytes(uint32_t at, uint64_t length);
void end_answer(void);
/** Takes back what was answered so far: a refusal is all that counts. */
void forget_answer(void);

/** All memory as one region that holds the noise over and over, in a memory of one page. */
void begin_noise(Part noise);
/** Puts words into the noise. */
void set_noise_words(uint32_t at, const uint32_t *words, uint32_t count);
/** After the call: only the spans asked for have changed. `spans` are pairs of address and length. */
void check_noise(const uint64_t *spans, uint32_t count);
