import type { DeviceCore } from '../core/core.ts';
import { DEVICE_EDITION } from '../core/device-session.ts';
import { loadCore } from '../core/load-core.ts';
import type { CoreOptions } from '../core/open-wasm-core.ts';
import { platformFetch } from '../shared/platform.ts';
import type { CoreSource } from './engine-start.ts';

/** Loads the core that a host brought. Most bring none: a file of its own. @throws where its address does not answer with it */
export async function loadGivenCore(source: CoreSource, options: CoreOptions): Promise<DeviceCore> {
  const given = typeof source === 'string' ? await fetchCore(source) : source;
  return loadCore(DEVICE_EDITION, { ...options, ...(isBytes(given) ? { bytes: given } : { module: given }) });
}

async function fetchCore(url: string): Promise<ArrayBuffer> {
  const response = await platformFetch(url, {});
  if (!response.ok) throw new Error(`${url} answers with status ${response.status}`);
  return response.arrayBuffer();
}

function isBytes(source: Exclude<CoreSource, string>): source is BufferSource {
  return source instanceof ArrayBuffer || ArrayBuffer.isView(source);
}
