// The bytes that the core and its callers agree on: plain numbers, read by asc and by tsc. Everything is little-endian u32 words
// unless a line says otherwise. test/core/layout.test.ts holds the codes and limits to the protocol's own lists.

// How a call ended; the order is that of CORE_STATUSES in src/core/core.ts.
export const STATUS_OK = 0;
export const STATUS_TRUNCATED = 1;
export const STATUS_TRAILING_BYTES = 2;
export const STATUS_TOO_DEEP = 3;
export const STATUS_TOO_MANY = 4;
export const STATUS_UNEXPECTED_TYPE = 5;
export const STATUS_NOT_CANONICAL = 6;
export const STATUS_BAD_UTF8 = 7;
export const STATUS_OUT_OF_RANGE = 8;
export const STATUS_UNKNOWN_LAYOUT = 9;
export const STATUS_WRONG_FIELD_COUNT = 10;
export const STATUS_BAD_MASK = 11;
export const STATUS_BAD_STATE = 12;
export const STATUS_TOO_LARGE = 13;
export const STATUS_NOT_SORTED = 14;
export const STATUS_OUT_OF_MEMORY = 15;

// Only a caller of the module sees these: regions out of order or out of memory, and an index that has no room for the next item.
export const STATUS_BAD_REGIONS = 16;
export const STATUS_INDEX_FULL = 17;

// Field types; the codes of FIELD_TYPE_CODES in src/protocol/field.ts.
export const TYPE_TEXT = 1;
export const TYPE_TEXT_KEEPING_EMPTY = 2;
export const TYPE_INTEGER = 3;
export const TYPE_NUMBER = 4;
export const TYPE_DECIMAL = 5;
export const TYPE_BOOLEAN = 6;
export const TYPE_DATE = 7;
export const TYPE_DATE_TIME = 8;
export const TYPE_PICKLIST = 9;
export const TYPE_MULTI_PICKLIST = 10;
export const TYPE_REFERENCE = 11;
export const TYPE_JSON = 12;

// What a value may be at most; VALUE_LIMITS in src/protocol/value.ts.
export const MAX_TEXT_BYTES = 1048576;
export const MAX_ID_BYTES = 255;
export const MAX_DECIMAL_DIGITS = 60;
export const MAX_JSON_DEPTH = 16;
export const FIRST_INSTANT_MS = -62167219200000;
export const LAST_INSTANT_MS = 253402300799999;
export const MAX_SAFE_INTEGER = 9007199254740991;
export const MAX_EPOCH = 2147483647;

/** Deepest nesting of a message: the outermost value is at depth 0. */
export const MAX_MESSAGE_DEPTH = 32;

// What a call says beside its status, in words.
//   0 offset: where the refused value begins, or where to go on | 1 count: items, pairs or bytes done
//   2, 3 where to go on in the second and third region of a batch
export const RESULT_WORDS = 4;
export const RESULT_OFFSET = 0;
export const RESULT_COUNT = 1;
export const RESULT_SECOND_OFFSET = 2;
export const RESULT_THIRD_OFFSET = 3;

// The layouts of a message: a word with their number, an entry of words for each, and then the type codes, a byte each.
//   entry: 0 object (layouts of one object share its number) | 1 types at, from the start of the region | 2 field count
export const LAYOUTS_HEADER_WORDS = 1;
export const LAYOUT_WORDS = 3;
export const LAYOUT_OBJECT = 0;
export const LAYOUT_TYPES_AT = 1;
export const LAYOUT_FIELD_COUNT = 2;

// What an image says of its record, and what a change does to it; IMAGE_STATES and CHANGE_OPS in src/protocol/items.ts.
export const STATE_LIVE = 0;
export const STATE_DELETED = 1;
export const STATE_HIDDEN = 2;
export const OP_CREATE = 0;
export const OP_UPDATE = 1;
export const OP_REMOVE = 2;

// An entry of the index of images, in words. Offsets are into the items; 0 (where an item begins, never one of its parts) is none.
//   0 layout | 1 id at | 2 id bytes | 3 epoch | 4 n low | 5 n high | 6 state | 7 row at | 8 row bytes
// The id is kept as its whole msgpack value, header included: canonical ids are equal when these bytes are.
export const IMAGE_WORDS = 9;
export const IMAGE_LAYOUT = 0;
export const IMAGE_ID_AT = 1;
export const IMAGE_ID_BYTES = 2;
export const IMAGE_EPOCH = 3;
export const IMAGE_N_LOW = 4;
export const IMAGE_N_HIGH = 5;
export const IMAGE_STATE = 6;
export const IMAGE_ROW_AT = 7;
export const IMAGE_ROW_BYTES = 8;

// An entry of the index of changes, in words. The mask is the body of its binary, previous and next are whole arrays; offsets as above.
//   0 layout | 1 id at | 2 id bytes | 3 op | 4 epoch | 5 n low | 6 n high | 7 mask at | 8 mask bytes
//   9 previous at | 10 previous bytes | 11 next at | 12 next bytes
export const CHANGE_WORDS = 13;
export const CHANGE_LAYOUT = 0;
export const CHANGE_ID_AT = 1;
export const CHANGE_ID_BYTES = 2;
export const CHANGE_OP = 3;
export const CHANGE_EPOCH = 4;
export const CHANGE_N_LOW = 5;
export const CHANGE_N_HIGH = 6;
export const CHANGE_MASK_AT = 7;
export const CHANGE_MASK_BYTES = 8;
export const CHANGE_PREVIOUS_AT = 9;
export const CHANGE_PREVIOUS_BYTES = 10;
export const CHANGE_NEXT_AT = 11;
export const CHANGE_NEXT_BYTES = 12;

// The version that a device holds of an image's record, in words.
//   0 epoch | 1 n low | 2 n high
export const BASE_WORDS = 3;
export const BASE_EPOCH = 0;
export const BASE_N_LOW = 1;
export const BASE_N_HIGH = 2;

// Records that need care: an entry of words for each, and then their ids, whole msgpack values as in the index.
//   entry: 0 object | 1 id at, from the start of the region | 2 id bytes | 3 flags
export const ATTENTION_WORDS = 4;
export const ATTENTION_OBJECT = 0;
export const ATTENTION_ID_AT = 1;
export const ATTENTION_ID_BYTES = 2;
export const ATTENTION_FLAGS = 3;

// Which group an image belongs to is a word per image: the group's number, or this for a record by itself. A need's image likewise.
export const NO_INDEX = 0xffffffff;

// A member that a group must have, in words: complete when its image is at the version or newer, or what the device holds is.
//   0 group | 1 image, or NO_INDEX | 2 epoch | 3 n low | 4 n high | 5 held epoch | 6 held n low | 7 held n high
export const NEED_WORDS = 8;
export const NEED_GROUP = 0;
export const NEED_IMAGE = 1;
export const NEED_EPOCH = 2;
export const NEED_N_LOW = 3;
export const NEED_N_HIGH = 4;
export const NEED_HELD_EPOCH = 5;
export const NEED_HELD_N_LOW = 6;
export const NEED_HELD_N_HIGH = 7;

// What a feed plan is made of, in words; the regions follow it in this order.
//   0 items | 1 items bytes | 2 layouts | 3 layouts bytes | 4 index | 5 count | 6 bases | 7 attention | 8 attention bytes
//   9 attention count | 10 merges equal (0 or 1) | 11 group of each image | 12 needs | 13 need count
//   14 seed | 15 table | 16 table slots (a power of two above count)
//   17 groups: a word of attention flags each, to which the plan adds those of its members | 18 group count | 19 verdicts
export const PLAN_WORDS = 20;
export const PLAN_ITEMS = 0;
export const PLAN_ITEMS_BYTES = 1;
export const PLAN_LAYOUTS = 2;
export const PLAN_LAYOUTS_BYTES = 3;
export const PLAN_INDEX = 4;
export const PLAN_COUNT = 5;
export const PLAN_BASES = 6;
export const PLAN_ATTENTION = 7;
export const PLAN_ATTENTION_BYTES = 8;
export const PLAN_ATTENTION_COUNT = 9;
export const PLAN_MERGES_EQUAL = 10;
export const PLAN_GROUP_OF = 11;
export const PLAN_NEEDS = 12;
export const PLAN_NEED_COUNT = 13;
export const PLAN_SEED = 14;
export const PLAN_TABLE = 15;
export const PLAN_TABLE_SLOTS = 16;
export const PLAN_GROUPS = 17;
export const PLAN_GROUP_COUNT = 18;
export const PLAN_VERDICTS = 19;

/** Bytes of the secret key of a plan's hash table. */
export const SEED_BYTES = 16;

// What to do with an image of a feed batch; the order is that of VERDICTS in src/core/core.ts.
export const VERDICT_MERGE = 0;
export const VERDICT_WAIT = 1;
export const VERDICT_DISCARD = 2;
export const VERDICT_SUPERSEDED = 3;
export const VERDICT_STALE = 4;
export const VERDICT_INCOMPLETE = 5;
export const VERDICT_CARE = 6; // in batches only: BATCH_VERDICTS in src/core/batch.ts

// Why a record, or a group, must not be merged into; ATTENTION in src/core/core.ts.
export const ATTENTION_PENDING = 1;
export const ATTENTION_IN_ERROR = 2;
export const ATTENTION_IN_USE = 4;
export const ATTENTION_INCOMPLETE = 8;
export const ATTENTION_CARE = 16; // in batches only

// The index of a batch, in words: a header, an entry for each image, the images that are the newest of their record in order of object
// and id, and for each object where its part of that order ends.
//   header: 0 count of images | 1 count of records
//   entry: as of the index of images, and then 9 the newest image of its record
export const BATCH_HEADER_WORDS = 2;
export const BATCH_COUNT = 0;
export const BATCH_RECORDS = 1;
export const BATCH_IMAGE_WORDS = 10;
export const BATCH_NEWEST = 9;

// Beside the index, while it is made: the ids of all images, each its byte length in a byte and then the id; and a key for each image,
// in words: 0, 1 seven bytes of the id and how many there are (8: more) | 2 the image | 3 where its id is
export const BATCH_KEY_WORDS = 4;
export const BATCH_KEY_IMAGE = 2;
export const BATCH_KEY_ID = 3;

// What a batch is merged with, in words; the regions follow it in this order.
//   0 layouts | 1 layouts bytes | 2 beginnings | 3 beginnings bytes | 4 entries of the index | 5 count | 6 order | 7 record count
//   8 flags: a byte of attention for each image | 9 held: for each record the block and the row of it, in words
//   10 group of each image (none of any where there are no groups) | 11 needs | 12 need count
//   13 groups: a word of attention flags each, to which the merge adds those of its members | 14 group count
//   15 merges equal (0 or 1) | 16 verdicts | 17 changes: room for one of each record
export const MERGE_WORDS = 18;

// How stored images of each layout begin: two words for each, where its bytes are from the start of the region and how many.
export const BEGINNING_WORDS = 2;

// What a record is held as, in words: the block among those of its object, or NO_INDEX, and the row there.
export const HELD_WORDS = 2;

// A change, in words: 0 image | 1 block of what was held, or NO_INDEX | 2 row there
export const MERGED_WORDS = 3;

// Packed rows: a word with the format, a word with their number, and for each where its id and its value end, from the end of these words.
export const ROW_BLOCK_FORMAT = 1;
export const ROW_BLOCK_HEADER_BYTES = 8;
export const ROW_ENDS_BYTES = 8;

/** In the flags of an image, while a batch is merged: not newer than what is held. */
export const FLAG_STALE = 128;
