import { ATTENTION } from '../../core/core.ts';
import { compareVersions, type RecordVersion } from '../../protocol/version.ts';
import { headerOf, readAround, type ImageLookup } from '../answers/around.ts';
import { belongsTo, heldOf, Joined, leftBy, missingMasters } from '../answers/merge-units.ts';
import type { EngineContext } from '../engine-context.ts';
import { createdBy } from '../queue/queue-entry.ts';
import { isFrom, isReadTo, type FeedMoment } from '../store/feed-moment.ts';
import { namedIn, type ParkedGroup } from '../store/parked.ts';
import { keyOf, type Key } from '../store/record-key.ts';
import type { StagedParts } from '../store/stored.ts';
import { attentionAt } from './page-plan.ts';
import { eachPart, leaderOf, type StagedPart } from './staged-parts.ts';

/** What is decided of the groups of all parts. */
export interface Decided {
  /** The groups that are kept aside, by header: what is in their way, and what names those that stay together. */
  readonly applying: NonNullable<StagedParts['applying']>;
  /** Parked groups of which the parts have a newer manifest. */
  readonly outdated: ReadonlySet<ParkedGroup>;
}

/** A member that a group needs, and that was not on the device at that version. */
interface Need {
  readonly header: Key;
  readonly version: RecordVersion;
}

/**
 * Decides into which groups of the parts nothing is merged: a group, and what is kept aside of it already, is merged all at once or not at
 * all (rules A34, A35).
 *
 * @param moment - where the feed was when the last part was read
 */
export async function decideParts(context: EngineContext, moment: FeedMoment): Promise<Decided> {
  const decision = new Decision(context);
  await eachPart(context, (part) => decision.look(part));
  await decision.lookAtParked(moment);
  await decision.findInParts();
  await decision.spread();
  return decision.end();
}

class Decision {
  readonly #context: EngineContext;
  /** What is in the way of a group, by its header: bits of `ATTENTION`. */
  readonly #blocked = new Map<Key, number>();
  /** Groups that are merged together or not at all. */
  readonly #ties: (readonly [Key, Key])[] = [];
  readonly #unmet = new Map<Key, readonly Need[]>();
  /** Headers of which the parts have a manifest. */
  readonly #stated = new Set<Key>();
  /** Parked groups that the parts have to do with, each with a header of the parts. */
  readonly #parked = new Map<ParkedGroup, Key>();
  /** Masters that are not on the device, each with the header of its group where it is in a part. */
  readonly #wanted = new Map<Key, Key | null>();
  /** Of what is kept aside: which groups hang on which of them. */
  readonly #hanging: (readonly [header: Key, master: Key])[] = [];

  constructor(context: EngineContext) {
    this.#context = context;
  }

  /** Notes what one part has. */
  look(part: StagedPart): void {
    const { store, places } = this.#context;
    const base: ImageLookup = (key) => part.bases.get(key) ?? null;
    for (const { object, id, others } of part.content.groups) {
      const header = keyOf(object, id);
      this.#block(header, attentionAt(store, header));
      this.#stated.add(header);
      this.#noteParked(header, header);
      // What was deleted with all that is above it comes in several groups.
      const above = headerOf(places, header, base);
      if (above !== header) this.#ties.push([header, above]);
      const named = others.map((other) => [keyOf(other.object, other.id), [other.epoch, other.n]] as const);
      this.#need(header, named, base);
      for (const [key, version] of named) {
        const from = leftBy(places, key, version, base);
        if (from !== null && from !== header) this.#ties.push([header, from]);
      }
    }
    part.images.keys.forEach((key, index) => {
      const header = leaderOf(this.#context, part, key), former = base(key) === null ? header : headerOf(places, key, base);
      this.#block(header, attentionAt(store, key) | attentionAt(store, former));
      if (former !== header) this.#ties.push([header, former]);
      this.#noteParked(key, header);
      for (const master of this.#mastersOf(part, key, index)) this.#wanted.set(master, null);
    });
  }

  /** What is kept aside of a group goes with what the parts have of it. */
  async lookAtParked(moment: FeedMoment): Promise<void> {
    if (this.#parked.size === 0) return;
    const { store, rules } = this.#context;
    const after = { cursor: store.meta.part!.cursor, hasFeedGap: store.meta.hasFeedGap };
    const bases = await readAround(this.#context, [...this.#parked.keys()].flatMap((group) => [...namedIn(group)]));
    for (const [group, header] of this.#parked) {
      const { headers, members, masters, until } = group;
      for (const other of headers) if (other !== header) this.#ties.push([header, other]);
      const isOutdated = this.#isOutdated(group);
      const waiting = [...headers, ...members.keys()].filter((key) => !isOutdated || store.side(key) !== null);
      this.#block(header, waiting.reduce((flags, key) => flags | attentionAt(store, key), 0));
      if (!isOutdated) this.#need(header, members, (key) => bases.get(key) ?? null);
      if (!isReadTo(until, after) && !(isOutdated && isFrom(moment, until))) this.#block(header, ATTENTION.incomplete);
      for (const master of rules.orphanedBy(masters)) {
        this.#hanging.push([header, master]);
        this.#wanted.set(master, null);
      }
    }
  }

  /** What is not on the device may be in a part. */
  async findInParts(): Promise<void> {
    if (this.#wanted.size > 0 || this.#unmet.size > 0) {
      await eachPart(this.#context, (part) => {
        part.images.keys.forEach((key, index) => {
          if (this.#wanted.has(key)) this.#wanted.set(key, leaderOf(this.#context, part, key));
          const needs = this.#unmet.get(key);
          if (needs !== undefined) this.#unmet.set(key, needs.filter(({ version }) => compareVersions(part.images.image(index).version, version) < 0));
        });
      });
    }
    for (const needs of this.#unmet.values()) for (const { header } of needs) this.#block(header, ATTENTION.incomplete);
  }

  /** What is in the way of one group is in the way of what hangs on it, and of the groups that it is tied to. */
  async spread(): Promise<void> {
    const blocked = this.#blocked;
    const isAbsent = (master: Key): boolean => this.#wanted.get(master) === null || blocked.has(this.#wanted.get(master)!);
    const hangsOn = (header: Key, master: Key): boolean => !blocked.has(header) && this.#wanted.get(master) !== header && isAbsent(master);
    for (let known = -1; known < blocked.size && ([...this.#wanted.keys()].some(isAbsent) || this.#ties.length > 0); ) {
      known = blocked.size;
      for (const [header, other] of this.#ties) {
        if (blocked.has(header) !== blocked.has(other)) this.#block(blocked.has(header) ? other : header, ATTENTION.incomplete);
      }
      for (const [header, master] of this.#hanging) if (hangsOn(header, master)) this.#block(header, ATTENTION.incomplete);
      await eachPart(this.#context, (part) => {
        part.images.keys.forEach((key, index) => {
          const header = leaderOf(this.#context, part, key);
          if (this.#mastersOf(part, key, index).some((master) => hangsOn(header, master))) this.#block(header, ATTENTION.incomplete);
        });
      });
    }
  }

  end(): Decided {
    const together = new Joined();
    for (const header of this.#blocked.keys()) together.join([header]);
    for (const tie of this.#ties) if (this.#blocked.has(tie[0])) together.join(tie);
    return {
      applying: [...this.#blocked].map(([header, flags]) => [header, flags, together.root(header)] as const),
      outdated: new Set([...this.#parked.keys()].filter((group) => this.#isOutdated(group))),
    };
  }

  #block(header: Key, flags: number): void {
    if (flags !== 0) this.#blocked.set(header, (this.#blocked.get(header) ?? 0) | flags);
  }

  #need(header: Key, members: Iterable<readonly [Key, RecordVersion]>, base: ImageLookup): void {
    const { store, rules } = this.#context;
    for (const [key, version] of rules.needsOf(new Map(members))) {
      if (compareVersions(heldOf(key, base, (other) => store.side(other)), version) < 0) this.#unmet.set(key, [...(this.#unmet.get(key) ?? []), { header, version }]);
    }
  }

  #noteParked(key: Key, header: Key): void {
    for (const group of this.#context.store.parkedOf(key)) {
      if (!belongsTo(group, key)) continue;
      // One between several headers of the parts holds them all together.
      const known = this.#parked.get(group);
      if (known === undefined) this.#parked.set(group, header);
      else if (known !== header) this.#ties.push([known, header]);
    }
  }

  #isOutdated({ headers }: ParkedGroup): boolean {
    return headers.every((header) => this.#stated.has(header));
  }

  #mastersOf(part: StagedPart, key: Key, index: number): readonly Key[] {
    const { store, places, rules } = this.#context;
    const isCreatedHere = (other: Key): boolean => store.entriesOf(other).some((entry) => createdBy(entry).includes(other));
    return rules.orphanedBy(missingMasters({ places, base: (other) => part.bases.get(other) ?? null, isCreatedHere }, key, part.images.image(index)));
  }
}
