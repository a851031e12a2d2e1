import { ByteWriter } from './byte-writer.ts';
import { NO_VALUE, type FieldMask } from './row.ts';
import type { RecordVersion } from './version.ts';

/** What an image says of its record. */
export const IMAGE_STATES = {
  /** The record exists and the reader may see it. */
  live: 0,
  /** It was deleted. */
  deleted: 1,
  /** The reader may no longer see it. */
  hidden: 2,
} as const;

export type ImageState = keyof typeof IMAGE_STATES;

/** A server row of one record at one version: what feed pages, answers and snapshots are made of. */
export interface Image {
  /** Index into the message's layouts. */
  readonly layout: number;
  readonly id: string;
  readonly version: RecordVersion;
  readonly state: ImageState;
  /** The row, or `null` unless the state is `live`. */
  readonly row: Uint8Array | null;
}

export const CHANGE_OPS = { create: 0, update: 1, remove: 2 } as const;

export type ChangeOp = keyof typeof CHANGE_OPS;

/** One edited record, with the previous and the new values of the fields that the user changed (rule A20). */
export interface Change {
  /** Index into the message's layouts. */
  readonly layout: number;
  readonly id: string;
  readonly op: ChangeOp;
  /** The version the edit was made on; informative, values are what is compared. */
  readonly base: RecordVersion;
  /** The changed fields; `null` for a create, all fields that devices write for a remove. */
  readonly mask: FieldMask | null;
  /** An array of the previous values of the masked fields, in layout order; `null` for a create. */
  readonly previous: Uint8Array | null;
  /** A whole row for a create, an array of the new values of the masked fields for an update, `null` for a remove. */
  readonly next: Uint8Array | null;
}

/** Writes `[layout, id, epoch, n, state, row]`. */
export function writeImage(writer: ByteWriter, image: Image): void {
  writer.array(6);
  writer.integer(image.layout);
  writer.text(image.id);
  writer.integer(image.version[0]);
  writer.integer(image.version[1]);
  writer.integer(IMAGE_STATES[image.state]);
  writer.raw(image.row ?? NO_VALUE);
}

/** Writes `[layout, id, op, epoch, n, mask, previous, next]`. */
export function writeChange(writer: ByteWriter, change: Change): void {
  writer.array(8);
  writer.integer(change.layout);
  writer.text(change.id);
  writer.integer(CHANGE_OPS[change.op]);
  writer.integer(change.base[0]);
  writer.integer(change.base[1]);
  writer.anything(change.mask);
  writer.raw(change.previous ?? NO_VALUE);
  writer.raw(change.next ?? NO_VALUE);
}

/** Joins images into the items of a message. */
export function encodeImages(images: readonly Image[]): Uint8Array {
  const writer = new ByteWriter(1024);
  for (const image of images) writeImage(writer, image);
  return writer.take();
}

/** Joins changes into the items of a message. */
export function encodeChanges(changes: readonly Change[]): Uint8Array {
  const writer = new ByteWriter(1024);
  for (const change of changes) writeChange(writer, change);
  return writer.take();
}
