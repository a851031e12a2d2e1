// Writers that race for one field through the real upload path, and the judge of what became of their saves.
import type { ServerStore } from '../../src/server/store/server-store.ts';
import { createWorld } from '../server/harness.ts';

export const TENANT = 'race';
export const START = 'start';

/** One save of the field: from what the writer last saw to a value that nobody else writes. */
export interface RacedSave {
  readonly from: string;
  readonly to: string;
  readonly outcome: string;
  /** Of a refusal: its class, and the value that it showed as the one online. */
  readonly refusal: string | null;
  readonly online: string | null;
}

/** What the database itself applied, in order: noted by a trigger in it, which knows nothing of Fieldtide. */
export interface Applied {
  readonly was: string;
  readonly is: string;
}

/** Makes the record that everybody races for. */
export async function createRacedRecord(store: ServerStore, id: string): Promise<void> {
  const { outcome } = await createWorld({ store, tenant: TENANT }).device('maker', `maker-of-${id}`).save(1, { create: 'account', id, values: { name: id, city: START } });
  if (outcome !== 'saved') throw new Error(`the record to race for was ${outcome}`);
}

/** Saves one field so many times, from a server of the writer's own. Two writers at a time are devices of one user. */
export async function write(store: ServerStore, id: string, writer: number, saves: number): Promise<RacedSave[]> {
  const device = createWorld({ store, tenant: TENANT }).device(`user-${writer >> 1}`, `writer-${writer}-of-${id}`);
  const done: RacedSave[] = [];
  let seen = START;
  for (let number = 1; number <= saves; number++) {
    const from = seen, to = `${writer}.${number}`;
    const result = await device.save(number, { update: 'account', id, from: { city: from }, to: { city: to } });
    const online = result.onlineImage === null ? null : String(result.onlineImage.values?.city);
    done.push({ from, to, outcome: result.outcome, refusal: result.class, online });
    seen = result.outcome === 'saved' ? to : (online ?? from);
  }
  return done;
}

/** Says what is wrong: accepted must equal applied, each from the value before, and only what began from an older value is refused. */
export function judge(saves: readonly RacedSave[], applied: readonly Applied[]): string[] {
  const accepted = new Map(saves.filter(({ outcome }) => outcome === 'saved').map((save) => [save.to, save]));
  const place = new Map([START, ...applied.map(({ is }) => is)].map((value, index) => [value, index]));
  const wrong = applied.flatMap(({ was, is }) => {
    const save = accepted.get(is);
    if (save === undefined) return [`${is} was applied and not accepted`];
    return save.from === was ? [] : [`${is} was accepted from ${save.from} and overwrote ${was}`];
  });
  for (const { from, to, outcome, refusal, online } of saves) {
    if (outcome === 'saved') {
      if (!place.has(to)) wrong.push(`${to} was accepted and not applied`);
    } else if (outcome !== 'refused' || refusal !== 'conflict' || online === null) {
      wrong.push(`${to} was ${outcome} (${refusal ?? 'no reason'})`);
    } else if ((place.get(online) ?? -1) <= (place.get(from) ?? Infinity)) {
      wrong.push(`${to} was refused, from ${from}, when ${online} was online`);
    }
  }
  return wrong;
}
