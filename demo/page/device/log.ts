import type { LogText } from './describe-event.ts';

export interface LogLine extends LogText {
  readonly id: number;
  readonly at: number;
  /** How often the same thing happened in a row. */
  readonly times: number;
}

/** The last things a device did, newest first. */
export interface DeviceLog {
  readonly lines: readonly LogLine[];
  add(text: LogText): void;
}

const KEPT_LINES = 80;

export function createDeviceLog(onChange: () => void): DeviceLog {
  let lines: readonly LogLine[] = [];
  let lastId = 0;
  return {
    get lines() {
      return lines;
    },
    add(text) {
      const [newest, ...older] = lines;
      const isRepeat = newest !== undefined && newest.text === text.text && newest.why === text.why;
      lines = isRepeat
        ? [{ ...newest, at: Date.now(), times: newest.times + 1 }, ...older]
        : [{ ...text, id: ++lastId, at: Date.now(), times: 1 }, ...lines].slice(0, KEPT_LINES);
      onChange();
    },
  };
}
