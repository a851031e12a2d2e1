import { refuse, type SyncServerOptions } from '../../src/server/index.ts';
import { addDecimals, multiplyDecimals } from '../decimal.ts';
import type { DemoSchema } from '../schema.ts';

/** The back office's own logic: what is computed, what is filled in, what is not allowed. */
export const hooks: NonNullable<SyncServerOptions<DemoSchema>['objects']> = {
  contact: {
    formulas: ({ record }) => ({ fullName: [record.firstName, record.lastName].filter(Boolean).join(' ') }),
  },
  call: {
    formulas: ({ children }) => ({ samples: sum(children.callSample.map(({ quantity }) => quantity)) }),
  },
  survey: {
    formulas: ({ children }) => ({ score: sum(children.surveyAnswer.map(({ rating }) => rating)) }),
  },
  surveyAnswer: {
    validate: ({ next }) =>
      next.rating !== null && next.rating < 5 && next.comment === null
        ? refuse('comment', 'low-rating-without-comment', 'A rating below 5 needs a comment.')
        : undefined,
  },
  order: {
    validate: ({ next, children }) =>
      next.status === 'Placed' && children.orderLine.length === 0
        ? refuse('status', 'order-without-lines', 'An order needs a line before it is placed.')
        : undefined,
    formulas: ({ children }) => ({ total: addDecimals(children.orderLine.map(({ amount }) => amount ?? '0')) }),
  },
  orderLine: {
    async beforeSave({ next, records }) {
      if (next.price !== null || next.product === null) return undefined;
      const product = await records.get('product', next.product);
      return { price: product?.price ?? '0' };
    },
    formulas: ({ record }) => ({ amount: multiplyDecimals(record.price ?? '0', String(record.quantity ?? 1)) }),
  },
};

function sum(numbers: readonly (number | null)[]): number {
  return numbers.reduce<number>((total, one) => total + (one ?? 0), 0);
}
