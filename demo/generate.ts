import { centsToDecimal } from './decimal.ts';
import type { DemoSchema, ObjectName } from './schema.ts';
import type { CreateInput } from '../src/schema.ts';
import { createSeededRandom, createSeedId, type SeededRandom } from './seed/random.ts';
import { CALL_NOTES, CALL_SUBJECTS, CITIES, FIRST_NAMES, LAST_NAMES, PRODUCTS, QUESTIONS, ROLES, SAINTS, STREETS, SURVEYS } from './seed/words.ts';

export const DEMO_SEED = 20_261_121;

/** One record to create, with the id it keeps for ever. */
export interface SeedRecord {
  readonly object: ObjectName;
  readonly id: string;
  readonly values: Readonly<Record<string, unknown>>;
}

type ValuesOf<O extends ObjectName> = CreateInput<DemoSchema, O>;
type Made<O extends ObjectName> = ValuesOf<O> & { readonly id: string };

export interface GenerateOptions {
  /** Calls and orders lie around this day. */
  readonly today: Date;
  /** @defaultValue {@link DEMO_SEED} */
  readonly seed?: number;
  /** @defaultValue 240 */
  readonly accounts?: number;
}

/** Makes the demo's CRM, parents before children: the same records for the same options. */
export function generateCrm({ today, seed = DEMO_SEED, accounts = 240 }: GenerateOptions): readonly SeedRecord[] {
  const random = createSeededRandom(seed);
  const records: SeedRecord[] = [];
  const add = <O extends ObjectName>(object: O, values: ValuesOf<O>): Made<O> => {
    const id = createSeedId(records.length, random);
    records.push({ object, id, values });
    return { ...values, id };
  };

  const products = PRODUCTS.flatMap(([category, unit, items], group) =>
    items.map(([name, cents], index) => {
      const code = `${category.slice(0, 1)}${group + 1}${String(index + 1).padStart(2, '0')}`;
      const isAvailable = random.chance(0.93);
      return add('product', { name, code, category, unit, price: centsToDecimal(cents), isAvailable });
    }),
  );
  const namesTaken = new Set<string>();
  for (let index = 0; index < accounts; index++) {
    const account = add('account', makeAccount(random, namesTaken));
    const contacts = times(random.between(1, 5), () => add('contact', makeContact(account, random)));
    times(random.between(1, 9), () => {
      const call = add('call', makeCall(account, random.chance(0.8) ? random.pick(contacts) : undefined, today, random));
      if (call.channel !== 'Visit' || call.status === 'Cancelled') return;
      for (const product of pickSome(products, random.between(0, 2), random)) {
        add('callSample', { call: call.id, product: product.id, quantity: random.between(1, 5) });
      }
      if (random.chance(0.5)) add('callKeyMessage', { call: call.id, ...makeKeyMessage(random) });
    });
    if (random.chance(0.5)) {
      const survey = add('survey', makeSurvey(account, today, random));
      for (const question of QUESTIONS) add('surveyAnswer', { survey: survey.id, question, rating: random.between(5, 10) });
    }
    times(random.between(0, 3), () => {
      const order = add('order', makeOrder(account, today, random));
      for (const product of pickSome(products, random.between(1, 5), random)) {
        add('orderLine', { order: order.id, product: product.id, quantity: random.between(1, 24), price: product.price ?? '0' });
      }
    });
  }
  return records;
}

type AccountKind = 'Hospital' | 'Clinic' | 'Pharmacy' | 'Laboratory';

function makeAccount(random: SeededRandom, namesTaken: Set<string>): ValuesOf<'account'> {
  const city = random.pick(CITIES);
  const street = random.pick(STREETS);
  const kind = random.pick(['Hospital', 'Clinic', 'Clinic', 'Pharmacy', 'Pharmacy', 'Pharmacy', 'Laboratory'] as const);
  return {
    name: pickName(kind, city, street, random, namesTaken),
    kind,
    tier: random.pick(['A', 'B', 'B', 'C', 'C']),
    street: `${random.between(1, 180)} ${street}`,
    city,
    phone: makePhone(random),
    staff: kind === 'Hospital' ? random.between(180, 2_400) : random.between(2, 60),
    isCustomer: random.chance(0.7),
  };
}

function pickName(kind: AccountKind, city: string, street: string, random: SeededRandom, taken: Set<string>): string {
  const family = (): string => random.pick(LAST_NAMES);
  const patterns: Record<AccountKind, () => readonly string[]> = {
    Hospital: () => [`St. ${random.pick(SAINTS)} Hospital, ${city}`, `${city} General Hospital`, `University Hospital ${city}`],
    Clinic: () => [`${family()} Clinic`, `${city} Eye Clinic`, `${street} Medical Centre, ${city}`, `${family()} & ${family()} Practice`],
    Pharmacy: () => [`${family()} Pharmacy`, `${street} Pharmacy, ${city}`, `${city} Central Pharmacy`],
    Laboratory: () => [`${family()} Diagnostics`, `${city} Medical Laboratory`, `${family()} & ${family()} Labs`],
  };
  let name = random.pick(patterns[kind]());
  // Every name of this town may be taken: a family name with the town makes a new one.
  while (taken.has(name)) name = `${family()} ${kind}, ${random.pick(CITIES)}`;
  taken.add(name);
  return name;
}

function makeContact(account: Made<'account'>, random: SeededRandom): ValuesOf<'contact'> {
  const firstName = random.pick(FIRST_NAMES);
  const lastName = random.pick(LAST_NAMES);
  const mailbox = `${firstName}.${lastName}`.toLowerCase().normalize('NFD').replace(/[^a-z.]/g, '');
  const interests = pickSome(['Wound care', 'Diagnostics', 'Hygiene', 'Surgery', 'Mobility'] as const, random.between(0, 3), random);
  return {
    account: account.id,
    firstName,
    lastName,
    role: random.pick(ROLES),
    email: `${mailbox}@care.example`,
    phone: makePhone(random),
    interests,
  };
}

function makeCall(
  account: Made<'account'>,
  contact: Made<'contact'> | undefined,
  today: Date,
  random: SeededRandom,
): ValuesOf<'call'> {
  const days = random.between(-120, 30);
  const at = new Date(startOfDay(today) + days * DAY_MS + random.between(8 * 4, 17 * 4) * 15 * 60_000);
  const isPast = days < 0;
  return {
    subject: random.pick(CALL_SUBJECTS),
    account: account.id,
    contact: contact?.id ?? null,
    at: at.toISOString(),
    channel: random.pick(['Visit', 'Visit', 'Visit', 'Phone', 'Video']),
    status: isPast ? random.pick(['Done', 'Done', 'Submitted', 'Submitted', 'Cancelled']) : 'Planned',
    notes: isPast && random.chance(0.7) ? random.pick(CALL_NOTES) : null,
    followUp: isPast && random.chance(0.25) ? toDay(startOfDay(today) + random.between(1, 60) * DAY_MS) : null,
  };
}

function makeKeyMessage(random: SeededRandom): Pick<ValuesOf<'callKeyMessage'>, 'message' | 'reaction'> {
  return {
    message: random.pick(['Heals faster', 'Costs less per week', 'Easy to apply', 'Delivered next day']),
    reaction: random.pick(['Positive', 'Positive', 'Neutral', 'Negative']),
  };
}

function makeSurvey(account: Made<'account'>, today: Date, random: SeededRandom): ValuesOf<'survey'> {
  return { title: random.pick(SURVEYS), account: account.id, askedOn: toDay(startOfDay(today) - random.between(1, 90) * DAY_MS) };
}

function makeOrder(account: Made<'account'>, today: Date, random: SeededRandom): ValuesOf<'order'> {
  return {
    account: account.id,
    status: random.pick(['Draft', 'Placed', 'Placed', 'Shipped', 'Shipped', 'Shipped']),
    deliverOn: toDay(startOfDay(today) + random.between(-60, 21) * DAY_MS),
    notes: random.chance(0.2) ? 'Deliver before nine, at the back entrance.' : null,
  };
}

const DAY_MS = 86_400_000;

function startOfDay(day: Date): number {
  return Math.floor(day.getTime() / DAY_MS) * DAY_MS;
}

function toDay(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}

function makePhone(random: SeededRandom): string {
  return `+32 ${random.between(2, 9)} ${random.between(200, 899)} ${random.between(10, 99)} ${random.between(10, 99)}`;
}

function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}

function pickSome<T>(choices: readonly T[], count: number, random: SeededRandom): T[] {
  const left = [...choices];
  return times(Math.min(count, left.length), () => left.splice(random.between(0, left.length - 1), 1)[0]!);
}
