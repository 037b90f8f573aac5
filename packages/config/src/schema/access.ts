/** Rows about who may come in: addresses, keys and signed URLs of a vhost, and the limits of one address. */
import { block, row } from '../field.ts';
import { networkList, securityRules } from '../rule-type.ts';
import { flag, integer, maxInt, secretWords } from '../value-type.ts';

export const security = block(
  'security',
  {
    enabled: row('enabled', flag, 'off', { doc: 'Look at the address of every client.', since: '2.0' }),
    rules: row('allow | deny', securityRules, undefined, {
      doc: 'Who may `publish` and who may `play`: `all`, an IP address or a network. A client that no `allow` names is refused, and one that a `deny` names too; the order of the lines has no meaning.',
      since: '2.0',
      example: 'allow play all',
    }),
  },
  { doc: 'Which addresses may play and publish.', since: '2.0' },
);

/** A signature can be attacked without asking the server, so its secret must be longer than a key. */
const MIN_SECRET_LENGTH = 16;
const MIN_KEY_LENGTH = 8;

function auth(name: string, what: string) {
  return block(
    name,
    {
      enabled: row('enabled', flag, 'off', {
        doc: `Ask for a key or a signed address before a client may ${what}. At least one \`key\` or \`secret\` must be given.`,
        since: 'new',
      }),
      keys: row('key', secretWords(MIN_KEY_LENGTH), undefined, {
        doc: `Whoever has one of these as \`?key=KEY\` in the URL may ${what} every stream of the vhost.`,
        since: 'new',
        example: 'KEY-FOR-ENCODERS',
      }),
      secrets: row('secret', secretWords(MIN_SECRET_LENGTH), undefined, {
        doc: `Addresses signed with one of these, \`?expires=UNIX&sign=HEX\`, may ${what} one stream until they expire. Several make a change possible: add the new one, sign with it, and take the old one away later.`,
        since: 'new',
        example: 'SECRET-FOR-SIGNING',
      }),
    },
    { doc: `Stream keys and signed addresses to ${what}.`, since: 'new' },
  );
}

export const publishAuth = auth('publish_auth', 'publish');
export const playAuth = auth('play_auth', 'play');

const perAddress = integer({ min: 0, max: maxInt });

export const limits = block(
  'limits',
  {
    connectionsPerIp: row('connections_per_ip', perAddress, '0', {
      doc: 'Connections of one address; one more is closed before anything is read from it. 0 sets no limit.',
      since: 'new',
    }),
    publishersPerIp: row('publishers_per_ip', perAddress, '0', {
      doc: 'Streams that one address publishes at a time. 0 sets no limit.',
      since: 'new',
    }),
    playersPerIp: row('players_per_ip', perAddress, '0', {
      doc: 'Streams that one address plays at a time. 0 sets no limit.',
      since: 'new',
    }),
    connectsPerSecondPerIp: row('connects_per_second_per_ip', perAddress, '0', {
      doc: 'Connections that one address may open in a second; one more is closed before anything is read from it. 0 sets no limit.',
      since: 'new',
    }),
    exempt: row('exempt', networkList, '127.0.0.0/8 ::1', {
      doc: 'Addresses and networks without limits, such as other servers, or a gateway with many clients behind it; `none` exempts nobody, not even this machine.',
      since: 'new',
    }),
  },
  {
    doc: 'What one address may have, counted over all workers and vhosts. The addresses of one IPv6 network of 64 bits count as one.',
    since: 'new',
  },
);
