import type { RowEnds } from '../../src/core/core.ts';
import type { Layout } from '../../src/protocol/layout.ts';
import { decodeRow } from '../../src/protocol/row.ts';
import { joinRowsOf } from './crm-rows.ts';

/** Pairs of records of one layout. */
export interface DiffInput {
  readonly layout: Layout;
  readonly pairs: number;
  /** The canonical rows of a side lie one after another. */
  readonly beforeRows: Uint8Array;
  readonly afterRows: Uint8Array;
  readonly before: readonly Uint8Array[];
  readonly after: readonly Uint8Array[];
  /** Where each row ends: storage and feed know it of theirs. */
  readonly ends: RowEnds;
}

/** Pairs from rows. */
export function createDiffInput(layout: Layout, before: readonly Uint8Array[], after: readonly Uint8Array[]): DiffInput {
  return { layout, pairs: before.length, before, after, beforeRows: joinRowsOf(before), afterRows: joinRowsOf(after), ends: { before: endsOf(before), after: endsOf(after) } };
}

/** Both sides as the objects that a program without the core packs. */
export function createTwoSides({ layout, before, after }: DiffInput): [Iterable<Readonly<Record<string, unknown>>>, Iterable<Readonly<Record<string, unknown>>>] {
  return [before.map((row) => decodeRow(layout, row)), after.map((row) => decodeRow(layout, row))];
}

function endsOf(rows: readonly Uint8Array[]): Uint32Array {
  let end = 0;
  return Uint32Array.from(rows, ({ length }) => (end += length));
}
