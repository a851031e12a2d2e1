/** What a device's connection is like. The page decides; the device's worker makes its requests feel it. */
export type NetworkMode = 'online' | 'slow' | 'offline';

export const NETWORK_MODES: readonly { readonly mode: NetworkMode; readonly label: string }[] = [
  { mode: 'online', label: 'Online' },
  { mode: 'slow', label: 'Slow' },
  { mode: 'offline', label: 'Offline' },
];

/** Milliseconds that a slow connection takes to carry a request, and again to carry its answer. */
export const SLOW_MS = 1_500;

/** Name of the channel on which workers of a device, and its pages in other tabs, hear that its connection changed. */
export function networkChannel(deviceKey: string): string {
  return `fieldtide-demo-network-${deviceKey}`;
}

/** What a device's connection does. */
export interface Connection {
  readonly mode: NetworkMode;
  /** One order line is left out of what the feed brings. */
  readonly holdsBack: boolean;
}

/** Remembers a device's mode over reloads, as a flight mode would be. */
export function readNetworkMode(deviceKey: string): NetworkMode {
  const stored = localStorage.getItem(storageKey(deviceKey));
  return NETWORK_MODES.find(({ mode }) => mode === stored)?.mode ?? 'online';
}

export function storeNetworkMode(deviceKey: string, mode: NetworkMode): void {
  localStorage.setItem(storageKey(deviceKey), mode);
}

function storageKey(deviceKey: string): string {
  return `fieldtide-demo/${deviceKey}/network`;
}
