import { rowInvalid } from './core-input.ts';
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

/** Runs a check of bytes from outside: what it refuses is an answer. */
export function refusing<T>(check: () => T): T | CoreRefusal {
  try {
    return check();
  } catch (thrown) {
    if (thrown instanceof Refused) return createRefusal(thrown.status, thrown.offset);
    throw thrown;
  }
}

/** Runs a call on rows that were read before: what is no row is the program's mistake. */
export function trusting<T>(call: () => T): T {
  try {
    return call();
  } catch (thrown) {
    if (thrown instanceof Refused) throw rowInvalid(thrown.status);
    throw thrown;
  }
}
