import { createSyncServer, refuse, type SyncServer } from '../../src/server/index.ts';
import { pglite, type PGliteStore } from '../../src/server/store/pglite.ts';
import { schema, USER } from './schema.ts';

/** The server under test on its folder; the victim and the judge open it alike. */
export function openBackend(folder: string, seedFolder: string): { readonly server: SyncServer; readonly store: PGliteStore } {
  const store = pglite({ folder, seedFolder });
  const server = createSyncServer({
    schema,
    store,
    authenticate: () => ({ user: USER }),
    objects: {
      note: {
        validate: ({ next }) => ((next.amount ?? 0) < 0 ? refuse('amount', 'negative') : undefined),
        afterSave: async ({ id, next, write }) => void (await write.create('trace', { token: next?.token ?? removalToken(id), savedBy: 'note' })),
      },
      counter: {
        afterSave: async ({ origin, next, write }) => {
          if (origin.kind === 'device') await write.create('trace', { token: next?.token ?? '', savedBy: 'counter' });
        },
      },
      remark: {
        afterSave: async ({ id, next, write }) => void (await write.create('trace', { token: next?.token ?? removalToken(id), savedBy: 'remark' })),
      },
    },
    log: ({ level, message, cause }) => {
      if (level === 'error') console.error(`server: ${message}`, cause ?? '');
    },
  });
  return { server, store };
}

/** A record is removed once, so its id names the save. */
export function removalToken(id: string): string {
  return `remove ${id}`;
}
