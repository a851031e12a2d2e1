import type { FieldValue } from '../../../src/schema.ts';
import type { ObjectName } from '../../schema.ts';
import type { FeedsAnswer, OfficeReceipt } from '../../office-messages.ts';
import type { Values } from '../crm/object-face.ts';
import type { RecordQuery } from '../records/record-source.ts';

/** The back office's own JSON API: the server without any sync, as an office application would use it. */
export interface OfficeApi {
  query(query: RecordQuery): Promise<readonly (Readonly<Record<string, FieldValue>> & { readonly id: string })[]>;
  create(object: ObjectName, values: Values): Promise<{ readonly id: string }>;
  update(object: ObjectName, id: string, values: Values): Promise<void>;
  remove(object: ObjectName, id: string): Promise<void>;
  feeds(): Promise<FeedsAnswer>;
  passWeek(): Promise<void>;
  receipts(): Promise<readonly OfficeReceipt[]>;
  /** Calls back when the server saved something, and when the connection to it comes and goes. */
  watchChanges(onChange: () => void, onConnection: (isConnected: boolean) => void): void;
}

export function createOfficeApi(base = '/office'): OfficeApi {
  async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${base}/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const answer = (await response.json()) as { readonly error?: { readonly message: string; readonly field: string | null } } | null;
    if (!response.ok) throw Object.assign(new Error(answer?.error?.message ?? response.statusText), { details: { field: answer?.error?.field ?? null } });
    return answer as T;
  }

  return {
    query: (query) => ask('POST', 'query', query),
    create: (object, values) => ask('POST', `records/${object}`, values),
    update: (object, id, values) => ask('PATCH', `records/${object}/${encodeURIComponent(id)}`, values),
    remove: (object, id) => ask('DELETE', `records/${object}/${encodeURIComponent(id)}`),
    feeds: () => ask('GET', 'feeds'),
    passWeek: () => ask('POST', 'week'),
    receipts: () => ask('GET', 'receipts'),
    watchChanges(onChange, onConnection) {
      const events = new EventSource(`${base}/changes`);
      events.addEventListener('open', () => {
        onConnection(true);
        onChange();
      });
      events.addEventListener('error', () => onConnection(false));
      events.addEventListener('changed', onChange);
    },
  };
}
