import type { DeviceCore } from '../core/core.ts';
import { DEVICE_EDITION } from '../core/device-session.ts';
import { loadCore, type LoadCoreOptions } from '../core/load-core.ts';
import type { CoreDiagnostic } from '../core/wasm-core.ts';
import { platformFetch, platformRandom } from '../shared/platform.ts';
import type { CoreSource } from './engine-start.ts';

/** Loads the core that a host brought, or the one inside. */
export async function openCore(source: CoreSource | undefined, onDiagnostic: (diagnostic: CoreDiagnostic) => void): Promise<DeviceCore> {
  const options: LoadCoreOptions = { random: platformRandom, onDiagnostic };
  if (source === undefined) return loadCore(DEVICE_EDITION, options);
  const given = typeof source === 'string' ? await fetchCore(source, onDiagnostic) : source;
  if (given === null) return loadCore(DEVICE_EDITION, options);
  return loadCore(DEVICE_EDITION, isBytes(given) ? { ...options, bytes: given } : { ...options, module: given });
}

/** `null` when it is not to be had: offline, the core inside must do. */
async function fetchCore(url: string, onDiagnostic: (diagnostic: CoreDiagnostic) => void): Promise<ArrayBuffer | null> {
  try {
    const response = await platformFetch(url, {});
    if (response.ok) return await response.arrayBuffer();
    throw new Error(`${url} answers with status ${response.status}`);
  } catch (cause) {
    onDiagnostic({ kind: 'wasm-unavailable', answeredBy: 'scalar', cause });
    return null;
  }
}

function isBytes(source: Exclude<CoreSource, string>): source is BufferSource {
  return source instanceof ArrayBuffer || ArrayBuffer.isView(source);
}
