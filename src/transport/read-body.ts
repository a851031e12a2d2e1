import { concatBytes } from '../shared/bytes.ts';
import { SyncFault } from '../shared/fault.ts';
import type { Cutoff } from './cutoff.ts';

/**
 * Reads a body and counts what comes out of decompression while it streams, so that a small download cannot grow past `maxBodyBytes` in
 * memory.
 */
export async function readBody(response: Response, maxBodyBytes: number, cutoff: Cutoff): Promise<Uint8Array> {
  if (response.body === null || response.body === undefined) return readWhole(response, maxBodyBytes, cutoff);
  const reader = response.body.getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await cutoff.race(reader.read());
      if (done) return concatBytes(parts);
      length += value.length;
      if (length > maxBodyBytes) throw tooLarge(maxBodyBytes);
      parts.push(value);
    }
  } catch (thrown) {
    // Not awaited: a stream that is broken already may never say that it stopped.
    reader.cancel().catch(() => {});
    throw thrown;
  }
}

// React Native's fetch has no streams. It has buffered the body by now; all that is left is to trust the declared length first.
async function readWhole(response: Response, maxBodyBytes: number, cutoff: Cutoff): Promise<Uint8Array> {
  if (Number(response.headers.get('content-length') ?? 0) > maxBodyBytes) throw tooLarge(maxBodyBytes);
  const body = new Uint8Array(await cutoff.race(response.arrayBuffer()));
  if (body.length > maxBodyBytes) throw tooLarge(maxBodyBytes);
  return body;
}

function tooLarge(maxBodyBytes: number): SyncFault {
  return new SyncFault('TRANSPORT_TOO_LARGE', `the answer is larger than ${maxBodyBytes} bytes`, { details: { maxBodyBytes } });
}
