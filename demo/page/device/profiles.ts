import type { IconName } from '../render/icon.ts';

/** Who holds a device. */
export interface Person {
  readonly user: string;
  readonly name: string;
  readonly initials: string;
}

export const ANN: Person = { user: 'ann', name: 'Ann Peeters', initials: 'AP' };
export const BEN: Person = { user: 'ben', name: 'Ben Okafor', initials: 'BO' };

/** One device of the page: a client with a worker and a database of its own. */
export interface DeviceProfile {
  /** Names the database, the worker, and everything of this device on the page. */
  readonly key: string;
  readonly person: Person;
  readonly title: string;
  readonly icon: IconName;
}

export const DEVICES: readonly DeviceProfile[] = [
  { key: 'ann-tablet', person: ANN, title: 'Ann’s tablet', icon: 'tablet' },
  { key: 'ann-phone', person: ANN, title: 'Ann’s phone', icon: 'phone' },
  { key: 'ben-tablet', person: BEN, title: 'Ben’s tablet', icon: 'tablet' },
];
