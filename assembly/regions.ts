// Every region of a call is checked once, at its export. Regions come in ascending order of address, may touch and never overlap:
// so no call can write into what it reads, nor into the module's own tables below __heap_base.

/** The end of a region that is not where it may be; nothing can follow it. */
export const OUTSIDE: u64 = u64.MAX_VALUE;

/** Where the first region of a call ends. */
export function firstRegion(region: usize, regionBytes: u64): u64 {
  return regionAfter(<u64>__heap_base, region, regionBytes);
}

/** Where a region ends, when it lies behind the one before and inside the memory; else {@link OUTSIDE}. */
export function regionAfter(previousEnd: u64, region: usize, regionBytes: u64): u64 {
  const end = <u64>region + regionBytes;
  if (<u64>region < previousEnd || end > <u64>memory.size() << 16) return OUTSIDE;
  return end;
}
