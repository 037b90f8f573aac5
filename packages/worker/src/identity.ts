/** What this server says of itself to clients, in connect answers and metadata. */
import type { ServerIdentity } from '@srs/clients';

const version = '2.0.0';

export const identity: ServerIdentity = {
  server: `SRS/${version}(TypeScript)`,
  version,
  license: 'The MIT License (MIT)',
  url: 'https://www.npmjs.com/package/srs',
  site: 'https://www.npmjs.com/package/srs',
  email: '',
  copyright: 'Copyright (c) the SRS for TypeScript authors',
  primary: 'SRS for TypeScript',
  authors: 'the SRS for TypeScript authors',
};
