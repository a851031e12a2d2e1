import { CORE_STATUSES, type CoreRefusal } from './core.ts';

/** Turns a status number of the core into a refusal. */
export function createRefusal(status: number, offset: number): CoreRefusal {
  return { ok: false, status: CORE_STATUSES[status] as CoreRefusal['status'], offset };
}

/** Thrown inside the twin at the first value that is refused, and caught where the call began. */
export class Refused {
  readonly status: number;
  readonly offset: number;

  constructor(status: number, offset: number) {
    this.status = status;
    this.offset = offset;
  }
}
