import type { Authenticate } from '../../src/server/index.ts';

const USERS = new Set(['ann', 'ben']);

/** Reads a demo token, such as `demo:ann`. A real backend verifies what its sign-in gave out. */
export const authenticate: Authenticate = ({ headers }) => {
  const user = /^Bearer demo:(\w+)$/.exec(headers.authorization ?? '')?.[1];
  return user !== undefined && USERS.has(user) ? { user } : null;
};

export const DEMO_USERS: readonly string[] = [...USERS];
