import { Packr } from 'msgpackr';
import { SyncFault } from '../shared/fault.ts';

// Plain msgpack that any library reads: no record extension, smallest headers, no `new Function`.
const packr = new Packr({ useRecords: false, variableMapSize: true, int64AsType: 'number', encodeUndefinedAsNil: true });

/**
 * Writes an envelope. The client has a codec of its own for envelopes (docs/decisions/0007): between the two every message is read by
 * another implementation than the one that wrote it.
 */
export function encodeEnvelope(envelope: object): Uint8Array {
  // The packer hands out a view of a buffer that it reuses; in Node that is a Buffer, whose `slice` would not copy.
  return new Uint8Array(packr.pack(envelope));
}

/**
 * Reads an envelope as unknown data, for a `parse…` function. The core must have scanned the bytes first: depth, counts and extension
 * types are checked there, before anything is allocated.
 *
 * @throws {@link SyncFault} `PROTOCOL_MALFORMED`
 */
export function decodeEnvelope(bytes: Uint8Array): unknown {
  try {
    return packr.unpack(bytes) as unknown;
  } catch (cause) {
    throw new SyncFault('PROTOCOL_MALFORMED', 'the message is not one msgpack value', { cause });
  }
}
