/** The `security` block of a vhost: which addresses may publish and play. */
import type { SecurityRule, VhostConfig } from '@srs/config';
import { type AddressWords, parseAddress } from './address.ts';
import { isInNetwork, type Network, parseNetwork } from './network.ts';
import type { Refusal, StreamUse } from './refusal.ts';

interface Rule extends Pick<SecurityRule, 'action' | 'activity' | 'who'> {
  /** Undefined for `all`. */
  readonly network: Network | undefined;
}

/** Rules come from a frozen configuration and are asked about for every client: taken apart once. */
const known = new WeakMap<readonly SecurityRule[], readonly Rule[]>();

/**
 * SRS's order: nobody may, but whom an `allow` names, and of those not whom a `deny` names. The order of the lines has no
 * meaning. An address that cannot be read matches `all` only.
 * @returns undefined when the client may
 */
export function checkSecurity(security: VhostConfig['security'], use: StreamUse, ip: string): Refusal | undefined {
  if (!security.enabled) return undefined;
  const address = parseAddress(ip);
  const rules = rulesOf(security.rules).filter((rule) => rule.activity === use && isMatching(rule, address));
  const denying = rules.find((rule) => rule.action === 'deny');
  if (denying !== undefined) {
    return { kind: 'address-denied', text: `${use} from ${ip} is denied by the rule: deny ${use} ${denying.who}` };
  }
  if (rules.length > 0) return undefined;
  return { kind: 'address-not-allowed', text: `${use} from ${ip} is allowed by no rule of security` };
}

function rulesOf(rules: readonly SecurityRule[]): readonly Rule[] {
  let parsed = known.get(rules);
  if (parsed === undefined) {
    parsed = rules.flatMap((rule): Rule[] => {
      if (rule.who === 'all') return [{ ...rule, network: undefined }];
      const network = parseNetwork(rule.who);
      return network === undefined ? [] : [{ ...rule, network }];
    });
    known.set(rules, parsed);
  }
  return parsed;
}

function isMatching(rule: Rule, address: AddressWords | undefined): boolean {
  if (rule.network === undefined) return true;
  return address !== undefined && isInNetwork(address, rule.network);
}
