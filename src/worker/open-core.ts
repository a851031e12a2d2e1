import type { DeviceCore } from '../core/core.ts';
import { DEVICE_EDITION } from '../core/device-session.ts';
import { openInlinedCore } from '../core/open-wasm-core.ts';
import type { CoreDiagnostic } from '../core/wasm-core.ts';
import { platformRandom } from '../shared/platform.ts';
import type { CoreSource } from './engine-start.ts';

/** Loads the core that a host brought, or the one inside. */
export async function openCore(source: CoreSource | undefined, onDiagnostic: (diagnostic: CoreDiagnostic) => void): Promise<DeviceCore> {
  const options = { random: platformRandom, onDiagnostic };
  if (source !== undefined) {
    try {
      const { loadGivenCore } = await import('./given-core.ts');
      return await loadGivenCore(source, options);
    } catch (cause) {
      // It is not to be had, offline perhaps: the core inside must do.
      onDiagnostic({ kind: 'wasm-unavailable', answeredBy: 'scalar', cause });
    }
  }
  return openInlinedCore(DEVICE_EDITION, options);
}
