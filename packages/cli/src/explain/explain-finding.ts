/** What an explanation finds, and how it is written. */

export interface Finding {
  /** A problem is felt by somebody; a warning will be, or has been; a note only explains. */
  readonly severity: 'problem' | 'warning' | 'note';
  /** What is the case, in figures. */
  readonly what: string;
  /** What to do about it; null when there is nothing to be done. */
  readonly advice: string | null;
}

export const problem = (what: string, advice: string): Finding => ({ severity: 'problem', what, advice });
export const warning = (what: string, advice: string): Finding => ({ severity: 'warning', what, advice });
export const note = (what: string, advice: string | null = null): Finding => ({ severity: 'note', what, advice });

/** Looks at the facts; undefined when it has nothing to say. */
export type Rule<Facts> = (facts: Facts) => Finding | readonly Finding[] | undefined;

const order: readonly Finding['severity'][] = ['problem', 'warning', 'note'];

/** What all rules say, the worst first, nothing twice. */
export function applyRules<Facts>(rules: readonly Rule<Facts>[], facts: Facts): readonly Finding[] {
  const findings = rules.flatMap((rule) => rule(facts) ?? []);
  const unique = new Map(findings.map((finding) => [finding.what, finding]));
  return Array.from(unique.values()).sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
}

/** `3 frames`, `1 frame`. */
export const counted = (count: number, thing: string): string => `${count} ${thing}${count === 1 ? '' : 's'}`;
