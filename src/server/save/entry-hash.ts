import { ByteWriter } from '../../protocol/byte-writer.ts';
import { CHANGE_OPS } from '../../protocol/items.ts';
import { maskPositions, NO_VALUE, splitRow } from '../../protocol/row.ts';
import type { WireEntry } from '../../protocol/messages.ts';
import { hashBytes } from '../../shared/bytes.ts';
import type { EntrySpan } from './read-entry.ts';

/** What a receipt remembers of the bytes it answers (rule C2). */
export interface EntryFingerprint {
  readonly hash: string;
  readonly byteLength: number;
}

/**
 * Fingerprints an entry by its content: names and values, not the layout indices of the message that happens to carry it. A repeat in
 * another message, or from a newer layout of the same fields, has the same fingerprint.
 */
export function fingerprintEntry(entry: WireEntry, span: EntrySpan): EntryFingerprint {
  const writer = new ByteWriter(512);
  writer.integer(entry.savedAt);
  if (entry.headers.length > 0 || entry.duplicateOf !== null) writeGroup(writer, entry);
  for (let at = span.start; at < span.start + span.count; at++) writeMember(writer, span, at);
  const content = writer.take();
  // The length beside the hash: two contents that collide have to be equally long as well (docs/decisions/0003).
  return { hash: `${hashBytes(content)}-${content.length}`, byteLength: content.length };
}

/** A member begins with a text, this with a number: entries outside groups keep the fingerprints that they have. */
function writeGroup(writer: ByteWriter, { headers, duplicateOf }: WireEntry): void {
  writer.integer(headers.length);
  for (const { object, id, epoch, n } of headers) {
    writer.text(object);
    writer.text(id);
    writer.integer(epoch);
    writer.integer(n);
  }
  writer.integer(duplicateOf === null ? 0 : 1);
  if (duplicateOf === null) return;
  writer.text(duplicateOf.object);
  writer.text(duplicateOf.id);
}

function writeMember(writer: ByteWriter, { table, layouts }: EntrySpan, at: number): void {
  const { object, fields } = layouts[table.layout(at)]!;
  const [epoch, n] = table.base(at);
  writer.text(object);
  writer.text(table.id(at));
  writer.integer(CHANGE_OPS[table.op(at)]);
  writer.integer(epoch);
  writer.integer(n);
  const mask = table.mask(at), previous = table.previous(at), next = table.next(at);
  const positions = mask === null ? fields.map((_, position) => position) : maskPositions(mask);
  const befores = previous === null ? [] : splitRow(previous), afters = next === null ? [] : splitRow(next);
  positions
    .map((position, slot) => ({ ...fields[position]!, before: befores[slot] ?? NO_VALUE, after: afters[slot] ?? NO_VALUE }))
    .filter(({ before, after }) => mask !== null || !isNoValue(before) || !isNoValue(after))
    .sort((left, right) => (left.name < right.name ? -1 : 1))
    .forEach(({ name, type, before, after }) => {
      writer.text(name);
      writer.text(type);
      writer.raw(before);
      writer.raw(after);
    });
}

function isNoValue(value: Uint8Array): boolean {
  return value.length === 1 && value[0] === NO_VALUE[0];
}
