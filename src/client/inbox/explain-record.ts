import type { EngineContext } from '../engine-context.ts';
import { isWanted } from '../store/wanted.ts';
import { explain, type ExplainInput, type SyncReason } from './explain.ts';
import { explainParked } from './explain-parked.ts';

/** Says why a record of the device is not in step with the server. @throws {@link SyncFault} `OBJECT_UNKNOWN` */
export async function explainRecord(
  context: EngineContext,
  network: Omit<ExplainInput, 'key' | 'schema' | 'entries' | 'drafts' | 'parked' | 'isWanted'>,
  object: string,
  id: string,
): Promise<readonly SyncReason[]> {
  const { schema, store, records } = context;
  store.layout(object);
  const key = await records.resolve(object, id);
  const drafts = [store.drafts.byRecord.get(key) ?? []].flat();
  return explain({ key, schema, entries: store.entries, drafts, parked: await explainParked(context, key), isWanted: await isWanted(store, key), ...network });
}
