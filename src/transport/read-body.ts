import { concatBytes } from '../shared/bytes.ts';
import { SyncFault } from '../shared/fault.ts';
import type { Cutoff } from './cutoff.ts';

/**
 * Reads a body and counts what comes out of decompression while it streams, so that a small download cannot grow past `maxBytes` in
 * memory.
 */
export async function readBody(response: Response, maxBytes: number, cutoff: Cutoff): Promise<Uint8Array> {
  if (response.body === null || response.body === undefined) return readWhole(response, maxBytes, cutoff);
  const reader = response.body.getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await cutoff.race(reader.read());
      if (done) return concatBytes(parts);
      length += value.length;
      if (length > maxBytes) throw tooLarge(maxBytes);
      parts.push(value);
    }
  } catch (thrown) {
    // Not awaited: a stream that is broken already may never say that it stopped.
    reader.cancel().catch(() => {});
    throw thrown;
  }
}

// React Native's fetch has no streams. It has buffered the body by now; all that is left is to trust the declared length first.
async function readWhole(response: Response, maxBytes: number, cutoff: Cutoff): Promise<Uint8Array> {
  if (Number(response.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const body = new Uint8Array(await cutoff.race(response.arrayBuffer()));
  if (body.length > maxBytes) throw tooLarge(maxBytes);
  return body;
}

function tooLarge(maxBytes: number): SyncFault {
  return new SyncFault('TRANSPORT_TOO_LARGE', `the answer is larger than ${maxBytes} bytes`, { details: { maxBytes } });
}
