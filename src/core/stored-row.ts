import { MAX_EPOCH, MAX_SAFE_INTEGER, STATUS_BAD_STATE, STATUS_WRONG_FIELD_COUNT } from '../../assembly/layout.ts';
import { ByteWriter } from '../protocol/byte-writer.ts';
import type { Layout } from '../protocol/layout.ts';
import type { RecordVersion } from '../protocol/version.ts';
import { bytesEqual, utf8 } from '../shared/bytes.ts';
import { CanonicalReader } from './canonical-reader.ts';
import { Refused } from './refusal.ts';

// How storage keeps an image: `[layout hash, epoch, n, state, row]`; `encodeImage` in src/client/store/stored.ts writes the same.

const MEMBERS = 5;
const LIVE = utf8('live');
const NAME_BYTES = 255;

/** What stands before the row of a stored image. */
export interface StoredHead {
  readonly version: RecordVersion;
  /** It is live, and of the layout that was asked about. */
  readonly isLiveOf: boolean;
  /** Where the row begins. */
  readonly rowAt: number;
}

/** How a stored image of a layout begins: the bytes before its epoch. */
export function storedBeginning({ hash }: Layout): Uint8Array {
  const writer = new ByteWriter(32);
  writer.array(MEMBERS);
  writer.text(hash);
  return writer.take();
}

/** Writes a live image; `numbers` are epoch and n as the message has them. */
export function writeStoredRow(writer: ByteWriter, beginning: Uint8Array, numbers: Uint8Array, row: Uint8Array): void {
  writer.raw(beginning);
  writer.raw(numbers);
  writer.text('live');
  writer.raw(row);
}

/** Reads what stands before the row. @throws Refused when it is not canonical. */
export function readStoredHead(bytes: Uint8Array, beginning: Uint8Array): StoredHead {
  const reader = new CanonicalReader(bytes);
  if (reader.array() !== MEMBERS) throw new Refused(STATUS_WRONG_FIELD_COUNT, 0);
  reader.text(1, NAME_BYTES);
  const isOfLayout = bytesEqual(bytes.subarray(0, reader.at), beginning);
  const version: RecordVersion = [reader.integer(0, MAX_EPOCH), reader.integer(0, MAX_SAFE_INTEGER)];
  const stateAt = reader.at;
  reader.text(1, NAME_BYTES);
  if (reader.at === bytes.length) throw new Refused(STATUS_BAD_STATE, stateAt);
  return { version, isLiveOf: isOfLayout && bytesEqual(bytes.subarray(reader.bodyAt, reader.at), LIVE), rowAt: reader.at };
}
