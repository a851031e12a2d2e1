import { LAYOUT_FIELD_COUNT, LAYOUT_OBJECT, LAYOUT_TYPES_AT, LAYOUT_WORDS, LAYOUTS_HEADER_WORDS } from './layout';
import { wordAt } from './bytes';

// The layouts of a message, as layout.ts draws them.

const HEADER_BYTES: u32 = LAYOUTS_HEADER_WORDS * 4;
const ENTRY_BYTES: u32 = LAYOUT_WORDS * 4;

/** Says whether every layout's types lie in the region; nothing else may look at one that was not checked here. */
export function areLayouts(layouts: usize, layoutsBytes: u32): bool {
  if (layoutsBytes < HEADER_BYTES) return false;
  const entriesEnd = HEADER_BYTES + <u64>layoutCount(layouts) * ENTRY_BYTES;
  if (entriesEnd > layoutsBytes) return false;
  for (let index: u32 = 0; index < layoutCount(layouts); index++) {
    const layout = layoutAt(layouts, index);
    if (<u64>wordAt(layout + LAYOUT_TYPES_AT * 4) + fieldCountOf(layout) > layoutsBytes) return false;
  }
  return true;
}

export function layoutCount(layouts: usize): u32 {
  return wordAt(layouts);
}

/** The entry of a layout, by its number in the message. */
export function layoutAt(layouts: usize, index: u32): usize {
  return layouts + HEADER_BYTES + index * ENTRY_BYTES;
}

export function objectOf(layout: usize): u32 {
  return wordAt(layout + LAYOUT_OBJECT * 4);
}

export function fieldCountOf(layout: usize): u32 {
  return wordAt(layout + LAYOUT_FIELD_COUNT * 4);
}

/** The type codes of a layout, a byte each. */
export function typesOf(layouts: usize, layout: usize): usize {
  return layouts + wordAt(layout + LAYOUT_TYPES_AT * 4);
}
