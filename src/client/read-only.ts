import { SyncFault } from '../shared/fault.ts';

/** Rule A10: who looks at somebody's device in their name changes nothing, here or online. */
export function readOnly(problem: string = 'this client was made to look and not to touch'): SyncFault {
  return new SyncFault('CLIENT_READ_ONLY', problem);
}
