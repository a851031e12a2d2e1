import type { HintBus } from '../hint-bus.ts';
import { hintTopic } from './hint-topic.ts';
import { createListeners } from './listeners.ts';

/** As much of a NATS connection as is used: that of `@nats-io/transport-node` is one, and so is that of the older `nats`. */
export interface NatsHintConnection {
  /** Sends a message without content. */
  publish(subject: string): void;
  /** Hears messages of a subject. */
  subscribe(subject: string, options: { readonly callback: (error: Error | null) => void }): NatsHintSubscription;
}

/** As much of a NATS subscription as is used. */
export interface NatsHintSubscription {
  /** Hears nothing more. */
  unsubscribe(): void;
}

/** How to use NATS for hints. */
export interface NatsHintBusOptions {
  /** What the subjects begin with. @defaultValue 'fieldtide.hint' */
  readonly prefix?: string;
}

/**
 * Makes a bus over a NATS connection, for any number of servers. The connection is the host's: it opens, reconnects and closes it. Each user
 * who listens is a subject, named by a hash; NATS keeps nothing, and what is published while it is away is lost.
 *
 * @example
 * ```ts
 * import { connect } from '@nats-io/transport-node';
 *
 * const hints = natsHintBus(await connect({ servers: 'nats://localhost:4222' }));
 * ```
 */
export function natsHintBus(connection: NatsHintConnection, { prefix = 'fieldtide.hint' }: NatsHintBusOptions = {}): HintBus {
  const listeners = createListeners();
  const subscriptions = new Map<string, NatsHintSubscription>();
  const subjectOf = (tenant: string, user: string): string => `${prefix}.${hintTopic(tenant, user)}`;
  return {
    publish: (tenant, user) => connection.publish(subjectOf(tenant, user)),
    subscribe(tenant, user, onHint) {
      const subject = subjectOf(tenant, user);
      const added = listeners.add(subject, onHint);
      if (added.isFirst) {
        const callback = (error: Error | null): void => void (error === null && listeners.tell(subject));
        subscriptions.set(subject, connection.subscribe(subject, { callback }));
      }
      return () => {
        if (!added.remove().isLast) return;
        subscriptions.get(subject)?.unsubscribe();
        subscriptions.delete(subject);
      };
    },
  };
}
