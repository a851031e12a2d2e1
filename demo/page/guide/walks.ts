import type { Device } from '../device/device.ts';

/** The devices that the walk-throughs look at. */
export interface Stage {
  readonly tablet: Device;
  readonly phone: Device;
  readonly ben: Device;
}

export interface Step {
  readonly text: string;
  /** Whether the page shows that the step was done. Steps are ticked in order. */
  readonly isDone: (stage: Stage) => boolean;
}

export interface Walk {
  readonly key: string;
  readonly title: string;
  readonly lead: string;
  /** Its first step is part of other walks too, so it only begins when none is under way. */
  readonly beginsAlone?: boolean;
  readonly steps: readonly Step[];
}

const isOffline = ({ network }: Device): boolean => network === 'offline';
const pending = ({ status }: Device): number => status?.pending ?? 0;
const isSettled = (device: Device): boolean => !isOffline(device) && device.status !== null && pending(device) === 0;

/** Things to try, each a few steps long. */
export const WALKS: readonly Walk[] = [
  {
    key: 'conflict',
    title: 'First save wins',
    lead: 'Two devices, one field, no network.',
    steps: [
      { text: 'Take Ann’s tablet and phone offline.', isDone: ({ tablet, phone }) => isOffline(tablet) && isOffline(phone) },
      { text: 'Change the same account’s phone number on both, differently.', isDone: ({ tablet, phone }) => pending(tablet) > 0 && pending(phone) > 0 },
      { text: 'Bring the tablet online: its save is first.', isDone: ({ tablet, phone }) => isSettled(tablet) && pending(phone) > 0 },
      { text: 'Bring the phone online: it is told, nothing is overwritten.', isDone: ({ phone }) => !isOffline(phone) && phone.syncErrors.length > 0 },
      { text: 'Look at the problem, then Undo: all agree.', isDone: ({ phone }) => phone.status !== null && phone.syncErrors.length === 0 && isSettled(phone) },
    ],
  },
  {
    key: 'kill',
    title: 'Pull the plug',
    lead: 'A kill in the middle of sending.',
    steps: [
      { text: 'Put Ann’s phone on a slow connection.', isDone: ({ phone }) => phone.network === 'slow' },
      { text: 'Save a few changes there.', isDone: ({ phone }) => pending(phone) > 0 },
      { text: 'Kill and restart it while it sends.', isDone: ({ phone }) => phone.status === null },
      { text: 'All of them arrive, each once.', isDone: ({ phone }) => isSettled(phone) },
    ],
  },
  {
    key: 'office',
    title: 'Who hears what',
    lead: 'The feed is a person’s own.',
    beginsAlone: true,
    steps: [
      { text: 'Change something on Ann’s tablet.', isDone: ({ tablet }) => !isOffline(tablet) && pending(tablet) > 0 },
      { text: 'Ann’s phone has it a moment later, by itself.', isDone: ({ tablet, phone }) => isSettled(tablet) && phone.hasHeardFromOthers },
      { text: 'Ben’s tablet gets it with a download.', isDone: ({ ben }) => ben.status?.progress !== undefined && ben.status?.progress !== null },
    ],
  },
];

/** How many steps of each walk were done, remembered while the page lives. */
export interface Progress {
  doneOf(walk: Walk): number;
  look(stage: Stage): void;
  startOver(walk: Walk): void;
}

export function createProgress(): Progress {
  const done = new Map<string, number>();
  const doneOf = (walk: Walk): number => done.get(walk.key) ?? 0;
  return {
    doneOf,
    look(stage) {
      const isOtherUnderWay = (walk: Walk): boolean => WALKS.some((other) => other !== walk && doneOf(other) > 0 && doneOf(other) < other.steps.length);
      for (const walk of WALKS) {
        if (walk.beginsAlone && doneOf(walk) === 0 && isOtherUnderWay(walk)) continue;
        const next = walk.steps[doneOf(walk)];
        if (next?.isDone(stage)) done.set(walk.key, doneOf(walk) + 1);
      }
    },
    startOver: (walk) => void done.delete(walk.key),
  };
}
