import type { ClientEvent } from '../../../src/client/facade/client-events.ts';
import type { TitleOf } from '../crm/object-face.ts';
import { describeEvent, type LogText } from './describe-event.ts';

export interface LogLine extends LogText {
  readonly id: number;
  readonly at: number;
  /** How often the same thing happened in a row. */
  readonly times: number;
}

/** The last things a device did, newest first. */
export interface DeviceLog {
  /** Put into words when they are looked at: what a record is called may only be known then. */
  lines(titleOf: TitleOf): readonly LogLine[];
  add(text: LogText): void;
  addEvent(event: ClientEvent): void;
}

interface Kept {
  readonly id: number;
  readonly at: number;
  readonly times: number;
  readonly told: LogText | ClientEvent;
}

const KEPT_LINES = 80;

export function createDeviceLog(onChange: () => void): DeviceLog {
  let kept: readonly Kept[] = [];
  let lastId = 0;

  function keep(told: LogText | ClientEvent): void {
    const [newest, ...older] = kept;
    kept = newest !== undefined && isSame(newest.told, told)
      ? [{ ...newest, at: Date.now(), times: newest.times + 1 }, ...older]
      : [{ told, id: ++lastId, at: Date.now(), times: 1 }, ...kept].slice(0, KEPT_LINES);
    onChange();
  }

  return {
    lines: (titleOf) =>
      kept.flatMap(({ told, ...line }) => {
        const text = 'type' in told ? describeEvent(told, titleOf) : told;
        return text === null ? [] : [{ ...line, ...text }];
      }),
    add: keep,
    addEvent(event) {
      if (event.type !== 'status:changed') keep(event);
    },
  };
}

/** Polls that brought nothing are one line, however many. */
function isSame(left: LogText | ClientEvent, right: LogText | ClientEvent): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
