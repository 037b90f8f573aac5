/** The documents of the statistics of the system, as SRS has them: names, spellings, units and the order of their fields. */
import { type Static, type TSchema, Type } from 'typebox';
import { cpuTickNames, processStatNames } from './proc-parsers.ts';

const number = Type.Number();
const integer = Type.Integer();
const fraction = Type.Number({ description: 'A fraction, in spite of its name: 1 is all of it.' });
const sampleTime = Type.Number({ description: 'When this was sampled, in milliseconds since 1970; 0 while it has not been.' });
const isSampled = Type.Boolean({ description: 'All sources could be read.' });

function allNumbers<const Name extends string>(names: readonly Name[]): { readonly [Key in Name]: typeof number } {
  return Object.fromEntries(names.map((name) => [name, number])) as { [Key in Name]: typeof number };
}

/** Closed, so that an answer has these fields and no others. */
function document<Fields extends Record<string, TSchema>>(fields: Fields, description: string) {
  return Type.Object(fields, { additionalProperties: false, description });
}

export const rusagesSchema = document(
  {
    ok: isSampled,
    sample_time: sampleTime,
    ru_utime: Type.Integer({ description: 'Whole seconds.' }),
    ru_stime: Type.Integer({ description: 'Whole seconds.' }),
    ru_maxrss: Type.Integer({ description: 'kB' }),
    ...allNumbers([
      'ru_ixrss',
      'ru_idrss',
      'ru_isrss',
      'ru_minflt',
      'ru_majflt',
      'ru_nswap',
      'ru_inblock',
      'ru_oublock',
      'ru_msgsnd',
      'ru_msgrcv',
      'ru_nsignals',
      'ru_nvcsw',
      'ru_nivcsw',
    ]),
  },
  'What the master process has used, as getrusage tells it.',
);

export const selfProcStatsSchema = document(
  {
    ok: isSampled,
    sample_time: sampleTime,
    percent: fraction,
    pid: integer,
    comm: Type.String({ description: 'With its parentheses.' }),
    state: Type.String(),
    ...allNumbers(processStatNames),
  },
  'The fields of /proc/PID/stat of the master process, in the order of the kernel; percent: 1 is one processor core.',
);

export const systemProcStatsSchema = document(
  { ok: isSampled, sample_time: sampleTime, percent: fraction, ...allNumbers(cpuTickNames) },
  'The ticks of all processors together, as /proc/stat has them.',
);

export const meminfosSchema = document(
  {
    ok: isSampled,
    sample_time: sampleTime,
    percent_ram: fraction,
    percent_swap: fraction,
    ...allNumbers(['MemActive', 'RealInUse', 'NotInUse', 'MemTotal', 'MemFree', 'Buffers', 'Cached', 'SwapTotal', 'SwapFree']),
  },
  'The memory of the machine, in kB.',
);

export const summariesSchema = document(
  {
    ok: isSampled,
    now_ms: Type.Number({ description: 'Milliseconds since 1970.' }),
    self: document(
      {
        version: Type.String(),
        pid: integer,
        ppid: integer,
        argv: Type.String(),
        cwd: Type.String(),
        mem_kbyte: Type.Integer({ description: 'The peak of the resident size, kB.' }),
        mem_percent: fraction,
        cpu_percent: Type.Number({ description: 'A fraction: 1 is one processor core.' }),
        srs_uptime: Type.Number({ description: 'Seconds.' }),
      },
      'The master process.',
    ),
    system: document(
      {
        cpu_percent: fraction,
        disk_read_KBps: Type.Integer({ description: 'kB/s of the whole system.' }),
        disk_write_KBps: Type.Integer({ description: 'kB/s of the whole system.' }),
        disk_busy_percent: Type.Number({ description: 'A fraction for each device of `stats { disk }`, added up.' }),
        mem_ram_kbyte: integer,
        mem_ram_percent: fraction,
        mem_swap_kbyte: integer,
        mem_swap_percent: fraction,
        cpus: integer,
        cpus_online: integer,
        uptime: number,
        ilde_time: number,
        load_1m: number,
        load_5m: number,
        load_15m: number,
        net_sample_time: sampleTime,
        net_recv_bytes: Type.Integer({ description: 'All interfaces but `lo`.' }),
        net_send_bytes: Type.Integer({ description: 'All interfaces but `lo`.' }),
        srs_sample_time: sampleTime,
        srs_recv_bytes: Type.Integer({ description: 'Of all clients since the start.' }),
        srs_send_bytes: Type.Integer({ description: 'Of all clients since the start.' }),
        srs_recv_kbps: integer,
        srs_send_kbps: integer,
        conn_sys: integer,
        conn_sys_et: integer,
        conn_sys_tw: integer,
        conn_sys_udp: integer,
        conn_srs: integer,
      },
      'The machine, and the traffic of this server.',
    ),
  },
  'The state of the server and its machine at a glance.',
);

export type Rusages = Static<typeof rusagesSchema>;
export type SelfProcStats = Static<typeof selfProcStatsSchema>;
export type SystemProcStats = Static<typeof systemProcStatsSchema>;
export type Meminfos = Static<typeof meminfosSchema>;
export type Summaries = Static<typeof summariesSchema>;
