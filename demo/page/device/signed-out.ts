import type { Unsent } from '../../../src/client/inbox/sign-out.ts';

const storageKey = (deviceKey: string): string => `fieldtide-demo/${deviceKey}/signed-out`;

/** Whether a device is signed out, over reloads: what stayed on it, or `null`. */
export function readSignedOut(deviceKey: string): Unsent | null {
  const stored = localStorage.getItem(storageKey(deviceKey));
  return stored === null ? null : (JSON.parse(stored) as Unsent);
}

/** Hears when the device is signed out, or in, in another tab. */
export function watchSignedOut(deviceKey: string, onChange: (unsent: Unsent | null) => void): void {
  addEventListener('storage', ({ key }) => key === storageKey(deviceKey) && onChange(readSignedOut(deviceKey)));
}

export function storeSignedOut(deviceKey: string, unsent: Unsent | null): void {
  if (unsent === null) localStorage.removeItem(storageKey(deviceKey));
  else localStorage.setItem(storageKey(deviceKey), JSON.stringify(unsent));
}
