import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Query } from '../../src/client/read/query.ts';
import type { ChangeStream } from './changes.ts';
import { readJson, sendFault, sendJson } from './json-answer.ts';
import type { Office } from './office.ts';

/** Answers everything under `/office`. */
export function createOfficeRoutes(office: Office, changes: ChangeStream): (request: IncomingMessage, response: ServerResponse) => void {
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const [, , kind = '', object = '', id = ''] = pathname.split('/').map(decodeURIComponent);
    switch (`${request.method} ${kind}`) {
      case 'GET changes':
        return changes.add(response);
      case 'GET feeds':
        return sendJson(response, 200, await office.feeds());
      case 'GET receipts':
        return sendJson(response, 200, office.receipts());
      case 'GET records':
        return sendJson(response, 200, (await office.query({ object, where: { id } }))[0] ?? null);
      case 'POST week':
        office.passWeek();
        changes.announce();
        return sendJson(response, 200, null);
      case 'POST query':
        return sendJson(response, 200, await office.query((await readJson(request)) as unknown as Query));
      case 'POST records':
        return sendJson(response, 200, await office.save({ op: 'create', object, values: await readJson(request) }));
      case 'PATCH records':
        return sendJson(response, 200, await office.save({ op: 'update', object, id, values: await readJson(request) }));
      case 'DELETE records':
        return sendJson(response, 200, await office.save({ op: 'remove', object, id }));
      default:
        return sendJson(response, 404, { error: { message: 'There is nothing here.', field: null } });
    }
  }

  return (request, response) => {
    answer(request, response).catch((thrown: unknown) => sendFault(response, thrown));
  };
}
