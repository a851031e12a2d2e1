// What the files of the batch module's part of the harness share.
#pragma once
#include "calls.h"
#include "regions.h"

#define RESULT_BYTES (RESULT_WORDS * 4)
#define ENTRY_BYTES (BATCH_IMAGE_WORDS * 4)
#define KEY_BYTES (BATCH_KEY_WORDS * 4)
#define MOST_IMAGES 128u
#define MOST_OBJECTS 8u

/** A batch as it was indexed and sorted, in the harness' own memory. */
typedef struct {
  uint32_t count, record_count, ids_used, object_count;
  uint8_t entries[MOST_IMAGES * ENTRY_BYTES], keys[MOST_IMAGES * KEY_BYTES], ids[MOST_IMAGES * 272];
  uint32_t order[MOST_IMAGES], ends[MOST_OBJECTS];
} Batch;

extern Batch batch;

static inline Part bytes_of(const void *bytes, uint32_t length) { return (Part){(const uint8_t *)bytes, length}; }

/** Indexes the items in windows of so many bytes, and sorts them; false when they are refused. `tampering` changes bytes of the tables between. */
bool make_batch(Part layouts, Part items, uint32_t window_bytes, Part tampering, Place place);
/** Overwrites bytes as the tampering says: each two bytes of offset and one of value. */
void tamper(Part tampering, void *bytes, uint32_t length);
/** Indexes a batch, and merges it with what the input says is held. */
void merge_batch(Input *input, Place place);
