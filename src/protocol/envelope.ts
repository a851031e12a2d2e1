import { SyncFault } from '../shared/fault.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';

/** Writes an envelope as plain msgpack, which any library reads. A key whose value is `undefined` is left out. */
export function encodeEnvelope(envelope: object): Uint8Array {
  const writer = new ByteWriter(1024);
  write(writer, envelope);
  return writer.take();
}

/**
 * Reads an envelope as unknown data, for a `parse…` function. The core must have scanned the bytes first: depth, counts and extension
 * types are checked there, before anything is allocated. Byte strings are views of `bytes`.
 *
 * @throws {@link SyncFault} `PROTOCOL_MALFORMED`
 */
export function decodeEnvelope(bytes: Uint8Array): unknown {
  try {
    const reader = new ByteReader(bytes);
    const envelope = reader.anything();
    // Short of the end something follows; beyond it a text or a byte string was cut off.
    if (reader.at !== bytes.length) throw new RangeError(`the value ends at ${reader.at} of ${bytes.length} bytes`);
    return envelope;
  } catch (cause) {
    throw new SyncFault('PROTOCOL_MALFORMED', 'the message is not one msgpack value', { cause });
  }
}

function write(writer: ByteWriter, value: unknown): void {
  if (value === null || value === undefined) writer.nil();
  else if (typeof value === 'boolean') writer.boolean(value);
  else if (typeof value === 'number') writer.number(value);
  else if (typeof value === 'string') writer.text(value);
  else if (value instanceof Uint8Array) writer.binary(value);
  else if (Array.isArray(value)) {
    writer.array(value.length);
    for (const member of value) write(writer, member);
  } else {
    const entries = Object.entries(value).filter(([, member]) => member !== undefined);
    writer.map(entries.length);
    for (const [key, member] of entries) {
      writer.text(key);
      write(writer, member);
    }
  }
}
