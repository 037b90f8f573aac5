/** Values that are lists of directives: the allow and deny rules of `security`, and free parameters for ffmpeg. */
import { isIpv4, isIpv6 } from './address-type.ts';
import { isPrintable, type ValueType } from './value-type.ts';

/** One line of `security`: who may, or may not, do what. */
export interface SecurityRule {
  readonly action: 'allow' | 'deny';
  readonly activity: 'play' | 'publish';
  /** `all`, an IP address, or a network in CIDR form. */
  readonly who: string;
}

const rulesAllowed = 'play or publish, then all, an IP address or a network (10.0.0.0/8)';

function isWho(text: string): boolean {
  if (text === 'all') return true;
  const [address = '', bits, ...more] = text.split('/');
  if (more.length > 0) return false;
  const maxBits = isIpv4(address) ? 32 : isIpv6(address) ? 128 : -1;
  if (maxBits < 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= maxBits);
}

/** IP addresses and networks, or the word `none`. */
export const networkList: ValueType<readonly string[]> = {
  allowed: 'IP addresses or networks (10.0.0.0/8), or none',
  takesMany: true,
  absent: [],
  read(args, context) {
    if (args.length === 1 && args[0] === 'none') return [];
    return args.filter((arg) => {
      if (arg !== 'all' && isWho(arg)) return true;
      context.refuse(arg, networkList.allowed);
      return false;
    });
  },
};

/** Rules in the order of the file. */
export const securityRules: ValueType<readonly SecurityRule[]> = {
  allowed: rulesAllowed,
  takesMany: true,
  absent: [],
  repeats: ['allow', 'deny'],
  read([action = '', activity = '', who = 'all'], context) {
    const isRule = (action === 'allow' || action === 'deny') && (activity === 'play' || activity === 'publish') && isWho(who);
    if (isRule) return [{ action, activity, who }];
    context.refuse(`${activity} ${who}`.trim(), rulesAllowed);
    return undefined;
  },
};

/** A free parameter of an ffmpeg command line: `-name value`. */
export interface FfmpegParam {
  readonly name: string;
  readonly value: string;
}

/** The children of `vfilter`, `vparams` and `aparams`, in the order of the file. */
export const ffmpegParams: ValueType<readonly FfmpegParam[]> = {
  allowed: 'a block of name value; pairs',
  takesMany: true,
  absent: [],
  isPairs: true,
  read([name = '', value = ''], context) {
    if (isPrintable(name) && isPrintable(value)) return [{ name, value }];
    context.refuse(value, 'text without control characters');
    return undefined;
  },
};
