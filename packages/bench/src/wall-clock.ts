/** The wall clock in microseconds, which all processes of a machine share. */

/** Hot path. Microseconds since 1970. It does not follow a clock that is set while the process runs. */
export function wallMicros(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1000);
}
