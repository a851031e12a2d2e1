import { SyncFault } from '../shared/fault.ts';

/** Refuses a message. @throws {@link SyncFault} `PROTOCOL_MALFORMED`, always */
export function malformed(problem: string): never {
  throw new SyncFault('PROTOCOL_MALFORMED', `malformed message: ${problem}`);
}
