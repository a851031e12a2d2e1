import { existsSync } from 'node:fs';

/** @satisfies {Partial<import('typedoc').TypeDocOptions>} */
const options = {
  name: 'Fieldtide',
  out: 'docs/api',
  tsconfig: 'tsconfig.json',
  entryPoints: [
    'bindings/web/index.ts',
    'bindings/node/index.ts',
    'src/schema.ts',
    'src/worker/worker-entry.ts',
    'src/storage/memory.ts',
    'src/storage/indexeddb.ts',
    'src/server/index.ts',
    'src/server/http/node.ts',
    'src/server/store/memory.ts',
    'src/server/store/pglite.ts',
    'src/server/store/postgres.ts',
    'src/testing/index.ts',
  ],
  // TypeDoc warns of a pattern that matches nothing.
  projectDocuments: existsSync('docs/guides') ? ['docs/guides/*.md'] : [],
  plugin: ['typedoc-plugin-mdn-links'],
  readme: 'README.md',
  excludeInternal: true,
  validation: { notExported: true, invalidLink: true, notDocumented: true },
  // Steps on the way to the types of records: nobody has to name them.
  intentionallyNotExported: [
    'src/protocol/schema.ts:FieldsOf',
    'src/protocol/schema.ts:Flat',
    'src/protocol/schema.ts:OwnedNames',
    'src/protocol/schema.ts:RequiredNames',
    'src/client/read/record-query.ts:FieldOf',
  ],
  treatWarningsAsErrors: true,
  githubPages: false,
  disableGit: true,
  sourceLinkTemplate: '{path}#L{line}',
};

export default options;
