import type { ChangeTable, CoreRefusal, ImageTable } from '../../src/core/core.ts';
import type { Change, Image } from '../../src/protocol/items.ts';

/** Everything that a table says, as plain data; of a refusal, the refusal. */
export function readTable(table: ImageTable | ChangeTable | CoreRefusal): (Image | Change)[] | CoreRefusal {
  if (!table.ok) return table;
  return Array.from({ length: table.count }, (_, index) => ('state' in table ? readImage(table, index) : readChange(table, index)));
}

function readImage(table: ImageTable, index: number): Image {
  return { layout: table.layout(index), id: table.id(index), version: table.version(index), state: table.state(index), row: table.row(index) };
}

function readChange(table: ChangeTable, index: number): Change {
  return {
    layout: table.layout(index),
    id: table.id(index),
    op: table.op(index),
    base: table.base(index),
    mask: table.mask(index),
    previous: table.previous(index),
    next: table.next(index),
  };
}
