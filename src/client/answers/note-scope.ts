import { compareVersions } from '../../protocol/version.ts';
import type { Key } from '../store/record-key.ts';
import type { HeldImage } from '../store/rows.ts';
import { heldOf } from './merge-units.ts';
import type { Settlement } from './settle.ts';

/**
 * Notes of a record that came in, with the record itself, whether it is out of scope (rule A32). What an image says that is older than what
 * is here, merged or kept aside, no longer counts.
 *
 * @param since - server time at which it came as one out of scope; `null` when it is in scope
 */
export function noteScope({ step, base, side }: Settlement, key: Key, { state, version }: HeldImage, since: number | null): void {
  const isHere = [base(key), side(key)].some((held) => held?.state === 'live');
  if (state === 'live' && isHere && compareVersions(version, heldOf(key, base, side)) >= 0) step.outside.set(key, since);
}
