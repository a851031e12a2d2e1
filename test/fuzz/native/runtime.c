// What the C that wasm2c writes asks of its surroundings (wasm-rt.h): a memory, and an end to every trap.
#include "regions.h"
#include <stdio.h>
#include <stdlib.h>

uint32_t wasm_rt_call_stack_depth;

_Noreturn void wasm_rt_trap(wasm_rt_trap_t trap) {
  fprintf(stderr, "the module trapped: code %d\n", (int)trap);
  abort();
}

bool wasm_rt_is_initialized(void) { return true; }

// No call of the module is indirect, so types need no telling apart.
uint32_t wasm_rt_register_func_type(uint32_t params, uint32_t results, ...) { return params << 8 | results; }

void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint32_t pages, uint32_t most_pages) {
  EXPECT(pages <= MEMORY_BYTES >> 16, "the module begins with more memory than the harness has");
  memory->data = aligned_alloc(65536, MEMORY_BYTES);
  EXPECT(memory->data != NULL, "no memory");
  for (uint32_t at = 0; at < MEMORY_BYTES; at++) memory->data[at] = 0;
  memory->pages = pages;
  memory->max_pages = most_pages;
  memory->size = pages << 16;
}

void wasm_rt_free_memory(wasm_rt_memory_t *memory) { free(memory->data); }
