import { SyncFault } from '../shared/fault.ts';
import { ByteReader } from './byte-reader.ts';
import { written } from './byte-writer.ts';

/** Writes an envelope as plain msgpack, which any library reads. A key whose value is `undefined` is left out. */
export function encodeEnvelope(envelope: object): Uint8Array {
  return written((writer) => writer.anything(envelope));
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
    if (reader.at !== bytes.length) throw new RangeError('the bytes do not end with the value');
    return envelope;
  } catch (cause) {
    throw new SyncFault('PROTOCOL_MALFORMED', 'the message is no msgpack', { cause });
  }
}
