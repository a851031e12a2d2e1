import type { DeviceCore } from '../core/core.ts';
import { DEVICE_EDITION } from '../core/device-session.ts';
import { loadCore } from '../core/load-core.ts';
import type { CoreDiagnostic } from '../core/wasm-core.ts';
import { platformFetch, platformRandom } from '../shared/platform.ts';
import type { CoreSource } from './engine-start.ts';

/** Loads the core that a host brought, or the one inside. */
export async function openCore(source: CoreSource | undefined, onDiagnostic: (diagnostic: CoreDiagnostic) => void): Promise<DeviceCore> {
  const given = typeof source === 'string' ? await fetchCore(source, onDiagnostic) : source;
  const build = given === undefined ? {} : isBytes(given) ? { bytes: given } : { module: given };
  return loadCore(DEVICE_EDITION, { ...build, random: platformRandom, onDiagnostic });
}

/** `undefined` when it is not to be had: offline, the core inside must do. */
async function fetchCore(url: string, onDiagnostic: (diagnostic: CoreDiagnostic) => void): Promise<ArrayBuffer | undefined> {
  try {
    const response = await platformFetch(url, {});
    if (response.ok) return await response.arrayBuffer();
    throw new Error(`${url} answers with status ${response.status}`);
  } catch (cause) {
    onDiagnostic({ kind: 'wasm-unavailable', answeredBy: 'scalar', cause });
    return undefined;
  }
}

function isBytes(source: Exclude<CoreSource, string>): source is BufferSource {
  return source instanceof ArrayBuffer || ArrayBuffer.isView(source);
}
