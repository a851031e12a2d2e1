import type { ObjectName } from '../../schema.ts';
import { headerOf } from '../crm/groups.ts';
import { FACES, type TitleOf, type Values } from '../crm/object-face.ts';
import type { RecordSource } from './record-source.ts';

export interface Titles {
  readonly titleOf: TitleOf;
  /** Looks a title up again when it is next asked for. */
  forget(object: ObjectName, id: string): void;
  forgetAll(): void;
}

/** Remembers what records are called. A title that is not known yet is looked up once, and `onFound` told. */
export function createTitles(source: RecordSource, onFound: () => void): Titles {
  const known = new Map<string, string>();
  const stale = new Set<string>();
  const asked = new Set<string>();

  const titleOf: TitleOf = (object, id) => {
    if (typeof id !== 'string') return '';
    const key = `${object} ${id}`;
    if ((!known.has(key) || stale.has(key)) && !asked.has(key)) void lookUp(object, id, key);
    return known.get(key) ?? '';
  };

  /** A line is named with its header. What refers to a title that is not known yet is looked up again. */
  function fullTitle(object: ObjectName, values: Values, key: string): string {
    const part: TitleOf = (target, id) => {
      const title = titleOf(target, id);
      if (title === '' && typeof id === 'string') stale.add(key);
      return title;
    };
    const header = headerOf(object, values);
    return [FACES[object].title(values, part), header === null ? '' : part(header.object, header.id)].filter((text) => text !== '').join(' · ');
  }

  async function lookUp(object: ObjectName, id: string, key: string): Promise<void> {
    asked.add(key);
    stale.delete(key);
    try {
      const [record] = await source.query({ object, where: { id }, limit: 1 });
      const title = record === undefined ? '' : fullTitle(object, record.values, key);
      if (known.get(key) !== title) {
        known.set(key, title);
        onFound();
      }
    } catch {
      stale.add(key);
    } finally {
      asked.delete(key);
    }
  }

  return {
    titleOf,
    forget: (object, id) => void stale.add(`${object} ${id}`),
    forgetAll: () => {
      for (const key of known.keys()) stale.add(key);
    },
  };
}
